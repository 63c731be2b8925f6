import { HttpError, quote } from "../stream/errors.ts";
import { JsonText } from "../stream/event.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A value that is at hand. */
export function valueOf(value: unknown): JsonText {
  return new JsonText(JSON.stringify(value) ?? "null");
}

/**
 * A value that came as JSON text, kept as it was written: a number beyond 2^53 keeps its digits.
 *
 * @throws SyntaxError when it is not JSON, RangeError for a string with half of a surrogate pair: a reader of text would get
 * another character
 */
export function valueOfJson(json: string): JsonText {
  const value = JSON.parse(json);
  if (typeof value === "string" && !value.isWellFormed()) throw new RangeError("half of a surrogate pair");
  // Valid JSON has line ends only where white space may stand.
  const line = json.replace(/[\r\n]+/g, " ").trim();
  // A copy, because a slice of a posted body would keep all of that body.
  return new JsonText(decoder.decode(encoder.encode(line)));
}

/**
 * A value as people type it: what it says as JSON, else its text.
 *
 * @throws HttpError 400 for a string in JSON with half of a surrogate pair
 */
export function valueOfTyped(text: string): JsonText {
  try {
    return valueOfJson(text);
  } catch (error) {
    if (error instanceof SyntaxError) return valueOf(text);
    throw new HttpError(400, `the message must be whole characters: current value is ${quote(text)}`);
  }
}
