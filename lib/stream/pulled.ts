import { StreamEnd } from "./errors.ts";
import { type Feed, iteratorOf } from "./source.ts";

/** An async iterable as what can be polled: one value ahead at most, and asked for the next only by a poll. */
export class Pulled implements Feed<unknown> {
  readonly #source: AsyncIterator<unknown>;
  #asked: Promise<void> | null = null;
  #settled: IteratorResult<unknown> | { error: unknown } | null = null;
  #ready = () => {};

  constructor(source: AsyncIterable<unknown>) {
    this.#source = iteratorOf(source);
  }

  poll(ready: () => void): unknown {
    const settled = this.#settled;
    if (settled === null) {
      this.#ready = ready;
      this.#asked ??= this.#source.next().then(this.#take, (error) => this.#take({ error }));
      return null;
    }
    this.#settled = null;
    if ("error" in settled) throw settled.error;
    if (settled.done) throw new StreamEnd("complete");
    return settled.value === null ? { data: null } : settled.value;
  }

  /** Returns the source, which runs a generator's `finally`; rejects with what fails in it, but for the abort that woke it. */
  async return(): Promise<void> {
    await this.#source.return?.();
    await this.#asked;
    const settled = this.#settled;
    if (settled === null || !("error" in settled)) return;
    const { error } = settled;
    if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
  }

  readonly #take = (settled: IteratorResult<unknown> | { error: unknown }) => {
    this.#asked = null;
    this.#settled = settled;
    this.#ready();
  };
}
