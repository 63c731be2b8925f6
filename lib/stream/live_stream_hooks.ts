import type { Report } from "./errors.ts";

/** What the response around a `LiveStream` hears of it. */
export interface LiveStreamHooks {
  /** The cursor that the client came with. */
  readonly cursor?: string;
  /** Reports a failure inside. */
  readonly report: Report;
  /** Called with the first value, before it is encoded: the records that go before it. */
  preamble(first: unknown): string;
  /** There is something to send: an event, the end or a failure. */
  started(): void;
  /** The first turn has ended with nothing to send. */
  quiet(): void;
  /** No more values are wanted: aborts the source's signal. May be called twice. */
  stop(): void;
  /** Bytes were handed over. */
  sent(bytes: number): void;
  /** Called once, when the reader has everything or will get no more. */
  ended(how: "complete" | "cut"): void;
  /** Called once, after `ended`, when the generator has finished its cleanup. */
  released(): void;
}
