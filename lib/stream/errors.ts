import { json } from "./json.ts";
import { stderr } from "./printer.ts";

/**
 * An error that a client may see: its status and a message written for the public. The `cause` stays inside and
 * reaches the log only when the status is 500 or above.
 */
export class HttpError extends Error {
  /** The error's name. */
  override name = "HttpError";

  /** `headers` go out with the error, and `details` beside the message in its body. */
  constructor(
    readonly status: number,
    publicMessage: string,
    readonly options: {
      cause?: unknown;
      headers?: Record<string, string>;
      details?: Record<string, unknown>;
    } = {},
  ) {
    super(publicMessage, { cause: options.cause });
    if (!(Number.isInteger(status) && status >= 400 && status <= 599)) {
      throw new RangeError(
        `Cannot make an HttpError as 'status' must be from 400 to 599: current value is ${status}`,
      );
    }
  }
}

/** The 503 of a limit that is reached: `Retry-After` is in seconds (RFC 9110, 10.2.3). */
export function overloaded(what: string, max: number, retryAfter = 1): HttpError {
  return new HttpError(503, `too many ${what}: at most ${max} at once`, {
    headers: { "Retry-After": String(retryAfter) },
  });
}

/** The 503 of a server that is draining; its connections end. */
export function shuttingDown(): HttpError {
  return new HttpError(503, "the server is shutting down", {
    headers: { "Retry-After": "2", Connection: "close" },
  });
}

/**
 * Thrown by a source, ends its stream with a reason that the reader gets: what it was of has been cancelled, is no longer
 * here, or is no longer allowed to it. It is no failure, and is not reported.
 *
 * @example
 * ```ts
 * import { exchange, StreamEnd, streamResponse } from "@weir/weir";
 * import { assertEquals } from "@std/assert";
 *
 * const request = new Request("http://localhost/?format=ndjson");
 * const response = await streamResponse(exchange(request), async function* () {
 *   yield "step 1";
 *   throw new StreamEnd("cancelled");
 * });
 * assertEquals(await response.text(), '{"data":"step 1"}\n{"event":"end","data":{"reason":"cancelled"}}\n');
 * ```
 */
export class StreamEnd extends Error {
  /** The error's name. */
  override name = "StreamEnd";

  /** A stream's end; `error`: what it was of has failed, which was reported there. */
  constructor(readonly reason: "complete" | "error" | "cancelled" | "lost" | "revoked") {
    super(`the stream has ended: ${reason}`);
  }
}

/** What a body is errored with to reset its connection. Deno prints it, and one line says it all. */
export class CutError extends Error {
  /** `why`, and `what` was cut, are for the operator. */
  constructor(why: string, what = "a response") {
    super(why);
    this.stack = `${what} was cut: ${why}`;
  }
}

/** Where a failure inside is reported, for the operator; `id` is that of the request, where there is one. */
export type Report = (message: string, error?: unknown, id?: string) => void;

/** Prints to stderr, and does not wait for its reader. */
export const printReport: Report = (message, error) =>
  stderr.print(error === undefined ? message : `${message}: ${Deno.inspect(error)}`);

/**
 * The one place that writes an error body: `{"error": message}`, and the error's details. An error that is not an HttpError becomes a 500 that
 * says nothing of the inside and is reported.
 */
export function errorResponse(error: unknown, report: Report = printReport): Response {
  const known = error instanceof HttpError;
  const status = known ? error.status : 500;
  if (status >= 500 && status !== 503) report("a request failed", error);
  const headers = { "Cache-Control": "no-store", ...(known ? error.options.headers : {}) };
  const body = known
    ? { error: error.message, ...error.options.details }
    : { error: "internal server error" };
  return json(body, { status, headers });
}

/** A client's own text, quoted and cut for a message. */
export function quote(value: string): string {
  return JSON.stringify(value.length > 80 ? value.slice(0, 80) + "…" : value);
}
