import { isJson, mediaType } from "../http/media_type.ts";
import { afterOthers } from "../stream/clock.ts";
import { HttpError, quote } from "../stream/errors.ts";
import type { JsonText } from "../stream/event.ts";
import { valueOf, valueOfJson } from "./value.ts";

/** Lines parsed per event-loop turn, so that others get turns in between. */
const perTurn = 256;

/**
 * The values in a posted body, by its Content-Type: one text for `text/plain`, one JSON value a line for
 * `application/x-ndjson` and `application/jsonl`, else one JSON value (curl's `-d` says
 * `application/x-www-form-urlencoded`, which is taken for JSON as well).
 *
 * @throws HttpError 400 that names the line which is not JSON, or is a text with half of a surrogate pair; 415 for another
 * type or one that does not parse
 */
export async function postedValues(contentType: string | null, body: string): Promise<JsonText[]> {
  const { type } = mediaType(contentType);
  if (type === "text/plain") return [valueOf(body)];
  if (type === "application/x-ndjson" || type === "application/jsonl") return await manyValues(body);
  if (!isJson(type)) {
    const rule = "must be application/json, application/x-ndjson, application/jsonl or text/plain";
    throw new HttpError(415, `Content-Type ${rule}: current value is ${quote(type)}`);
  }
  return [parse(body, "the body", " (a text is posted with Content-Type: text/plain)")];
}

async function manyValues(body: string): Promise<JsonText[]> {
  const values: JsonText[] = [];
  // Not split: half a million lines at once would be an array of them all.
  for (let line = 1, from = 0, end = 0; end < body.length; line++, from = end + 1) {
    if (line % perTurn === 0) await new Promise<void>(afterOthers);
    end = body.indexOf("\n", from);
    if (end === -1) end = body.length;
    const text = body.slice(from, end);
    // An empty line, such as an editor leaves at the end, is nothing.
    if (/^[ \t\r]*$/.test(text)) continue;
    values.push(parse(text, `line ${line}`));
  }
  if (values.length === 0) throw new HttpError(400, "the body must hold at least one line of JSON");
  return values;
}

function parse(text: string, name: string, hint = ""): JsonText {
  try {
    return valueOfJson(text);
  } catch (error) {
    const rule = error instanceof RangeError ? "be whole characters" : "be JSON";
    throw new HttpError(400, `${name} must ${rule}: current value is ${quote(text)}${hint}`);
  }
}
