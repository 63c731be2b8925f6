import { HttpError, quote } from "../stream/errors.ts";

/** Parameters that every live stream takes, once. */
export const streamParams = ["format", "after", "lastEventId"];

/**
 * Checks the names in a query: those of `once` may be given once, those of `many` often. Other names are
 * ignored, unless one looks like a slip of the pen: throws a 400 that names the parameter, the rule and the value.
 */
export function checkParams(
  query: URLSearchParams,
  once: readonly string[],
  many: readonly string[] = [],
): void {
  // Most queries hold known names alone, each once, and to see that costs a fifth of the rest.
  if (query.size === 0 || query.size === once.filter((name) => query.has(name)).length) return;
  for (const name of new Set(query.keys())) {
    if (many.includes(name)) continue;
    if (once.includes(name)) {
      const values = query.getAll(name);
      if (values.length === 1) continue;
      const given = values.slice(0, 3).map(quote).join(" and ") + (values.length > 3 ? " and more" : "");
      throw new HttpError(400, `${name} must be given once: current values are ${given}`);
    }
    const meant = [...once, ...many].find((known) => known.length >= 5 && isSlip(name, known));
    if (meant !== undefined) {
      throw new HttpError(400, `the parameter's name must be ${meant}: current value is ${quote(name)}`);
    }
  }
}

/** Whether a name is another but for one character too many, too few or wrong, or two that are swapped. */
function isSlip(name: string, other: string): boolean {
  if (Math.abs(name.length - other.length) > 1) return false;
  let start = 0;
  while (start < name.length && name[start] === other[start]) start++;
  let [end, otherEnd] = [name.length, other.length];
  while (end > start && otherEnd > start && name[end - 1] === other[otherEnd - 1]) end--, otherEnd--;
  const [a, b] = [name.slice(start, end), other.slice(start, otherEnd)];
  return a.length <= 1 && b.length <= 1 || a.length === 2 && a[0] === b[1] && a[1] === b[0];
}

/** A whole number from the query; throws a 400 that names the parameter, the rule and the value. */
export function intParam(
  query: URLSearchParams,
  name: string,
  { min, max, fallback }: { min: number; max: number; fallback: number },
): number {
  const value = query.get(name);
  const number = value === null ? fallback : parseWhole(value, min, max);
  if (number !== undefined) return number;
  const rule = `${name} must be a whole number from ${min} to ${max}`;
  throw new HttpError(400, `${rule}: current value is ${quote(value!)}`);
}

/** Decimal digits as a number; undefined for anything else, and for a number out of bounds. */
export function parseWhole(value: string, min: number, max: number): number | undefined {
  const number = /^[0-9]{1,15}$/.test(value) ? Number(value) : NaN;
  return number >= min && number <= max ? number : undefined;
}

/** `true` or `false` (also `1` or `0`) from the query; throws a 400 for anything else. */
export function boolParam(query: URLSearchParams, name: string, fallback: boolean): boolean {
  const value = query.get(name);
  if (value === null) return fallback;
  if (value === "true" || value === "1") return true;
  if (value === "false" || value === "0") return false;
  throw new HttpError(400, `${name} must be true or false: current value is ${quote(value)}`);
}

/**
 * A name that is good in a path and in a list: `what` is "a channel's", say.
 *
 * @throws HttpError 400
 */
export function checkName(what: string, name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return name;
  throw new HttpError(
    400,
    `${what} name must be 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit: ` +
      `current value is ${quote(name)}`,
  );
}

/** A parameter that must be given and not empty; throws a 400 that names it. */
export function requiredParam(query: URLSearchParams, name: string, example: string): string {
  const value = query.get(name);
  if (value) return value;
  const shown = value === null ? "absent" : '""';
  throw new HttpError(400, `${name} must be given, as in ?${name}=${example}: current value is ${shown}`);
}
