import { Limits } from "../../limits.ts";
import { overloaded } from "../../stream/errors.ts";
import type { JsonText } from "../../stream/event.ts";
import type { StreamItem, Wanted } from "../../stream/source.ts";
import { tagOf } from "../../stream/tag.ts";
import type { ChannelInfo, ChannelStore } from "../channel_store.ts";
import { checkPost } from "../memory_channel.ts";
import { rememberedKeys, rememberedSeconds } from "../published_keys.ts";
import { unavailable } from "./away.ts";
import { prefix, type RedisConnection } from "./connection.ts";
import { RedisAway } from "./link.ts";
import { RedisChannel } from "./redis_channel.ts";
import { type RedisHost, RedisSubscriber } from "./redis_subscriber.ts";
import { infoScript, publishScript } from "./scripts.ts";
import { Segments } from "./segments.ts";

/** Limits of a {@linkcode RedisStore}. */
export type RedisStoreLimits = Pick<Limits, "channels" | "channelsBytes" | "channelEvents" | "channelBytes">;

const remembered = [String(rememberedKeys), String(rememberedSeconds)];

/** Key of the set of channels' names. */
const namesKey = `${prefix}channels`;

/** Channels in Redis, as streams: any number of processes serve the same ones, and they outlive all of them. */
export class RedisStore implements ChannelStore {
  readonly #channels = new Map<string, RedisChannel>();
  readonly #segments = new Segments();
  readonly #host: RedisHost = {
    segments: this.#segments,
    open: (name) => this.#open(name),
    left: (channel) => this.#left(channel),
  };

  /** A store; `ttl` is the time in seconds for which a channel lives after its last event. */
  constructor(
    readonly connection: RedisConnection,
    readonly limits: RedisStoreLimits = new Limits(),
    readonly ttl: number = 604_800,
  ) {}

  /** Why it cannot be used now; null while it can. */
  get fault(): string | null {
    return this.connection.fault;
  }

  async publish(name: string, values: readonly JsonText[], key?: string): Promise<string> {
    checkPost(values, this.limits);
    const { stream, run } = keysOf(name);
    const { channelEvents } = this.limits;
    // Exact where it matters; it takes Redis twice the time.
    const how = channelEvents < 1_000 ? "=" : "~";
    const args = [String(this.ttl), how, String(channelEvents), ...remembered, key ?? ""];
    for (const { json } of values) args.push(json);
    try {
      const keys = [stream, run, `${stream}:keys`, `${stream}:keys-before`];
      const [id, begun] = await this.connection.run(publishScript, keys, args) as [string, number];
      if (begun === 1) await this.connection.send(["SADD", namesKey, name]);
      return `${tagOf(name)}-${id}`;
    } catch (error) {
      throw unavailable(error, error instanceof RedisAway && error.sent ? null : false);
    }
  }

  subscribe(name: string, wanted: Wanted): AsyncIterable<StreamItem> {
    return new RedisSubscriber(wanted, this.#host, name);
  }

  async list(): Promise<ChannelInfo[]> {
    try {
      const names = await this.connection.send(["SMEMBERS", namesKey]) as string[];
      for (const name of this.#channels.keys()) if (!names.includes(name)) names.push(name);
      const channels = await Promise.all(names.sort().map((name) => this.#info(name)));
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
    const info = await this.connection.run(infoScript, [keysOf(name).stream]) as [string, number] | null;
    if (info === null) {
      await this.connection.send(["SREM", namesKey, name]);
      return null;
    }
    const [id, events] = info;
    return { name, events, last: events === 0 && id.endsWith("-0") ? null : `${tagOf(name)}-${id}` };
  }

  #open(name: string): RedisChannel {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      const { channels } = this.limits;
      if (this.#channels.size >= channels) throw overloaded("channels", channels, 5);
      channel = new RedisChannel(this.connection, name, keysOf(name), this.limits);
      this.#channels.set(name, channel);
    }
    channel.users++;
    return channel;
  }

  #left(channel: RedisChannel): void {
    if (--channel.users > 0) return;
    channel.close();
    if (this.#channels.get(channel.name) === channel) this.#channels.delete(channel.name);
  }
}

function keysOf(name: string): { stream: string; run: string } {
  const stream = `${prefix}channel:${name}`;
  return { stream, run: `${stream}:run` };
}
