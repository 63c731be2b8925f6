import { Encoded } from "../stream/event.ts";
import type { Feed, StreamItem, Wanted } from "../stream/source.ts";
import type { MemoryChannel } from "./memory_channel.ts";
import type { Waiter } from "./waves.ts";

/** Nothing can fail any more before the first event, which may be long in coming. */
export const begun = new Encoded(new Uint8Array());

const encoder = new TextEncoder();
const ended: IteratorReturnResult<undefined> = { value: undefined, done: true };

/**
 * One subscriber of a channel in memory. All that it has of its own is a cursor, which is right whatever is published or
 * evicted between two reads: replay and live are the same thing, and a gap is noticed where it is met.
 *
 * It is what an async generator would be, and a {@linkcode Feed} besides: of the time that the server spends on one
 * delivery, a generator's promises would take a quarter (`deno task bench`, row "fan-out").
 */
export class Subscriber implements AsyncIterableIterator<StreamItem>, Feed, Waiter {
  #channel: MemoryChannel | null = null;
  #next = 0;
  #begun = false;
  #ended = false;
  #ready: (() => void) | null = null;

  /**
   * A subscriber that has not joined yet.
   *
   * @param open called with the first `next()`: what is never read takes nothing
   * @param left called with the channel at the end, if it was opened
   */
  constructor(
    readonly wanted: Wanted,
    readonly open: () => MemoryChannel,
    readonly left: (channel: MemoryChannel) => void,
  ) {}

  /** Itself: it can be read once. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next item; it waits for one, or for the end. */
  next(): Promise<IteratorResult<StreamItem, undefined>> {
    return new Promise((resolve, reject) => {
      const look = () => {
        try {
          const value = this.poll(look);
          if (this.#ended) resolve(ended);
          else if (value !== null) resolve({ value, done: false });
        } catch (error) {
          reject(error);
        }
      };
      look();
    });
  }

  /** The next item, or null when it has yet to be published: then `ready` is called once there is more, or at the end. */
  poll(ready: () => void): StreamItem | null {
    if (this.#ended) return null;
    this.#channel ??= this.#join();
    const value = this.#begun ? this.#take(this.#channel) : this.#start(this.#channel);
    this.#begun = true;
    if (value === null) {
      this.#ready = ready;
      this.#channel.waves.wait(this);
    }
    return value;
  }

  /** The channel has more. */
  wake(): void {
    const ready = this.#ready;
    this.#ready = null;
    ready?.();
  }

  /** The signal aborts. */
  handleEvent(): void {
    this.return();
  }

  /** Leaves the channel, at once: a `next()` that waits ends. */
  return(): Promise<IteratorReturnResult<undefined>> {
    if (!this.#ended) {
      this.#ended = true;
      this.wanted.signal.removeEventListener("abort", this);
      const channel = this.#channel;
      if (channel !== null) {
        channel.waves.forget(this);
        channel.leave(this.wanted.format);
        this.left(channel);
      }
      this.wake();
    }
    return Promise.resolve(ended);
  }

  #join(): MemoryChannel {
    const { signal, after, format } = this.wanted;
    signal.throwIfAborted();
    const channel = this.open();
    channel.join(format);
    signal.addEventListener("abort", this);
    this.#next = channel.history.after(after);
    return channel;
  }

  #start(channel: MemoryChannel): StreamItem {
    const { after, format } = this.wanted;
    const start = after === undefined ? format.start(channel.history.id()) : "";
    return start !== "" ? new Encoded(encoder.encode(start)) : this.#take(channel) ?? begun;
  }

  /** What comes next, or null when it has yet to be published. */
  #take(channel: MemoryChannel): StreamItem | null {
    const { after, format } = this.wanted;
    const gap = channel.history.gap(this.#next, after);
    if (gap !== null) {
      this.#next = channel.history.oldest;
      return gap;
    }
    const block = channel.read(this.#next, format);
    if (block === null) return null;
    this.#next = block.next;
    return block.encoded;
  }
}
