import { endOfTurn } from "./clock.ts";
import { type Report, StreamEnd } from "./errors.ts";
import { type Feed, iteratorOf } from "./source.ts";

/** Where a {@linkcode Pump} puts what it gets. */
export interface Sink {
  /** Whether another item is wanted now. */
  readonly wants: boolean;
  /** Takes a value; true when its source has had its share of this turn. What it throws fails the source. */
  take(value: unknown): boolean;
  /** The source has ended, or has failed with an error. */
  close(failure: { error: unknown } | null): void;
  /** Calls back for the next turn, after a share; `endOfTurn` where a reader sets the pace. */
  readonly rest?: (callback: () => void) => void;
}

/** Asks a source for its items, one at a time and only while its sink wants one. */
export class Pump {
  readonly #source: AsyncIterator<unknown>;
  readonly #feed: Feed | null = null;
  readonly #ready: (() => void) | null = null;
  /** An item has been asked for and has not come yet, or the source has had its share of this turn. */
  #busy = false;
  /** The source has ended by itself. */
  #done = false;
  /** No more items are wanted; one that still comes is dropped. */
  stopped = false;

  constructor(source: AsyncIterable<unknown>, readonly sink: Sink, readonly report: Report) {
    this.#source = iteratorOf(source);
    if (!("poll" in source)) return;
    this.#feed = source as unknown as Feed;
    this.#ready = () => this.#again();
  }

  ask(): void {
    if (this.#busy || this.stopped) return;
    if (this.#feed !== null) this.#poll(this.#feed);
    else this.#run();
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

  #again(): void {
    this.#busy = false;
    if (this.sink.wants) this.ask();
  }

  #poll(feed: Feed): void {
    this.#busy = true;
    try {
      for (;;) {
        const item = feed.poll(this.#ready!);
        if (item === null) this.#busy = false;
        if (item === null || this.#take(item)) return;
      }
    } catch (error) {
      this.sink.close({ error });
    }
  }

  async #run(): Promise<void> {
    this.#busy = true;
    try {
      for (;;) {
        const { value, done } = await this.#source.next();
        if (this.stopped) return;
        if (done) {
          this.#done = true;
          return this.sink.close(null);
        }
        if (this.#take(value)) return;
      }
    } catch (error) {
      if (!this.stopped) this.sink.close({ error });
      // Ending by the abort is no failure; anything else went wrong in the cleanup.
      else if (!(error instanceof DOMException && error.name === "AbortError")) this.#cleanupFailed(error);
    }
  }

  /** True when no other item is to be asked for now: none is wanted, or the source has had its share of this turn. */
  #take(value: unknown): boolean {
    const share = this.sink.take(value);
    this.#busy = share;
    if (share) (this.sink.rest ?? endOfTurn)(() => this.#again());
    if (share || !this.sink.wants || this.stopped) return true;
    this.#busy = true;
    return false;
  }

  #cleanupFailed(error: unknown): void {
    if (!(error instanceof StreamEnd)) this.report("a generator failed in its cleanup", error);
  }
}
