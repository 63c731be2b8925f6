import type { Value } from "./channel.ts";

/** A value that is at hand. */
export function valueOf(value: unknown, tag?: string): Value {
  return { json: JSON.stringify(value) ?? "null", text: typeof value === "string" ? value : null, tag };
}

/**
 * A value that came as JSON text, kept as it was written: a number beyond 2^53 keeps its digits.
 *
 * @throws SyntaxError when it is not JSON
 */
export function valueOfJson(json: string): Value {
  const parsed: unknown = JSON.parse(json);
  // Valid JSON has line ends only where white space may stand.
  return { json: json.replace(/[\r\n]+/g, " ").trim(), text: typeof parsed === "string" ? parsed : null };
}
