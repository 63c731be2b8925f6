import { endOfTurn } from "./clock.ts";
import type { Report } from "./errors.ts";
import type { Feed, StreamItem } from "./source.ts";

/** Where a {@linkcode Pump} puts what it gets. */
export interface Sink {
  /** Whether another item is wanted now. */
  readonly wants: boolean;
  /** Takes an item; true when its source has had its share of this turn. What it throws fails the source. */
  take(item: StreamItem): boolean;
  /** The source has ended, or has failed with an error. */
  close(failure: { error: unknown } | null): void;
}

/**
 * Asks a source for its items, one at a time and only while its sink wants one.
 *
 * Callbacks in place of an async function that loops: an idle stream keeps nothing but itself, and an item takes one
 * promise less to get through.
 */
export class Pump {
  readonly #source: AsyncIterator<StreamItem>;
  readonly #feed: Feed | null;
  /** An item has been asked for and has not come yet. */
  #asked = false;
  /** The source has had its share of this turn. */
  #resting = false;
  /** The source has ended by itself. */
  #done = false;
  /** No more items are wanted; one that still comes is dropped. */
  stopped = false;

  /** A pump that has not asked yet. */
  constructor(source: AsyncIterable<StreamItem>, readonly sink: Sink, readonly report: Report) {
    this.#source = source[Symbol.asyncIterator]();
    this.#feed = "poll" in source ? source as unknown as Feed : null;
  }

  /** The sink wants an item; a source that has had its share of the turn is asked in the next. */
  ask(): void {
    if (!this.#resting) this.#ask();
  }

  /** Returns the source, which runs a generator's `finally`, and calls back when that is done. */
  stop(released: () => void): void {
    this.stopped = true;
    // One that has ended has cleaned up, and most small streams end so.
    if (this.#done || this.#source.return === undefined) return released();
    this.#source.return().then(released, (error) => {
      this.#cleanupFailed(error);
      released();
    });
  }

  readonly #ask = (): void => {
    this.#resting = false;
    if (this.#asked || this.stopped || !this.sink.wants) return;
    if (this.#feed !== null) return this.#poll(this.#feed);
    this.#asked = true;
    this.#source.next().then(this.#settled, this.#failed);
  };

  #poll(feed: Feed): void {
    try {
      const item = feed.poll(this.#ask);
      if (item !== null) this.#take(item);
    } catch (error) {
      this.#failed(error);
    }
  }

  readonly #settled = ({ value, done }: IteratorResult<StreamItem>): void => {
    this.#asked = false;
    if (this.stopped) return;
    if (!done) return this.#take(value);
    this.#done = true;
    this.sink.close(null);
  };

  #take(item: StreamItem): void {
    let share;
    try {
      share = this.sink.take(item);
    } catch (error) {
      return this.sink.close({ error });
    }
    if (!share) return this.#ask();
    this.#resting = true;
    endOfTurn(this.#ask);
  }

  readonly #failed = (error: unknown): void => {
    this.#asked = false;
    if (!this.stopped) this.sink.close({ error });
    // Ending by the abort is no failure; anything else went wrong in the cleanup.
    else if (!(error instanceof DOMException && error.name === "AbortError")) this.#cleanupFailed(error);
  };

  #cleanupFailed(error: unknown): void {
    this.report("a generator failed in its cleanup", error);
  }
}
