import { accepts } from "./accept.ts";
import type { Format } from "./encoders.ts";
import { HttpError } from "./errors.ts";
import { quote } from "./params.ts";

/** The media types of each format; the first is what a client that did not choose is told. */
const mediaTypes: Record<Format, string[]> = {
  text: ["text/plain"],
  ndjson: ["application/x-ndjson", "application/jsonl"],
  sse: ["text/event-stream"],
};

const contentTypes: Record<string, string> = { "text/plain": "text/plain; charset=utf-8" };

function isFormat(name: string): name is Format {
  return Object.hasOwn(mediaTypes, name);
}

/**
 * The format that a request asks for and its Content-Type: `?format=` wins over `Accept` (RFC 9110, 12.5.1), and with
 * neither it is the route's own.
 *
 * @throws HttpError 400 for an unknown `format`, 406 for an Accept that allows none
 */
export function negotiate(request: Request, url: URL, own: Format): { format: Format; contentType: string } {
  const name = url.search === "" ? null : url.searchParams.get("format");
  if (name !== null) {
    if (!isFormat(name)) {
      throw new HttpError(400, `format must be text, ndjson or sse: current value is ${quote(name)}`);
    }
    return answer(name, mediaTypes[name][0]);
  }
  const accept = request.headers.get("accept");
  if (accept === null || accept === "*/*") return answer(own, mediaTypes[own][0]);
  const offers = [own, ...Object.keys(mediaTypes).filter((format) => format !== own)] as Format[];
  const chosen = accepts(request, ...offers.flatMap((format) => mediaTypes[format]));
  if (chosen === undefined) {
    throw new HttpError(
      406,
      "Accept must allow text/plain, application/x-ndjson, application/jsonl or text/event-stream",
    );
  }
  return answer(offers.find((format) => mediaTypes[format].includes(chosen))!, chosen);
}

function answer(format: Format, type: string) {
  return { format, contentType: contentTypes[type] ?? type };
}
