import type { Report } from "./errors.ts";
import type { Ending } from "./formats/format.ts";
import type { StreamCounts } from "./stream_counts.ts";

/** Where a `LiveStream` puts its chunks: a body's controller, or a socket, which calls `pull` when it wants the next. */
export interface Outlet {
  /** Takes a chunk. */
  enqueue(chunk: Uint8Array): void;
  /** There is no more. */
  close(): void;
  /** What comes after what was taken is lost. */
  error(error: unknown): void;
}

/** What the response, or the socket, around a `LiveStream` hears of it. */
export interface LiveStreamHooks {
  /** The cursor that the client came with. */
  readonly cursor?: string;
  /** What is counted of it. */
  readonly counts: StreamCounts;
  /** Reports a failure inside. */
  readonly report: Report;
  /** Called with the first value, before it is encoded: the records that go before it. */
  preamble(first: unknown): string;
  /** A gap is about to be sent. */
  missed(): void;
  /** There is something to send: an event, the end or a failure. */
  started(): void;
  /** The first turn has ended with nothing to send. */
  quiet(): void;
  /** No more values are wanted: aborts the source's signal. May be called twice. */
  stop(): void;
  /** Bytes were handed over. */
  sent(bytes: number): void;
  /** Called once, when the reader has everything or will get no more. */
  ended(how: "complete" | "cut", reason: Ending): void;
  /** Called once, after `ended`, when the generator has finished its cleanup. */
  released(): void;
}
