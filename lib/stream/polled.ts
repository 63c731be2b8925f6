import { StreamEnd } from "./errors.ts";
import type { Feed, StreamItem, Wanted } from "./source.ts";

const over: IteratorReturnResult<undefined> = { value: undefined, done: true };

/** A {@linkcode Feed} that is what an async generator would be, without its promises where it is polled. */
export abstract class Polled implements AsyncIterableIterator<StreamItem>, Feed {
  #leaving: Promise<void> | null = null;

  /** Whether it has been returned: nothing more comes. */
  get ended(): boolean {
    return this.#leaving !== null;
  }

  /** Its signal is listened to only where a `next()` waits: whoever polls it returns it, and most are quiet for long. */
  constructor(readonly wanted: Wanted) {}

  abstract poll(ready: () => void): StreamItem | null;

  /** Lets go of what it holds, and calls the `ready` that waits; called once. */
  protected abstract leave(): Promise<void>;

  /** The signal aborts. Who returns it afterwards gets what fails in its cleanup. */
  handleEvent(): void {
    this.return().catch(() => {});
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<StreamItem, undefined>> {
    const { signal } = this.wanted;
    for (;;) {
      if (signal.aborted && !this.ended) await this.return();
      const { promise, resolve } = Promise.withResolvers<void>();
      try {
        const value = this.poll(resolve);
        if (this.ended) return over;
        if (value !== null) return { value, done: false };
      } catch (error) {
        if (error instanceof StreamEnd && error.reason === "complete") return over;
        throw error;
      }
      signal.addEventListener("abort", this);
      await promise;
      signal.removeEventListener("abort", this);
    }
  }

  /** Ends it, at once: a `next()` that waits ends. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    if (this.#leaving === null) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#leaving = promise;
      resolve(this.leave());
    }
    await this.#leaving;
    return over;
  }
}
