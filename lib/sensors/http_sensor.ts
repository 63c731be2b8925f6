import type { Limits } from "../limits.ts";
import { Limiter } from "../stream/limiter.ts";
import { outbound, type OutboundError } from "../http/outbound.ts";
import type { DeclaredSensor } from "./declared.ts";
import { type Sensor, SensorError } from "./sensor.ts";

const reasons: Record<Exclude<OutboundError, "status">, string> = {
  connection: "no connection",
  timeout: "no answer in time",
  size: "the answer is too large",
  busy: "the last request is still under way",
};

/** Gets a URL and takes the number that a JSON Pointer leads to. */
export function httpSensor(
  declared: DeclaredSensor & { type: "http" },
  { outboundBytes }: Pick<Limits, "outboundBytes">,
): Sensor {
  const { id, unit, description, interval, timeout, url, pointer } = declared;
  // A place of its own: sensors that hang stop no other, nor a stream, and one at a time bounds them all. The sampler's
  // signal is the timeout.
  const options = {
    limiter: new Limiter(1),
    timeoutMs: null,
    maxBytes: outboundBytes,
    body: true,
    headers: { Accept: "application/json" },
  };
  const read = async (signal: AbortSignal) => {
    const outcome = await outbound(url, signal, options);
    if (outcome.error === "status") throw new SensorError(`HTTP status ${outcome.status}`);
    if (outcome.error !== undefined) throw new SensorError(reasons[outcome.error]);
    let value: unknown;
    try {
      value = resolvePointer(JSON.parse(outcome.body!), pointer);
    } catch {
      throw new SensorError("the answer is not JSON");
    }
    if (typeof value !== "number") throw new SensorError(`there is no number at ${JSON.stringify(pointer)}`);
    return value;
  };
  return { id, unit, description, interval, timeout, read };
}

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
