import type { Limits } from "../limits.ts";
import { HttpError, quote, shuttingDown } from "../stream/errors.ts";

/** Reads request bodies, each and all of them within bounds. */
export class RequestBodies {
  #held = 0;

  /** Bodies within these limits. `draining` aborts when the server begins to drain. */
  constructor(
    readonly limits: Pick<Limits, "bodyBytes" | "bodyMs" | "bodiesBytes">,
    readonly draining?: AbortSignal,
  ) {}

  /** Bytes of bodies that are being read now. */
  get held(): number {
    return this.#held;
  }

  /**
   * The whole body as text. A client that is slow, or stops half-way, holds nothing here for longer than `bodyMs`; its
   * connection stays until it goes, since Deno does not close one with a read under way.
   *
   * @throws HttpError 413 when it is too large (by its Content-Length, before anything is read), 408 when it is too slow,
   * 503 when too much is being read at once or the server goes away, 415 for a coding or charset, 400 when it breaks off or is
   * not UTF-8
   */
  async text(request: Request): Promise<string> {
    const { bodyBytes, bodyMs } = this.limits;
    checkCoding(request.headers);
    if (Number(request.headers.get("content-length") ?? 0) > bodyBytes) throw tooLarge(bodyBytes);
    if (request.body === null) return "";
    const reader = request.body.getReader();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reader.cancel().catch(() => {});
    }, bodyMs);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    try {
      for (;;) {
        const { value, done } = await reader.read();
        // A cancelled body reads as one that has ended.
        if (late) {
          throw new HttpError(408, `the body must be there within ${bodyMs} ms`, {
            headers: { Connection: "close" },
          });
        }
        if (done) break;
        bytes += value.length;
        this.#held += value.length;
        if (bytes > bodyBytes) throw tooLarge(bodyBytes);
        if (this.#held > this.limits.bodiesBytes) {
          throw new HttpError(503, "too many bodies at once", {
            headers: { "Retry-After": "1", Connection: "close" },
          });
        }
        chunks.push(value);
      }
    } catch (error) {
      reader.cancel().catch(() => {});
      if (error instanceof HttpError) throw error;
      // The drain, too, ends what is half there; the client may come back with all of it.
      if (this.draining?.aborted) throw shuttingDown();
      throw new HttpError(400, "the body must not break off", { cause: error });
    } finally {
      clearTimeout(timer);
      this.#held -= bytes;
    }
    return decode(chunks, bytes);
  }
}

/** What would be read as other characters than were meant is refused (RFC 9110, 8.4 and 15.5.16). */
function checkCoding(headers: Headers): void {
  const coding = headers.get("content-encoding") || "identity";
  if (coding.toLowerCase() !== "identity") {
    throw new HttpError(415, `the body must have no Content-Encoding: current value is ${quote(coding)}`, {
      headers: { "Accept-Encoding": "identity" },
    });
  }
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(headers.get("content-type") ?? "")?.[1] ?? "utf-8";
  if (!/^(utf-?8|(us-)?ascii)$/i.test(charset)) {
    throw new HttpError(415, `the body must be UTF-8: the charset is ${quote(charset)}`);
  }
}

function tooLarge(max: number): HttpError {
  // What is left of the body is not read, so the connection cannot go on.
  return new HttpError(413, `the body must have at most ${max} bytes`, { headers: { Connection: "close" } });
}

function decode(chunks: Uint8Array[], bytes: number): string {
  let whole = chunks[0] ?? new Uint8Array();
  if (chunks.length > 1) {
    whole = new Uint8Array(bytes);
    let at = 0;
    for (const chunk of chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(whole);
  } catch {
    throw new HttpError(400, "the body must be UTF-8");
  }
}
