import { createHash } from "node:crypto";
import { type Clock, processClock } from "../stream/clock.ts";
import { HttpError } from "../stream/errors.ts";
import type { JsonText } from "../stream/event.ts";

/** Idempotency keys that are remembered for sure, and the time in s for which they are: up to twice as many, for twice as long. */
export const rememberedKeys = 10_000;
/** See {@linkcode rememberedKeys}. */
export const rememberedSeconds = 300;

/** The hash by which values are known that were published with a key. */
export function digestOf(values: readonly JsonText[]): string {
  const hash = createHash("sha256");
  for (const { json } of values) hash.update(json).update("\n");
  return hash.digest("base64").slice(0, 22);
}

/** The 422 for a key that was used for other values (draft-ietf-httpapi-idempotency-key-header, 2.7). */
export function usedKey(): HttpError {
  return new HttpError(422, "the Idempotency-Key must be a new one: it was used for other events");
}

interface Published {
  id: string;
  digest: string;
}

/** What was published with an Idempotency-Key, in two generations: the older one is dropped as a whole. */
export class PublishedKeys {
  #recent = new Map<string, Published>();
  #before = new Map<string, Published>();
  #since = 0;

  /** None. */
  constructor(readonly clock: Clock = processClock) {}

  /**
   * The id of what was published with a key; undefined when nothing was.
   *
   * @throws HttpError 422 when other values were
   */
  find(key: string, digest: string): string | undefined {
    if (this.clock.now() - this.#since > 2 * rememberedSeconds * 1_000) {
      this.#recent = this.#before = new Map();
    }
    const known = this.#recent.get(key) ?? this.#before.get(key);
    if (known !== undefined && known.digest !== digest) throw usedKey();
    return known?.id;
  }

  /** Remembers it. */
  add(key: string, digest: string, id: string): void {
    const isOld = this.clock.now() - this.#since > rememberedSeconds * 1_000;
    if (isOld || this.#recent.size >= rememberedKeys) this.#turn();
    this.#recent.set(key, { id, digest });
  }

  #turn(): void {
    this.#before = this.#recent;
    this.#recent = new Map();
    this.#since = this.clock.now();
  }
}
