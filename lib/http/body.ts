import { STATUS_CODE } from "@std/http/status";
import type { Limits } from "../limits.ts";
import { delay } from "@std/async/delay";
import { HttpError, quote, shuttingDown } from "../stream/errors.ts";
import { mediaType } from "./media_type.ts";

/** Chunks of a body read in one turn of the event loop: those of one byte, come at once, would hold up everything else. */
const perTurn = 64;

/** Reads request bodies, each and all of them within limits. */
export class RequestBodies {
  /** Bytes allocated for bodies that are being read now. */
  held = 0;

  /** `draining` aborts when the server begins to drain. */
  constructor(
    readonly limits: Pick<Limits, "bodyBytes" | "bodyMs" | "bodiesBytes">,
    readonly draining?: AbortSignal,
  ) {}

  /**
   * The whole body as text. After `bodyMs` a slow client holds nothing here but its connection, which Deno does not close
   * while a read is under way.
   *
   * @throws HttpError 413 when it is too large, 408 when it is too slow, 503 when too much is being read at once or the server
   * is draining, 415 for a coding or charset, 400 when it breaks off or is not UTF-8
   */
  async text(request: Request): Promise<string> {
    const { bodyBytes, bodyMs } = this.limits;
    const tooLarge = () =>
      closing(STATUS_CODE.ContentTooLarge, `the body must have at most ${bodyBytes} bytes`);
    checkCoding(request.headers);
    if (Number(request.headers.get("content-length")) > bodyBytes) throw tooLarge();
    if (request.body === null) return "";
    const reader = request.body.getReader();
    let late = false;
    // AbortSignal.timeout() would be held until it fires, however early the body is complete.
    const timer = setTimeout(() => {
      late = true;
      reader.cancel().catch(() => {});
    }, bodyMs);
    let buffer = new Uint8Array();
    let bytes = 0;
    try {
      for (let reads = 1;; reads++) {
        // A timer: with setImmediate, sockets and other timers still had to wait.
        if (reads % perTurn === 0) await delay(0);
        const { value, done } = await reader.read();
        // A cancelled body reads as one that has ended.
        if (late) throw closing(STATUS_CODE.RequestTimeout, `the body must arrive within ${bodyMs} ms`);
        if (done) break;
        if (bytes + value.length > bodyBytes) throw tooLarge();
        if (bytes + value.length > buffer.length) buffer = this.#grow(buffer, bytes + value.length);
        // Copied at once: Deno gives each chunk, of one byte too, as a view of a 64 KiB buffer of its own.
        buffer.set(value, bytes);
        bytes += value.length;
      }
    } catch (error) {
      reader.cancel().catch(() => {});
      if (error instanceof HttpError) throw error;
      // The drain, too, breaks off bodies; the client may come back with all of it.
      if (this.draining?.aborted) throw shuttingDown();
      throw new HttpError(STATUS_CODE.BadRequest, "the body must not break off", { cause: error });
    } finally {
      clearTimeout(timer);
      this.held -= buffer.length;
    }
    return decode(buffer.subarray(0, bytes));
  }

  /** Moves what has been read to a buffer of at least `needed` bytes; doubling keeps the copies few. */
  #grow(buffer: Uint8Array<ArrayBuffer>, needed: number): Uint8Array<ArrayBuffer> {
    const capacity = Math.max(needed, 2 * buffer.length);
    const added = capacity - buffer.length;
    if (this.held + added > this.limits.bodiesBytes) {
      throw closing(STATUS_CODE.ServiceUnavailable, "too many bodies at once", { "Retry-After": "1" });
    }
    this.held += added;
    return new Uint8Array(buffer.buffer.transfer(capacity));
  }
}

/** Refuses what would be read as other characters than were meant (RFC 9110, 8.4 and 15.5.16). */
function checkCoding(headers: Headers): void {
  const coding = headers.get("content-encoding") || "identity";
  if (coding.toLowerCase() !== "identity") {
    const message = `the body must have no Content-Encoding: current value is ${quote(coding)}`;
    const headers = { "Accept-Encoding": "identity" };
    throw new HttpError(STATUS_CODE.UnsupportedMediaType, message, { headers });
  }
  const { charset } = mediaType(headers.get("content-type"));
  if (charset && !/^(utf-?8|(us-)?ascii)$/i.test(charset)) {
    const message = `the body must be UTF-8: the charset is ${quote(charset)}`;
    throw new HttpError(STATUS_CODE.UnsupportedMediaType, message);
  }
}

/** An error that ends the connection, since the rest of the body is not read. */
function closing(status: number, message: string, headers: Record<string, string> = {}): HttpError {
  return new HttpError(status, message, { headers: { ...headers, Connection: "close" } });
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new HttpError(STATUS_CODE.BadRequest, "the body must be UTF-8");
  }
}
