import { HttpError, quote } from "../stream/errors.ts";

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

/** A parameter that must be given and not empty; throws a 400 that names it. */
export function requiredParam(query: URLSearchParams, name: string, example: string): string {
  const value = query.get(name);
  if (value) return value;
  const shown = value === null ? "absent" : '""';
  throw new HttpError(400, `${name} must be given, as in ?${name}=${example}: current value is ${shown}`);
}
