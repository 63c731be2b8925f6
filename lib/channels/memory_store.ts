import type { StreamEvent } from "../encoders.ts";
import { overloaded } from "../errors.ts";
import type { ChannelStore, Subscription, Value } from "./channel.ts";
import { type ChannelLimits, MemoryChannel, newLife } from "./memory_channel.ts";
import { Subscriber } from "./subscriber.ts";

/** The bounds of all channels together, beside those of each. */
export interface StoreLimits extends ChannelLimits {
  /** Channels at once. */
  readonly channels: number;
  /** Bytes in all histories, with what an event takes beside its JSON. */
  readonly channelsBytes: number;
}

/** Channels in memory: what is kept ends with the process. */
export class MemoryStore implements ChannelStore {
  readonly #channels = new Map<string, MemoryChannel>();
  readonly #permanent = new Set<string>();
  /** That of the channels that are made now. */
  #life = newLife();

  /** A store without channels. */
  constructor(readonly limits: StoreLimits) {}

  /** Channels now. */
  get size(): number {
    return this.#channels.size;
  }

  /** Adds a channel that stays, whoever reads it. */
  add(name: string, channel: MemoryChannel): void {
    this.#channels.set(name, channel);
    this.#permanent.add(name);
  }

  publish(name: string, values: readonly Value[]): string | Promise<string> {
    const existing = this.#channels.get(name);
    const channel = existing ?? this.#create();
    // What is refused makes no channel, and takes nobody's place.
    const id = channel.publish(values);
    if (existing === undefined) this.#makeRoom();
    // The order of the map is the order of publishing, for #makeRoom.
    this.#channels.delete(name);
    this.#channels.set(name, channel);
    if (typeof id === "string") this.#published(name, channel);
    else id.then(() => this.#published(name, channel));
    return id;
  }

  #published(name: string, channel: MemoryChannel): void {
    this.#shrink();
    this.#drop(name, channel);
  }

  subscribe(name: string, wanted: Subscription): AsyncIterableIterator<Uint8Array | StreamEvent> {
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
    return new MemoryChannel(this.limits, undefined, this.#life);
  }

  /** Its life is another's no more; but that of one which never had an event may go on when the next reader makes it again. */
  #remove(name: string, channel: MemoryChannel): void {
    channel.close();
    this.#channels.delete(name);
    if (!channel.unused) this.#life = newLife();
  }

  /** For one more, a channel that nobody reads gives way, the one first that was published to the longest time ago. */
  #makeRoom(): void {
    if (this.#channels.size < this.limits.channels) return;
    for (const [name, channel] of this.#channels) {
      if (channel.inUse || this.#permanent.has(name)) continue;
      this.#remove(name, channel);
      return;
    }
    throw overloaded("channels", this.limits.channels, 5);
  }

  /** An idle channel with no history goes away. */
  #drop(name: string, channel: MemoryChannel): void {
    if (!channel.idle || this.#permanent.has(name) || this.#channels.get(name) !== channel) return;
    this.#remove(name, channel);
  }

  /** Beyond the bound of all together, the largest history gives way. */
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
      largest.shrink(Math.max(0, largest.size - excess));
    }
  }
}
