import { HttpError, quote } from "../stream/errors.ts";
import type { Param } from "./params.ts";

/** The parameters of a route, by their names. */
export type Params = Readonly<Record<string, Param>>;

/** The values of the parameters. */
export type Values<P extends Params> = {
  readonly [Name in keyof P]: P[Name] extends Param<infer T> ? T : never;
};

/**
 * What reads these parameters from a query, beside the `segments` of the path, and throws a 400 that names the parameter,
 * the rule and the value. Other names are ignored, unless one looks like a slip of the pen.
 */
export function paramReader<P extends Params>(
  params: P,
): (query: URLSearchParams, segments: Readonly<Record<string, string>>) => Values<P> {
  const known = new Map(Object.entries(params).filter(([, param]) => param.in === undefined));
  const names = [...known.keys()];
  const required = names.filter((name) => known.get(name)!.required);
  const optional = names.filter((name) => !required.includes(name));
  const defaults = Object.fromEntries(optional.map((name) => [name, known.get(name)!.read([], name)]));
  return (query, segments) => {
    const values: Record<string, unknown> = { ...defaults, ...segments };
    if (query.size > 0) {
      const given: string[] = [];
      // One look at the query takes a fourth of one for each known name.
      query.forEach((_value, name) => {
        if (known.has(name) && !given.includes(name)) given.push(name);
      });
      // Most queries hold known names alone, each once, and to see that costs a fifth of the rest.
      if (given.length !== query.size) checkNames(query, known);
      for (const name of given) {
        const { atMost, read } = known.get(name)!;
        values[name] = read(atMost === undefined ? [query.get(name)!] : query.getAll(name), name);
      }
    }
    for (const name of required) values[name] ??= known.get(name)!.read([], name);
    return values as Values<P>;
  };
}

/** Checks that no name is a misspelt one, and none is given too often. */
function checkNames(query: URLSearchParams, known: ReadonlyMap<string, Param>): void {
  for (const name of new Set(query.keys())) {
    const param = known.get(name);
    if (param !== undefined) checkTimes(name, query.getAll(name), param);
    else {
      const meant = known.keys().find((known) => known.length >= 5 && isSlip(name, known));
      if (meant === undefined) continue;
      throw new HttpError(400, `the parameter's name must be ${meant}: current value is ${quote(name)}`);
    }
  }
}

function checkTimes(name: string, values: readonly string[], { atMost }: Param): void {
  if (values.length <= (atMost ?? 1)) return;
  if (atMost !== undefined) {
    const rule = `${name} must be given at most ${atMost} times`;
    throw new HttpError(400, `${rule}: current value is ${values.length}`);
  }
  const given = values.slice(0, 3).map(quote).join(" and ") + (values.length > 3 ? " and more" : "");
  throw new HttpError(400, `${name} must be given once: current values are ${given}`);
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
