import { LimitedBytesTransformStream, toText } from "@std/streams";
import type { Limiter } from "../stream/limiter.ts";

/** Why an outbound request failed: by kind, since the inner message may reveal the inside. */
export type OutboundError =
  | "status" // no 2xx; redirects are not followed
  | "connection" // no response, or the connection broke before its end
  | "timeout" // the response was not complete in time
  | "size" // its body has more than `maxBytes`
  | "busy"; // no permit was free, so nothing was sent

/** How an outbound request went, in `ms` from its start to the last byte of its body. */
export type Outcome =
  | { status: number; ms: number; error?: undefined; body?: string }
  | { error: "status"; status: number; ms: number }
  | { error: Exclude<OutboundError, "status">; ms: number };

/** Limits and contents of an outbound request. */
export interface OutboundOptions {
  /** Requests under way at once; without a permit nothing is sent. */
  limiter: Limiter;
  /** Time for the whole response, in ms; null when the signal is its timeout. */
  timeoutMs: number | null;
  /** Bytes of the response's body. */
  maxBytes: number;
  /** Whether the outcome has the body. Default: false. */
  body?: boolean;
  headers?: Record<string, string>;
}

/**
 * Sends a GET and reads its body to the end, so that the connection can be used again. A failure is an outcome; only an abort
 * of `signal` rejects, with its reason.
 */
export async function outbound(
  url: string,
  signal: AbortSignal,
  { limiter, timeoutMs, maxBytes, body = false, headers }: OutboundOptions,
): Promise<Outcome> {
  signal.throwIfAborted();
  const permit = limiter.tryAcquire();
  if (permit === null) return { error: "busy", ms: 0 };
  const start = performance.now();
  const ms = () => Math.round((performance.now() - start) * 10) / 10;
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = timeoutMs === null ? undefined : setTimeout(abort, timeoutMs);
  signal.addEventListener("abort", abort);
  let response: Response | undefined;
  try {
    response = await fetch(url, { redirect: "manual", signal: controller.signal, headers });
    const bounded = (response.body ?? ReadableStream.from([]))
      .pipeThrough(new LimitedBytesTransformStream(maxBytes, { error: true }));
    if (!body) await bounded.pipeTo(new WritableStream());
    const text = body ? { body: await toText(bounded) } : {};
    if (response.ok) return { status: response.status, ms: ms(), ...text };
  } catch (error) {
    signal.throwIfAborted();
    if (response === undefined || !(error instanceof RangeError)) {
      return { error: controller.signal.aborted ? "timeout" : "connection", ms: ms() };
    }
    if (response.ok) return { error: "size", ms: ms() };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    permit.release();
  }
  return { error: "status", status: response.status, ms: ms() };
}
