import { Limits } from "../../limits.ts";
import { endOfTurn } from "../../stream/clock.ts";
import { overloaded } from "../../stream/errors.ts";
import type { JsonText } from "../../stream/event.ts";
import type { StreamItem, Wanted } from "../../stream/source.ts";
import { tagOf } from "../../stream/tag.ts";
import type { ChannelInfo, ChannelStore } from "../channel_store.ts";
import { unavailable } from "./away.ts";
import type { RedisConnection } from "./connection.ts";
import { shrink } from "../memory_channel.ts";
import { keysOf, namesKey } from "./keys.ts";
import { Publisher, type PublisherLimits } from "./publisher.ts";
import { RedisChannel } from "./redis_channel.ts";
import { type RedisHost, RedisSubscriber } from "./redis_subscriber.ts";
import { infoScript } from "./scripts.ts";
import { Segments } from "./segments.ts";

/** Limits of a {@linkcode RedisStore}. */
export type RedisStoreLimits = PublisherLimits & Pick<Limits, "channels" | "channelsBytes">;

/** Channels in Redis, as streams: any number of processes serve the same ones, and they outlive all of them. */
export class RedisStore implements ChannelStore {
  readonly #channels = new Map<string, RedisChannel>();
  readonly #segments = new Segments();
  readonly #publisher: Publisher;
  #shrinking = false;
  readonly #host: RedisHost = {
    segments: this.#segments,
    open: (name) => this.#open(name),
    left: (channel) => this.#left(channel),
  };

  /** A store; `ttl` is the time in seconds for which a channel lives after its last event. */
  constructor(
    readonly connection: RedisConnection,
    readonly limits: RedisStoreLimits = new Limits(),
    ttl: number = 604_800,
  ) {
    this.#publisher = new Publisher(connection, limits, ttl);
  }

  /** Why it cannot be used now; null while it can. */
  get fault(): string | null {
    return this.connection.fault ?? this.#publisher.refusal;
  }

  publish(name: string, values: readonly JsonText[], key?: string): Promise<string> {
    return this.#publisher.publish(keysOf(name), values, key);
  }

  subscribe(name: string, wanted: Wanted): AsyncIterable<StreamItem> {
    return new RedisSubscriber(wanted, this.#host, name);
  }

  async list(): Promise<ChannelInfo[]> {
    try {
      const known = await this.connection.send(["SMEMBERS", namesKey]) as string[];
      const names = [...new Set([...known, ...this.#channels.keys()])].sort();
      const channels = await Promise.all(names.map((name) => this.#info(name)));
      return channels.filter((info) => info !== null);
    } catch (error) {
      throw unavailable(error);
    }
  }

  async close(): Promise<void> {
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
    await this.connection.close();
  }

  async #info(name: string): Promise<ChannelInfo | null> {
    const info = await this.connection.run(infoScript, [keysOf(name).stream, namesKey], [name]);
    if (info === null) return null;
    const [id, events] = info as [string, number];
    const last = events === 0 && id.endsWith("-0") ? null : `${tagOf(name)}-${id}`;
    return { name, events, readers: null, last };
  }

  #open(name: string): RedisChannel {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      const { channels } = this.limits;
      if (this.#channels.size >= channels) throw overloaded("channels", channels, 5);
      channel = new RedisChannel(this.connection, keysOf(name), this.limits, () => this.#grown());
      this.#channels.set(name, channel);
    }
    channel.users++;
    return channel;
  }

  /** Evicts what the windows take together beyond the limit: it is in Redis. */
  #grown(): void {
    if (this.#shrinking) return;
    this.#shrinking = true;
    endOfTurn(() => {
      this.#shrinking = false;
      shrink([...this.#channels.values()].map(({ window }) => window), this.limits.channelsBytes);
    });
  }

  #left(channel: RedisChannel): void {
    if (--channel.users > 0) return;
    channel.close();
    if (this.#channels.get(channel.keys.name) === channel) this.#channels.delete(channel.keys.name);
  }
}
