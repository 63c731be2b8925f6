import { type Piece, pieceLength } from "./multipart.ts";
import type { OpenFile } from "../open_file.ts";

/** Bodies up to this many bytes are read whole: no stream, no handle that stays open. */
export const wholeBytes = 64 * 1024;

/**
 * Views that the file is read into, in bytes. Large ones are fast, but a connection may hold three of them and what the
 * HTTP server queues besides (some 400 KiB), so only a reader that shows that it is fast gets them.
 */
const smallView = 64 * 1024;
const largeView = 1024 * 1024;

/** A reader is fast when it has taken this many bytes, more than the kernel's buffers hold, at this rate. */
const fastBytes = 8 * 1024 * 1024;
const fastBytesPerMs = 25_000;

/** A reader that takes nothing for this long is cut, in seconds: it holds a file and a place. */
const stalledSeconds = 300;

/** What a {@linkcode fileBody} is told, and tells. */
export interface BodyEdge {
  /** Whether a fast reader may have large views now. */
  mayHurry(): boolean;
  /** Whether the reader is done with a chunk when it asks for the next, as the HTTP server is: then it is freed at once. */
  releasesChunks: boolean;
  /** Called with the length of each chunk. */
  sent(bytes: number): void;
  /** Called once, when the body has ended: closes the file. `bytes` is what was handed over. */
  ended(how: "complete" | "cut", bytes: number): void;
}

/**
 * The pieces of a file as a response body, exactly as many bytes as they say. A file that turns out shorter fails the
 * body, which resets the connection: nothing short may look whole.
 *
 * One chunk is read for each that is asked for, so the reader sets the pace. It is read into a view of ours directly:
 * a stream of the file with a BYOB reader does the same through one more stream, and is measurably slower.
 */
export function fileBody(
  file: OpenFile,
  pieces: Piece[],
  edge: BodyEdge,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const total = pieces.reduce((sum, piece) => sum + pieceLength(piece), 0);
  let sent = 0;
  let ended = false;
  let chunk: Uint8Array<ArrayBuffer> | null = null;
  const source = new PieceReader(file, pieces);
  const pace = new Pace(edge);

  // Counted by one timer: one that is set anew for each chunk takes a tenth of the time (bench files).
  let idleSeconds = 0;
  const seconds = setInterval(() => {
    if (++idleSeconds < stalledSeconds) return;
    body.error(new Error("nothing was taken for five minutes"));
    end();
  }, 1000);

  const end = () => {
    if (ended) return;
    ended = true;
    clearInterval(seconds);
    edge.ended(sent === total ? "complete" : "cut", sent);
  };

  let body: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      body = controller;
    },
    async pull(controller) {
      if (sent === total) {
        controller.close();
        return end();
      }
      const taken = chunk?.length ?? 0;
      if (edge.releasesChunks) chunk?.buffer.transfer(0);
      try {
        chunk = await source.read(pace.view(taken));
        if (chunk === null) throw new Error("a file became shorter while it was sent");
      } catch (error) {
        end();
        throw error;
      }
      if (ended) return;
      sent += chunk.length;
      edge.sent(chunk.length);
      idleSeconds = 0;
      // Last of all: the server may cancel from within this call.
      controller.enqueue(chunk);
    },
    cancel: end,
  }, { highWaterMark: 0 });
}

/** All pieces at once, for a body of at most {@linkcode wholeBytes}; null when the file is shorter by now. */
export async function readWhole(
  file: OpenFile,
  pieces: Piece[],
  total: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const source = new PieceReader(file, pieces);
  const whole = new Uint8Array(total);
  for (let at = 0; at < total;) {
    const chunk = await source.read(total - at);
    if (chunk === null || chunk.length === total) return chunk;
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Reads the pieces one after another. */
class PieceReader {
  readonly #pieces: Iterator<Piece>;
  /** Where the range that is being read goes on. */
  #at = 0;
  /** What is left of it. */
  #left = 0;

  constructor(readonly file: OpenFile, pieces: Piece[]) {
    this.#pieces = pieces.values();
  }

  /** The next bytes, of a range at most `view` of them; null when the file has ended before its pieces. */
  async read(view: number): Promise<Uint8Array<ArrayBuffer> | null> {
    if (this.#left === 0) {
      const piece = this.#pieces.next().value!;
      if (!("first" in piece)) return piece;
      this.#at = piece.first;
      this.#left = pieceLength(piece);
    }
    const chunk = new Uint8Array(Math.min(view, this.#left));
    const read = await this.file.read(chunk, this.#at);
    if (read === 0) return null;
    this.#at += read;
    this.#left -= read;
    return read === chunk.length ? chunk : chunk.subarray(0, read);
  }
}

/** Finds out how fast the reader is, and how large its views may be. */
class Pace {
  #view = smallView;
  #start = performance.now();
  #bytes = 0;

  constructor(readonly edge: BodyEdge) {}

  /** The size of the next view, now that the reader has taken `bytes` more. */
  view(bytes: number): number {
    this.#bytes += bytes;
    const now = performance.now();
    // A hiccup of 20 ms is forgiven: the machine may be busy.
    const slow = now - this.#start > this.#bytes / fastBytesPerMs + 20;
    if (slow || this.#bytes >= fastBytes) {
      this.#view = !slow && this.edge.mayHurry() ? largeView : smallView;
      this.#start = now;
      this.#bytes = 0;
    }
    return this.#view;
  }
}
