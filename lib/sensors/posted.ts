import { object } from "../http/answers.ts";
import type { Description } from "../http/description.ts";
import { HttpError, quote } from "../stream/errors.ts";

/** The body of a posted reading. */
export const postedBody: Description["body"] = {
  description: 'a number, or `{"value": number}`, whatever the Content-Type',
  content: { "application/json": { anyOf: [{ type: "number" }, object({ value: "number" })] } },
};

/**
 * The value in a posted body.
 *
 * @throws HttpError 400
 */
export function postedNumber(body: string): number {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch { /* refused below */ }
  if (typeof value === "object" && value !== null && "value" in value) value = value.value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  const rule = 'the body must be a JSON number or {"value": number}';
  throw new HttpError(400, `${rule}: current value is ${quote(body)}`);
}
