import { accepts as preferred } from "@std/http/negotiation";

/** A parameter other than the weight; in a quoted value a semicolon or comma ends nothing. */
const parameter = /;(?!\s*q=)(?:[^",;]|"(?:[^"\\]|\\.)*"?)*/gi;

/**
 * Which of `types` the request prefers, the first when it does not say; undefined when it allows none. There is one
 * representation of each type here, so a range with parameters (`text/plain; charset=utf-8`) asks for the type itself
 * (RFC 9110, 12.5.1), where `@std` would compare them.
 */
export function accepts(request: Request, ...types: string[]): string | undefined {
  const accept = request.headers.get("accept");
  if (accept === null) return types[0];
  return preferred({ headers: new Headers({ accept: accept.replace(parameter, "") }) }, ...types);
}
