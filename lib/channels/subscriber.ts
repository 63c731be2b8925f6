import { StreamEnd } from "../stream/errors.ts";
import { cursorAt, Encoded } from "../stream/event.ts";
import type { Feed, StreamItem, Wanted } from "../stream/source.ts";
import type { MemoryChannel } from "./memory_channel.ts";

/** Nothing can fail any more before the first event, which may be long in coming. */
export const begun = new Encoded(new Uint8Array());

const ended: IteratorReturnResult<undefined> = { value: undefined, done: true };

/**
 * One subscriber of a channel in memory, or of a run. All that it has of its own is a cursor, which is right whatever is published or
 * evicted between two reads: replay and live are the same thing, and a gap is noticed where it is met.
 *
 * It is what an async generator would be, and a {@linkcode Feed} besides: of the time that the server spends on one
 * delivery, a generator's promises would take a quarter (`deno task bench`, row "fan-out").
 */
export class Subscriber implements AsyncIterableIterator<StreamItem>, Feed {
  #channel: MemoryChannel | null = null;
  #next = 0;
  #ended = false;
  #ready = () => {};

  /** `open` is called by the first read, as what is never read takes nothing; `left` at the end, if it was. */
  constructor(
    readonly wanted: Wanted,
    readonly open: () => MemoryChannel,
    readonly left: (channel: MemoryChannel) => void,
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<StreamItem, undefined>> {
    for (;;) {
      const { promise, resolve } = Promise.withResolvers<void>();
      try {
        const value = this.poll(resolve);
        if (this.#ended) return ended;
        if (value !== null) return { value, done: false };
      } catch (error) {
        if (error instanceof StreamEnd && error.reason === "complete") return ended;
        throw error;
      }
      await promise;
    }
  }

  /** The next item, or null when it has yet to be published: then `ready` is called once there is more, or at the end. */
  poll(ready: () => void): StreamItem | null {
    if (this.#ended) return null;
    if (this.#channel === null) return this.#join();
    const item = this.#take(this.#channel);
    if (item === null) {
      const { end } = this.#channel;
      if (end !== null) {
        this.return();
        throw end;
      }
      this.#ready = ready;
      this.#channel.waves.wait(ready);
    }
    return item;
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
        channel.waves.forget(this.#ready);
        channel.leave(this.wanted.format);
        this.left(channel);
      }
      this.#ready();
    }
    return Promise.resolve(ended);
  }

  /** There is a first item at once. */
  #join(): StreamItem {
    const { signal, after, format } = this.wanted;
    signal.throwIfAborted();
    const channel = this.#channel = this.open();
    channel.join(format);
    signal.addEventListener("abort", this);
    const { history } = channel;
    this.#next = after === undefined && channel.fromStart ? 1 : history.after(after);
    if (after === undefined) return cursorAt(history.id(this.#next - 1));
    return this.#take(channel) ?? new Encoded(begun.bytes, history.id());
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
