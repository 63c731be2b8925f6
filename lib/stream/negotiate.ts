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

const all = formats.map(({ name }) => name);

/** A media type without its parameters. */
const bare = (type: string) => type.split(";", 1)[0];

/** What each format can be sent as, by its name: its first media type before the others. */
const byName: ReadonlyMap<string, readonly Negotiated[]> = new Map(
  formats.map((format) => [format.name, format.mediaTypes.map((contentType) => ({ format, contentType }))]),
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
    if (names.includes(name as FormatName)) return byName.get(name)![0];
    throw new HttpError(400, `format must be ${list(names)}: current value is ${quote(name)}`);
  }
  const accept = headers.get("accept");
  const usual = byName.get(own)!;
  if (accept === null || accept === "*/*") return usual[0];
  const possible = names.flatMap((name) => byName.get(name)!);
  const types = possible.map(({ contentType }) => bare(contentType));
  // The route's own format comes first: it wins where the client has no preference.
  const chosen = accepts(headers, ...usual.map(({ contentType }) => bare(contentType)), ...types);
  if (chosen !== undefined) return possible[types.indexOf(chosen)];
  throw new HttpError(406, `Accept must allow ${list(types)}: current value is ${quote(accept)}`);
}
