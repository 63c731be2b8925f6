import { type Clock, processClock } from "../stream/clock.ts";

/** Idempotency keys that are remembered for sure, and the time in s for which they are: up to twice as many, for twice as long. */
export const rememberedKeys = 10_000;
/** See {@linkcode rememberedKeys}. */
export const rememberedSeconds = 300;

/** What was published with an Idempotency-Key, in two generations: the older one is dropped as a whole. */
export class PublishedKeys {
  #recent = new Map<string, string>();
  #before = new Map<string, string>();
  #since = 0;

  constructor(readonly clock: Clock = processClock) {}

  /** The id of what was published with a key. */
  get(key: string): string | undefined {
    if (this.clock.now() - this.#since > 2 * rememberedSeconds * 1_000) {
      this.#recent = this.#before = new Map();
    }
    return this.#recent.get(key) ?? this.#before.get(key);
  }

  /** Remembers it. */
  add(key: string, id: string): void {
    const isOld = this.clock.now() - this.#since > rememberedSeconds * 1_000;
    if (isOld || this.#recent.size >= rememberedKeys) this.#turn();
    this.#recent.set(key, id);
  }

  #turn(): void {
    this.#before = this.#recent;
    this.#recent = new Map();
    this.#since = this.clock.now();
  }
}
