import type { Limits } from "../../limits.ts";
import { endOfTurn } from "../../stream/clock.ts";
import { HttpError } from "../../stream/errors.ts";
import type { JsonText } from "../../stream/event.ts";
import { tagOf } from "../../stream/tag.ts";
import { checkPost } from "../memory_channel.ts";
import { digestOf, rememberedKeys, rememberedSeconds, usedKey } from "../published_keys.ts";
import { unavailable } from "./away.ts";
import type { RedisConnection } from "./connection.ts";
import { type ChannelKeys, namesKey } from "./keys.ts";
import { RedisAway } from "./link.ts";
import { idOf, type Place, placeOf } from "./place.ts";
import { publishScript } from "./scripts.ts";

/** Limits of what is published. */
export type PublisherLimits = Pick<Limits, "channelEvents" | "channelBytes" | "postEvents" | "publishBytes">;

/** Events of posts that go to Redis as one. */
const batchEvents = 500;

/** Posts of one turn to one channel. */
interface Batch {
  readonly tag: string;
  readonly values: string[];
  readonly published: Promise<Place>;
}

/**
 * Publishes by a script. Posts to a channel that come in one turn of the event loop go out as one, which takes a fraction of
 * the time, here and in Redis; none of them is ever sent twice.
 */
export class Publisher {
  /** What Redis has refused to publish last; null once it has taken something. */
  refusal: string | null = null;
  readonly #batches = new Map<string, Batch>();
  readonly #settings: string[];
  #bytes = 0;

  /** `ttl` is the time in seconds for which a channel lives after its last event. */
  constructor(readonly connection: RedisConnection, readonly limits: PublisherLimits, ttl: number) {
    const { channelEvents } = limits;
    // Exact where it matters; it takes Redis twice the time.
    const how = channelEvents < 1_000 ? "=" : "~";
    this.#settings = [ttl, how, channelEvents, rememberedKeys, rememberedSeconds].map(String);
  }

  /** As `ChannelStore.publish`. */
  async publish(keys: ChannelKeys, values: readonly JsonText[], key?: string): Promise<string> {
    const bytes = checkPost(values, this.limits).reduce((sum, size) => sum + size, 0);
    if (this.#bytes + bytes > this.limits.publishBytes) {
      throw unavailable(new RedisAway(false, "too much waits for Redis"), false);
    }
    this.#bytes += bytes;
    try {
      const json = values.map(({ json }) => json);
      if (key === undefined) return await this.#join(keys, json);
      return cursor(tagOf(keys.name), await this.#send(keys, json, key, digestOf(values)));
    } finally {
      this.#bytes -= bytes;
    }
  }

  /** Joins the posts of this turn; resolves with the cursor of the last value. */
  async #join(keys: ChannelKeys, values: readonly string[]): Promise<string> {
    let batch = this.#batches.get(keys.name);
    if (batch === undefined || batch.values.length + values.length > batchEvents) {
      batch = this.#begin(keys);
    }
    for (const value of values) batch.values.push(value);
    const end = batch.values.length;
    const { epoch, number } = await batch.published;
    return cursor(batch.tag, { epoch, number: number - (batch.values.length - end) });
  }

  #begin(keys: ChannelKeys): Batch {
    const { promise, resolve } = Promise.withResolvers<Place>();
    const batch: Batch = { tag: tagOf(keys.name), values: [], published: promise };
    this.#batches.set(keys.name, batch);
    endOfTurn(() => {
      if (this.#batches.get(keys.name) === batch) this.#batches.delete(keys.name);
      resolve(this.#send(keys, batch.values));
    });
    return batch;
  }

  async #send(
    { name, stream, run }: ChannelKeys,
    values: readonly string[],
    key = "",
    digest = "",
  ): Promise<Place> {
    try {
      const keys = [stream, run, namesKey, `${stream}:keys`, `${stream}:keys-before`];
      const args = [...this.#settings, name, key, digest, ...values];
      const id = placeOf(await this.connection.run(publishScript, keys, args) as string);
      this.refusal = null;
      if (id === null) throw usedKey();
      return id;
    } catch (error) {
      if (error instanceof HttpError) throw error;
      const isAway = error instanceof RedisAway;
      if (!isAway) this.#refused((error as Error).message);
      throw unavailable(error, isAway && error.sent ? null : false);
    }
  }

  #refused(message: string): void {
    const isNew = this.refusal === null;
    this.refusal = `Redis refuses what is published: ${message}`;
    if (isNew) this.connection.report(this.refusal);
  }
}

function cursor(tag: string, place: Place): string {
  return `${tag}-${idOf(place)}`;
}
