import { outbound, type OutboundError } from "../http/outbound.ts";
import { Limiter } from "../stream/limiter.ts";
import type { SensorType } from "./declared.ts";
import { SensorError } from "./sensor.ts";

const reasons: Record<Exclude<OutboundError, "status">, string> = {
  connection: "no connection",
  timeout: "no answer in time",
  size: "the answer is too large",
  busy: "the last request is still under way",
};

/** A string that is a number and nothing else: of `12,5` or `0x1f` the value would be a guess. */
const numeric = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;

/** Gets the `url` and takes the number that the JSON Pointer `pointer` (the whole answer) leads to. */
export const httpSensor: SensorType = (fields, { limits }) => {
  const isUrl = (value: unknown) =>
    typeof value === "string" && /^https?:\/\//i.test(value) && URL.canParse(value);
  const url = fields.take<string>("url", "be an http or https URL", isUrl);
  const pointer = fields.text("pointer", /^(\/([^~]|~[01])*)?$/, "a JSON Pointer (RFC 6901)", "");
  const options = {
    // Of its own: a sensor that hangs stops no other, nor a stream.
    limiter: new Limiter(1),
    // The sampler's signal is the timeout.
    timeoutMs: null,
    maxBytes: limits.outboundBytes,
    body: true,
    headers: { Accept: "application/json" },
  };
  return async (signal) => {
    const outcome = await outbound(url, signal, options);
    if (outcome.error === "status") throw new SensorError(`HTTP status ${outcome.status}`);
    if (outcome.error !== undefined) throw new SensorError(reasons[outcome.error]);
    let value: unknown;
    try {
      value = resolvePointer(JSON.parse(outcome.body!), pointer);
    } catch {
      throw new SensorError("the answer is not JSON");
    }
    if (typeof value === "number") return value;
    // Many an interface writes its numbers as strings.
    if (typeof value === "string" && numeric.test(value)) return Number(value);
    throw new SensorError(`there is no number at ${JSON.stringify(pointer)}`);
  };
};

/** What a JSON Pointer leads to (RFC 6901, 4), or undefined. */
export function resolvePointer(value: unknown, pointer: string): unknown {
  for (const token of pointer.split("/").slice(1)) {
    const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    if (Array.isArray(value) && !/^(0|[1-9]\d*)$/.test(key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
