import type { StreamEvent } from "./event.ts";

/** How {@linkcode merge} takes a failure. */
export interface MergeOptions {
  /**
   * `"cancel"` (default): the first failure cancels the other sources, waits for their cleanup and is thrown; when others
   * fail as well, an AggregateError has them all, the first one first. `"isolate"`: a failed source yields
   * `{ event: "error", data: { source, reason: "failed" } }`, `source` being its place in the list, and the rest go on.
   */
  onError?: "cancel" | "isolate";
  /** Aborts what the sources wait for; the merge then ends as its sources do. */
  signal?: AbortSignal;
}

/** The sources of a merge, or what makes them with a signal that wakes them when it ends early. */
export type Sources<T> = Iterable<AsyncIterable<T>> | ((signal: AbortSignal) => Iterable<AsyncIterable<T>>);

/**
 * Many async iterables → one, each value as soon as it arrives. It has one value of each source in flight and asks for
 * more only when those are read, so a reader that stops stops them all; it ends with the last source; the cost of a value
 * does not depend on their number.
 *
 * `return()` can end a source only between two of its values. Sources that wait long are therefore given as a function: it
 * gets a signal that aborts when the merge ends early for whatever reason, so that they wake up at once.
 */
export function merge<T>(
  sources: Sources<T>,
  options: MergeOptions = {},
): AsyncIterableIterator<T | StreamEvent> {
  return new Merge(sources, options);
}

// Written out as an iterator: an async generator awaits each value once more to yield it, a third of the whole cost.
class Merge<T> implements AsyncIterableIterator<T | StreamEvent> {
  readonly #sources: Sources<T>;
  readonly #isolate: boolean;
  readonly #outer: AbortSignal | undefined;
  readonly #own = new AbortController();
  readonly #abort = () => this.#own.abort(this.#outer!.reason);
  /** Sources that have not ended. */
  readonly #active = new Set<AsyncIterator<T>>();
  readonly #failures: unknown[] = [];
  #values: (T | StreamEvent)[] = [];
  #read = 0;
  /** Asks the sources of `#values` for their next; they are called when those values have been read. */
  #ask: (() => void)[] = [];
  #waiting: { promise: Promise<IteratorResult<T | StreamEvent>>; resolve: (result: unknown) => void } | null =
    null;
  #state: "new" | "running" | "done" = "new";

  constructor(sources: Sources<T>, { onError = "cancel", signal }: MergeOptions) {
    this.#sources = sources;
    this.#isolate = onError === "isolate";
    this.#outer = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T | StreamEvent>> {
    if (this.#read < this.#values.length) {
      return Promise.resolve({ done: false, value: this.#values[this.#read++] });
    }
    if (this.#waiting !== null) return this.#waiting.promise.then(() => this.next());
    if (this.#state === "new") this.#start();
    if (this.#state === "done") return Promise.resolve({ done: true, value: undefined });
    this.#values = [];
    this.#read = 0;
    const { promise, resolve } = Promise.withResolvers<IteratorResult<T | StreamEvent>>();
    this.#waiting = { promise, resolve: resolve as (result: unknown) => void };
    const ask = this.#ask;
    this.#ask = [];
    for (const next of ask) next();
    this.#answer();
    return promise;
  }

  async return(): Promise<IteratorResult<T | StreamEvent>> {
    const begun = this.#state === "running";
    this.#state = "done";
    if (begun) await this.#cleanUp();
    this.#settle({ done: true, value: undefined });
    return { done: true, value: undefined };
  }

  #start(): void {
    this.#state = "running";
    if (this.#outer?.aborted) this.#abort();
    this.#outer?.addEventListener("abort", this.#abort, { once: true });
    for (
      const source of typeof this.#sources === "function" ? this.#sources(this.#own.signal) : this.#sources
    ) {
      const iterator = source[Symbol.asyncIterator]();
      this.#ask.push(this.#asker(iterator, this.#active.size));
      this.#active.add(iterator);
    }
  }

  #asker(iterator: AsyncIterator<T>, source: number): () => void {
    const ended = () => {
      this.#active.delete(iterator);
      this.#answer();
    };
    const failed = (error: unknown) => {
      const { signal } = this.#own;
      if (this.#isolate && !signal.aborted) {
        this.#values.push({ event: "error", data: { source, reason: "failed" } });
      } else if (this.#failures.length === 0 || error !== signal.reason && !this.#failures.includes(error)) {
        // The abort wakes the others now, whenever the reader comes; that they end by it, or by one of the caller's that ends
        // them all, is not a failure of theirs.
        this.#failures.push(error);
        this.#own.abort();
      }
      ended();
    };
    const settled = (result: IteratorResult<T>) => {
      if (result.done) return ended();
      this.#values.push(result.value);
      this.#ask.push(next);
      if (this.#waiting !== null) this.#answer();
    };
    const next = () => void iterator.next().then(settled, failed);
    return next;
  }

  /** Answers the waiting reader with a value, or with the end. */
  #answer(): void {
    if (this.#waiting === null || this.#state === "done") return;
    if (this.#read < this.#values.length) {
      return this.#settle({ done: false, value: this.#values[this.#read++] });
    }
    if (this.#failures.length === 0 && this.#active.size > 0) return;
    this.#state = "done";
    this.#settle(
      this.#cleanUp().then(() => {
        const [first] = this.#failures;
        if (this.#failures.length === 0) return { done: true, value: undefined };
        throw this.#failures.length === 1
          ? first
          : new AggregateError(this.#failures, "several sources failed", { cause: first });
      }),
    );
  }

  #settle(result: unknown): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve(result);
  }

  /** Returns every source that is left, and waits for it. */
  async #cleanUp(): Promise<void> {
    this.#outer?.removeEventListener("abort", this.#abort);
    this.#own.abort();
    const cleanups = await Promise.allSettled([...this.#active].map((iterator) => iterator.return?.()));
    for (const cleanup of cleanups) if (cleanup.status === "rejected") this.#failures.push(cleanup.reason);
  }
}
