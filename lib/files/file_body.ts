import { CutError, quote } from "../stream/errors.ts";
import type { Exchange } from "../stream/exchange.ts";
import type { Permit } from "../stream/limiter.ts";
import type { OpenBody } from "../stream/open_bodies.ts";

/** What a body is read from. */
export interface BodyReader {
  /** Bytes left, Infinity while that is not known. */
  readonly left: number;
  /** The next bytes; none at an end that was not known, null for a file that has become shorter, or was overwritten. */
  read(viewBytes: number): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Closes what is open, also under a read. */
  cancel(): void;
}

/**
 * Bytes of the views that a file is read into. 256 KiB is as fast as Go's sendfile, 128 KiB a quarter slower. The HTTP server
 * holds several chunks of each download: 100 slow ones take 50 MB with 128 KiB, 86 with 256, 133 with 512.
 */
const viewBytes = 256 * 1024;

/** Seconds without a read after which a download is cut: it holds a file and a permit. */
const stalledSeconds = 300;

/**
 * The pieces of a file as a response body. One chunk is read for each that is asked for, so the client sets the pace. A file
 * that has become shorter, or was overwritten, fails the body, which resets the connection: nothing short or mixed may look whole.
 *
 * The body owns the reader and the permit, and gives both back at its end. `name` is the file's, for the operator.
 */
export function fileBody(
  exchange: Pick<Exchange, "method" | "url" | "allowed" | "bodies" | "overTcp" | "opened" | "sent" | "ended">,
  reader: BodyReader,
  permit: Permit,
  name: string,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  let chunk: Uint8Array<ArrayBuffer> | null = null;
  let idleSeconds = 0;
  let ended = false;

  const cut = (why: string) =>
    new CutError(why, `${exchange.method} ${exchange.url.pathname}: the download of ${quote(name)}`);

  const open: OpenBody = {
    tick() {
      if (++idleSeconds >= stalledSeconds) {
        controller.error(cut("nothing was read for five minutes"));
        end();
      }
      return false;
    },
    drain(why) {
      if (why === "shutdown") return; // A download goes on.
      controller.error(cut("its client is no longer allowed it"));
      end(false);
    },
    cancel: () => end(false),
  };

  const end = (isWhole = reader.left === 0) => {
    if (ended) return;
    ended = true;
    exchange.bodies.delete(open);
    reader.cancel();
    permit.release();
    exchange.ended(isWhole ? "complete" : "cut");
  };

  exchange.opened();
  exchange.bodies.add(open, exchange.allowed);
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(given) {
      controller = given;
    },
    async pull() {
      if (reader.left === 0) {
        controller.close();
        return end();
      }
      // Frees our half of it now instead of at the next garbage collection; over TCP nobody else reads it again.
      if (exchange.overTcp) chunk?.buffer.transfer(0);
      try {
        chunk = await reader.read(viewBytes);
        if (ended) return;
        if (chunk === null) throw new Error("it became shorter, or was overwritten, while it was sent");
      } catch (error) {
        end(false);
        throw cut((error as Error).message);
      }
      if (chunk.length === 0) {
        controller.close();
        return end();
      }
      exchange.sent(chunk.length);
      idleSeconds = 0;
      // Last of all: the server may cancel from within this call.
      controller.enqueue(chunk);
    },
    cancel: () => end(),
  }, { highWaterMark: 0 });
}
