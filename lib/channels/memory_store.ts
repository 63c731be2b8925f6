import { Limits } from "../limits.ts";
import { overloaded } from "../stream/errors.ts";
import type { JsonText } from "../stream/event.ts";
import type { StreamItem, Wanted } from "../stream/source.ts";
import type { ChannelStore } from "./channel_store.ts";
import { MemoryChannel, newEpoch } from "./memory_channel.ts";
import { Subscriber } from "./subscriber.ts";

/** Limits of a {@linkcode MemoryStore}. */
export type MemoryStoreLimits = Pick<Limits, "channels" | "channelsBytes" | "channelEvents" | "channelBytes">;

/** Channels in memory: they end with the process. */
export class MemoryStore implements ChannelStore {
  readonly #channels = new Map<string, MemoryChannel>();
  /** Epoch of the channels that are made now. */
  #epoch = newEpoch();

  /** A store without channels. */
  constructor(readonly limits: MemoryStoreLimits = new Limits()) {}

  publish(name: string, values: readonly JsonText[]): string {
    const existing = this.#channels.get(name);
    const channel = existing ?? this.#create();
    // First, as what is refused must make no channel and evict none.
    const id = channel.publish(values);
    if (existing === undefined) this.#makeRoom();
    // The order of the map is the order of publishing, for #makeRoom.
    this.#channels.delete(name);
    this.#channels.set(name, channel);
    this.#shrink();
    this.#drop(name, channel);
    return id;
  }

  subscribe(name: string, wanted: Wanted): AsyncIterable<StreamItem> {
    return new Subscriber(wanted, () => this.#open(name), (channel) => this.#drop(name, channel));
  }

  close(): void {
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
  }

  #open(name: string): MemoryChannel {
    const existing = this.#channels.get(name);
    if (existing !== undefined) return existing;
    this.#makeRoom();
    const channel = this.#create();
    this.#channels.set(name, channel);
    return channel;
  }

  #create(): MemoryChannel {
    return new MemoryChannel(this.limits, this.#epoch);
  }

  /** The epoch of a channel that had events is never used again. */
  #remove(name: string, channel: MemoryChannel): void {
    channel.close();
    this.#channels.delete(name);
    if (!channel.unused) this.#epoch = newEpoch();
  }

  /** Evicts the least recently published channel without subscribers, when there is no room for one more. */
  #makeRoom(): void {
    if (this.#channels.size < this.limits.channels) return;
    for (const [name, channel] of this.#channels) {
      if (channel.inUse) continue;
      this.#remove(name, channel);
      return;
    }
    throw overloaded("channels", this.limits.channels, 5);
  }

  /** Removes a channel that has neither subscribers nor history. */
  #drop(name: string, channel: MemoryChannel): void {
    if (!channel.idle || this.#channels.get(name) !== channel) return;
    this.#remove(name, channel);
  }

  /** Evicts from the largest history while all together are over their bound. */
  #shrink(): void {
    for (;;) {
      let total = 0;
      let largest: MemoryChannel | undefined;
      for (const channel of this.#channels.values()) {
        total += channel.size;
        if (largest === undefined || channel.size > largest.size) largest = channel;
      }
      const excess = total - this.limits.channelsBytes;
      if (excess <= 0 || largest === undefined || largest.size === 0) return;
      largest.trim(Math.max(0, largest.size - excess));
    }
  }
}
