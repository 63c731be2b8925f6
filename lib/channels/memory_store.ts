import { Limits } from "../limits.ts";
import { type Clock, processClock } from "../stream/clock.ts";
import { overloaded } from "../stream/errors.ts";
import type { JsonText } from "../stream/event.ts";
import type { StreamItem, Wanted } from "../stream/source.ts";
import { newEpoch } from "./channel_history.ts";
import type { ChannelInfo, ChannelStore } from "./channel_store.ts";
import { MemoryChannel, shrink } from "./memory_channel.ts";
import { digestOf, PublishedKeys } from "./published_keys.ts";
import { Subscriber, type SubscriberHost } from "./subscriber.ts";

/** Limits of a {@linkcode MemoryStore}. */
export type MemoryStoreLimits = Pick<Limits, "channels" | "channelsBytes" | "channelEvents" | "channelBytes">;

/** Channels in memory: they end with the process. */
export class MemoryStore implements ChannelStore {
  readonly fault = null;
  readonly #channels = new Map<string, MemoryChannel>();
  readonly #keys: PublishedKeys;
  /** Epoch of the channels that are made now. */
  #epoch = newEpoch();
  /** One for all subscribers, as there may be many. */
  readonly #host: SubscriberHost = {
    open: (name) => this.#open(name),
    left: (name, channel) => this.#drop(name, channel),
  };

  /** A store without channels. */
  constructor(readonly limits: MemoryStoreLimits = new Limits(), clock: Clock = processClock) {
    this.#keys = new PublishedKeys(clock);
  }

  publish(name: string, values: readonly JsonText[], key?: string): string {
    if (key === undefined) return this.#publish(name, values);
    const [own, digest] = [`${name} ${key}`, digestOf(values)];
    let id = this.#keys.find(own, digest);
    if (id === undefined) this.#keys.add(own, digest, id = this.#publish(name, values));
    return id;
  }

  #publish(name: string, values: readonly JsonText[]): string {
    const existing = this.#channels.get(name);
    const channel = existing ?? new MemoryChannel(this.limits, name, this.#epoch);
    // Before it has a place, as what is refused must make no channel and evict none.
    const id = channel.publish(values);
    if (existing === undefined) this.#makeRoom();
    // The order of the map is the order of publishing, for #makeRoom.
    this.#channels.delete(name);
    this.#channels.set(name, channel);
    shrink(this.#channels, this.limits.channelsBytes);
    this.#drop(name, channel);
    return id;
  }

  subscribe(name: string, wanted: Wanted): AsyncIterable<StreamItem> {
    return new Subscriber(wanted, this.#host, name);
  }

  list(): ChannelInfo[] {
    const info = ([name, { history, readers }]: [string, MemoryChannel]) => (
      { name, events: history.length, last: history.last === 0 ? null : history.id(), readers }
    );
    return [...this.#channels].map(info).sort((a, b) => a.name < b.name ? -1 : 1);
  }

  close(): void {
    for (const { waves } of this.#channels.values()) waves.close();
    this.#channels.clear();
  }

  #open(name: string): MemoryChannel {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      this.#makeRoom();
      channel = new MemoryChannel(this.limits, name, this.#epoch);
      this.#channels.set(name, channel);
    }
    return channel;
  }

  /** The epoch of a channel that had events is never used again. */
  #remove(name: string, channel: MemoryChannel): void {
    channel.waves.close();
    this.#channels.delete(name);
    if (channel.history.last > 0) this.#epoch = newEpoch();
  }

  /** Evicts the least recently published channel without subscribers, when there is no room for one more. */
  #makeRoom(): void {
    if (this.#channels.size < this.limits.channels) return;
    for (const [name, channel] of this.#channels) {
      if (!channel.inUse) return this.#remove(name, channel);
    }
    throw overloaded("channels", this.limits.channels, 5);
  }

  /** Removes a channel that has nothing for a subscriber to come back for. */
  #drop(name: string, channel: MemoryChannel): void {
    const idle = !channel.inUse && channel.history.length === 0;
    if (idle && this.#channels.get(name) === channel) this.#remove(name, channel);
  }
}
