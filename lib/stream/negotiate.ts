import { accepts as preferred } from "@std/http/negotiation";
import { HttpError, quote } from "./errors.ts";
import type { Format } from "./formats/format.ts";
import { type FormatName, formats } from "./formats/table.ts";

/** A parameter other than the weight; in a quoted value a semicolon or comma ends nothing. */
const parameter = /;(?!\s*q=)(?:[^",;]|"(?:[^"\\]|\\.)*"?)*/gi;

/**
 * Which of `types` the request prefers, the first when it does not say; undefined when it allows none. There is one
 * representation of each type here, so a range with parameters (`text/plain; charset=utf-8`) asks for the type itself
 * (RFC 9110, 12.5.1), where `@std` would compare them.
 */
export function accepts(headers: Headers, ...types: string[]): string | undefined {
  const accept = headers.get("accept");
  if (accept === null) return types[0];
  return preferred({ headers: new Headers({ accept: accept.replace(parameter, "") }) }, ...types);
}

/** The format of a response and its Content-Type. */
export interface Negotiated {
  /** What its events are written in. */
  format: Format;
  /** The one of the format's media types that the client prefers. */
  contentType: string;
}

/** Each format with its first media type, by its name. */
const byName: ReadonlyMap<string, Negotiated> = new Map(
  formats.map((format) => [format.name, { format, contentType: format.mediaTypes[0] }]),
);

/** Each format with each of its media types, by that type without parameters. */
const byType: ReadonlyMap<string, Negotiated> = new Map(
  formats.flatMap((format) =>
    format.mediaTypes.map((contentType) => [contentType.split(";", 1)[0], { format, contentType }])
  ),
);

const all = formats.map(({ name }) => name);

/** The media types of each format, without parameters, by its name. */
const typesOf: ReadonlyMap<string, string[]> = Map.groupBy(
  byType.keys(),
  (type) => byType.get(type)!.format.name,
);

const list = (words: readonly string[]) => `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;

/**
 * The format that a request asks for: `?format=` wins over `Accept` (RFC 9110, 12.5.1), and with neither it is the route's
 * own. `names`: the formats that the route has.
 *
 * @throws HttpError 400 for an unknown `format`, 406 for an Accept that allows none
 */
export function negotiate(
  { headers, query }: { headers: Headers; query: URLSearchParams },
  own: FormatName,
  names: readonly FormatName[] = all,
): Negotiated {
  const name = query.get("format");
  if (name !== null) {
    const chosen = byName.get(name);
    if (chosen !== undefined && names.includes(name as FormatName)) return chosen;
    throw new HttpError(400, `format must be ${list(names)}: current value is ${quote(name)}`);
  }
  const accept = headers.get("accept");
  const usual = byName.get(own)!;
  if (accept === null || accept === "*/*") return usual;
  const types = names.flatMap((name) => typesOf.get(name)!);
  // The route's own format comes first: it wins where the client has no preference.
  const first = typesOf.get(own)!;
  const chosen = accepts(headers, ...first, ...types);
  if (chosen === undefined) {
    throw new HttpError(406, `Accept must allow ${list(types)}: current value is ${quote(accept)}`);
  }
  return byType.get(chosen)!;
}
