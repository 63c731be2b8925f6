import { HttpError, quote } from "../stream/errors.ts";

/**
 * A whole number from the query, within its bounds.
 *
 * @throws HttpError 400 that names the parameter, the rule and the value
 */
export function intParam(
  query: URLSearchParams,
  name: string,
  { min, max, fallback }: { min: number; max: number; fallback: number },
): number {
  const value = query.get(name);
  const number = value === null ? fallback : parseWhole(value, min, max);
  if (number !== undefined) return number;
  throw new HttpError(
    400,
    `${name} must be a whole number from ${min} to ${max}: current value is ${quote(value!)}`,
  );
}

/** Parses decimal digits; undefined when there is anything else or the number is out of bounds. */
export function parseWhole(value: string, min: number, max: number): number | undefined {
  const number = /^[0-9]{1,15}$/.test(value) ? Number(value) : NaN;
  return number >= min && number <= max ? number : undefined;
}

/**
 * `true` or `false` from the query (also `1` and `0`).
 *
 * @throws HttpError 400 that names the parameter, the rule and the value
 */
export function boolParam(query: URLSearchParams, name: string, fallback: boolean): boolean {
  const value = query.get(name);
  if (value === null) return fallback;
  if (value === "true" || value === "1") return true;
  if (value === "false" || value === "0") return false;
  throw new HttpError(400, `${name} must be true or false: current value is ${quote(value)}`);
}

/**
 * A parameter that must be given and not empty.
 *
 * @throws HttpError 400 that names the parameter
 */
export function requiredParam(query: URLSearchParams, name: string, example: string): string {
  const value = query.get(name);
  if (value) return value;
  throw new HttpError(
    400,
    `${name} must be given, as in ?${name}=${example}: current value is ${value === null ? "absent" : '""'}`,
  );
}
