import type { Limiter } from "../stream/limiter.ts";

/** Why an outbound request gave nothing: by kind, never with the inner message, which may tell of the inside. */
export type OutboundError = "status" | "connection" | "timeout" | "size" | "busy";

/**
 * How an outbound request went; `ms` from its start to the last byte of its body. `body` is there when it was asked for.
 *
 * - `status`: the answer was not a 2xx; redirects are not followed
 * - `connection`: no answer, or the connection broke before its end
 * - `timeout`: it was not complete in time
 * - `size`: its body has more than `maxBytes`
 * - `busy`: all places were taken, so it was not sent
 */
export type Outcome =
  | { status: number; ms: number; error?: undefined; body?: string }
  | { error: "status"; status: number; ms: number }
  | { error: Exclude<OutboundError, "status">; ms: number };

/** Bounds and contents of an outbound request. */
export interface OutboundOptions {
  /** Requests under way at once; when it is full nothing is sent. */
  limiter: Limiter;
  /** Time until its body must be complete, in ms; null when the signal is its timeout. */
  timeoutMs: number | null;
  /** Bytes of the response's body. */
  maxBytes: number;
  /** Whether the outcome has the body. Default: false. */
  body?: boolean;
  /** Request headers. */
  headers?: Record<string, string>;
}

/**
 * Sends a GET within these limits and reads its body to the end, so that the connection can be used again. A
 * failure is an outcome; only the abort of `signal` rejects, with its reason.
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
  let late = false;
  const giveUp = () => {
    late = true;
    controller.abort();
  };
  const timer = timeoutMs === null ? undefined : setTimeout(giveUp, timeoutMs);
  const gone = () => controller.abort();
  signal.addEventListener("abort", gone, { once: true });
  try {
    const response = await fetch(url, { redirect: "manual", signal: controller.signal, headers });
    const text = await read(response.body, maxBytes, body);
    if (!response.ok) return { error: "status", status: response.status, ms: ms() };
    if (text === null) return { error: "size", ms: ms() };
    return body ? { status: response.status, ms: ms(), body: text } : { status: response.status, ms: ms() };
  } catch {
    signal.throwIfAborted();
    return { error: late ? "timeout" : "connection", ms: ms() };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", gone);
    permit.release();
  }
}

/** The body's text when it is wanted, else ""; null, and the body cancelled, beyond `maxBytes`. */
async function read(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
  wanted: boolean,
): Promise<string | null> {
  if (body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  // Leaving the loop early cancels the body.
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) return null;
    if (wanted) text += decoder.decode(chunk, { stream: true });
  }
  return wanted ? text + decoder.decode() : "";
}
