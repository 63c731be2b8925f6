import { cursorAt, Encoded, type Gap, gap, type StreamEvent } from "../../stream/event.ts";
import { Polled } from "../../stream/polled.ts";
import type { StreamItem, Wanted } from "../../stream/source.ts";
import { tagOf } from "../../stream/tag.ts";
import type { MemoryChannel } from "../memory_channel.ts";
import { begun } from "../subscriber.ts";
import { unavailable } from "./away.ts";
import { RedisAway } from "./link.ts";
import { idOf, isBefore, type Place, placeOf } from "./place.ts";
import type { RedisChannel } from "./redis_channel.ts";
import type { Segments } from "./segments.ts";

/** Where {@linkcode RedisSubscriber}s have their channels from. */
export interface RedisHost {
  readonly segments: Segments;
  /** The channel of a name; called by the first read. */
  open(name: string): RedisChannel;
  /** A subscriber has ended that had opened it. */
  left(channel: RedisChannel): void;
}

/**
 * One subscriber of a channel in Redis. It is at a place, and reads what follows it in memory: in the channel's window, or in
 * a segment that is read for it from Redis. At the end of one it moves to another, and where that does not follow the place
 * there is a gap.
 */
export class RedisSubscriber extends Polled {
  #channel: RedisChannel | null = null;
  /** Where it is; null before the oldest event. */
  #place: Place | null = null;
  /** What it reads; null while it moves. */
  #segment: MemoryChannel | null = null;
  /** What comes before the segment's events. */
  #first: StreamItem | null = null;
  #begun = false;
  #failure: { error: unknown } | null = null;
  #moving = false;
  #ready = () => {};

  /** A subscriber of the channel of this name. */
  constructor(wanted: Wanted, readonly host: RedisHost, readonly name: string) {
    super(wanted);
  }

  poll(ready: () => void): StreamItem | null {
    if (this.ended) return null;
    if (this.#failure !== null) {
      this.return();
      throw this.#failure.error;
    }
    if (!this.#moving) {
      const item = this.#next();
      if (item !== null) return item;
    }
    this.#ready = ready;
    if (this.#moving) return null;
    if (this.#segment !== null && this.#segment === this.#channel!.window) this.#segment.waves.wait(ready);
    else this.#move();
    return null;
  }

  protected override leave(): Promise<void> {
    const channel = this.#channel;
    if (channel !== null) {
      this.#leaveSegment();
      this.host.left(channel);
    }
    this.#ready();
    return Promise.resolve();
  }

  #next(): StreamItem | null {
    const first = this.#first ?? this.#read();
    this.#first = null;
    if (this.#begun || this.#segment === null) return first;
    this.#begun = true;
    // There is a first item at once.
    return first ?? new Encoded(begun.bytes, this.#cursor(this.#place!));
  }

  /** What the segment has after the place; null when that is nothing, or what it had is evicted. */
  #read(): StreamItem | null {
    const segment = this.#segment;
    if (segment === null) return null;
    const next = this.#place!.number + 1;
    const { epoch, oldest } = segment.history;
    const block = next < oldest ? null : segment.read(next, this.wanted.format);
    if (block === null) {
      if (next < oldest) this.#leaveSegment();
      return null;
    }
    this.#place = { epoch, number: block.next - 1 };
    return block.encoded;
  }

  #leaveSegment(): void {
    this.#segment?.waves.forget(this.#ready);
    this.#segment?.leave(this.wanted.format);
    this.#segment = null;
  }

  /** Finds what follows the place, and calls back. */
  #move(): void {
    this.#moving = true;
    this.#leaveSegment();
    this.#find().catch(async (error) => {
      // A reader waits for Redis, and goes on: a browser's EventSource that is refused does not come back.
      if (error instanceof RedisAway) {
        await this.#channel!.connection.back(this.wanted.signal).catch(() => {});
      } else this.#failure = { error: unavailable(error) };
    }).then(() => {
      this.#moving = false;
      if (!this.ended) this.#ready();
    });
  }

  async #find(): Promise<void> {
    const channel = this.#channel ??= this.host.open(this.name);
    await channel.opened;
    const { after } = this.wanted;
    if (this.#begun) return await this.#follow(channel, null);
    if (after === undefined) {
      this.#place = channel.last;
      return this.#enter(channel.window, cursorAt(channel.window.history.id()));
    }
    const tag = `${tagOf(this.name)}-`;
    this.#place = after.startsWith(tag) ? placeOf(after.slice(tag.length)) : null;
    await this.#follow(channel, this.#place === null && after !== "0" ? after : null);
  }

  /** Enters what follows the place; `unknown` is a cursor that is none of the channel's. */
  async #follow(channel: RedisChannel, unknown: string | null): Promise<void> {
    for (let isKnown = this.#begun; !this.ended;) {
      const place = this.#place;
      if (place !== null && channel.has(place, isKnown)) return this.#enter(channel.window, null);
      const { segments } = this.host;
      const { at, segment, isFull } = await segments.after(channel, place);
      if (segment !== null) {
        // Redis is asked for the next one while this is read.
        if (isFull) segments.after(channel, { ...at, number: segment.history.last }).catch(() => {});
        this.#place = { ...at, number: at.number - 1 };
        return this.#enter(segment, this.#gap(unknown, place, at, 1));
      }
      isKnown = true;
      if (place !== null && isBefore(at, place)) {
        unknown = this.#cursor(place);
        this.#place = null;
        continue;
      }
      this.#place = at;
      const missed = this.#gap(unknown, place, at, 0);
      // With nothing to go on with, the gap itself has the cursor to come back with.
      if (missed !== null) {
        this.#first = { ...missed, data: { ...missed.data, next: null }, id: this.#cursor(at) };
      }
      unknown = null;
    }
  }

  /** What is missing between a place and another, which is the next or `ahead` of it. */
  #gap(unknown: string | null, place: Place | null, next: Place, ahead: number): StreamEvent<Gap> | null {
    const id = this.#cursor(next);
    if (unknown !== null) return gap(unknown, id, null);
    if (place === null) return null;
    const lost = next.epoch === place.epoch ? next.number - place.number - ahead : null;
    return lost === 0 ? null : gap(this.#cursor(place), id, lost);
  }

  #enter(segment: MemoryChannel, first: StreamItem | null): void {
    if (this.ended) return;
    segment.join(this.wanted.format);
    this.#segment = segment;
    this.#first ??= first;
  }

  #cursor(place: Place): string {
    return `${tagOf(this.name)}-${idOf(place)}`;
  }
}
