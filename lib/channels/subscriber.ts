import { cursorAt, Encoded } from "../stream/event.ts";
import { Polled } from "../stream/polled.ts";
import type { StreamItem, Wanted } from "../stream/source.ts";
import type { MemoryChannel } from "./memory_channel.ts";

const done = Promise.resolve();

/** Nothing can fail any more before the first event, which may be long in coming. */
export const begun = new Encoded(new Uint8Array());

/** Where {@linkcode Subscriber}s have their channels from. */
export interface SubscriberHost {
  /** The channel of a name; called by the first read, as what is never read takes nothing. */
  open(name: string): MemoryChannel;
  /** A subscriber has ended that had read. */
  left(name: string, channel: MemoryChannel): void;
}

/**
 * One subscriber of a channel in memory, or of a run. All that it has of its own is a cursor, which is right whatever is published or
 * evicted between two reads: replay and live are the same thing, and a gap is noticed where it is met.
 *
 * It is polled: of the time that the server spends on one delivery, a generator's promises would take a quarter (`deno task
 * bench`, row "fan-out").
 */
export class Subscriber extends Polled {
  #channel: MemoryChannel | null = null;
  #next = 0;
  #ready = () => {};

  /** A subscriber of the channel of this name. */
  constructor(wanted: Wanted, readonly host: SubscriberHost, readonly name: string) {
    super(wanted);
  }

  /** The next item, or null when it has yet to be published: then `ready` is called once there is more, or at the end. */
  poll(ready: () => void): StreamItem | null {
    if (this.ended) return null;
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

  protected override leave(): Promise<void> {
    const channel = this.#channel;
    if (channel !== null) {
      channel.waves.forget(this.#ready);
      channel.leave(this.wanted.format);
      this.host.left(this.name, channel);
    }
    this.#ready();
    return done;
  }

  /** There is a first item at once. */
  #join(): StreamItem {
    const { after, format } = this.wanted;
    const channel = this.#channel = this.host.open(this.name);
    channel.join(format);
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
