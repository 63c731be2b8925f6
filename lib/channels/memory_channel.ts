import type { Limits } from "../limits.ts";
import { HttpError, type StreamEnd } from "../stream/errors.ts";
import type { JsonText } from "../stream/event.ts";
import type { Format } from "../stream/formats/format.ts";
import { byteLength } from "../stream/json.ts";
import { ChannelHistory } from "./channel_history.ts";
import { type Block, Pages } from "./pages.ts";
import { Waves } from "./waves.ts";

/** Bytes of memory that an event takes beside its JSON, about. */
const overhead = 160;

/** One channel in memory: a bounded history, its encoded forms while it has readers, and the subscribers that wait. */
export class MemoryChannel {
  /** Whether a first visit gets everything from the start on, and not what comes from now on. */
  readonly fromStart: boolean = false;
  /** How its subscribers end once they have everything; null while there may be more. */
  end: StreamEnd | null = null;
  readonly history: ChannelHistory<JsonText>;
  readonly #pages = new Map<Format, { pages: Pages; readers: number }>();
  /** Wakes the subscribers when there is more. */
  readonly waves: Waves = new Waves();

  constructor(readonly limits: PostLimits, name: string, epoch: string) {
    this.history = new ChannelHistory(name, epoch);
  }

  /** Bytes of memory that the history takes. */
  get size(): number {
    return this.history.bytes + this.history.length * overhead;
  }

  /** Whether it has a subscriber. */
  get inUse(): boolean {
    return this.#pages.size > 0;
  }

  /** Subscribers now. */
  get readers(): number {
    return this.#pages.values().reduce((sum, { readers }) => sum + readers, 0);
  }

  /**
   * Adds events in order, all of them or none; returns the last one's id.
   *
   * @throws HttpError 413 for more events, or bytes, than the history can hold
   */
  publish(values: readonly JsonText[]): string {
    this.addAll(values, checkPost(values, this.limits));
    return this.history.id();
  }

  /** Adds events in order, however many; `sizes` are their bytes. */
  addAll(values: readonly JsonText[], sizes: readonly number[]): void {
    for (let i = 0; i < values.length; i++) this.history.add(values[i], sizes[i]);
    this.#grown();
  }

  /** Adds an event, however large; `event` is its kind. */
  add(value: JsonText, bytes: number, event?: string): void {
    this.history.add(value, bytes, event);
    this.#grown();
  }

  /** Nothing more comes. */
  finish(end: StreamEnd): void {
    this.end = end;
    this.waves.announce();
  }

  /** Evicts the events beyond the limits, and those that make the history take more than `size` bytes of memory. */
  trim(size = Infinity): void {
    const { history, limits: { channelEvents, channelBytes } } = this;
    while (
      history.length > 0 &&
      (history.length > channelEvents || history.bytes > channelBytes || this.size > size)
    ) history.evict();
    for (const { pages } of this.#pages.values()) pages.evict(history.oldest);
  }

  /** Takes part as a subscriber; `leave` has to follow. */
  join(format: Format): void {
    let entry = this.#pages.get(format);
    if (entry === undefined) {
      this.#pages.set(format, entry = { pages: new Pages(this.history, format), readers: 0 });
    }
    entry.readers++;
  }

  /** Ends a {@linkcode MemoryChannel.join}. */
  leave(format: Format): void {
    if (--this.#pages.get(format)!.readers === 0) this.#pages.delete(format);
  }

  /** The records from event `next` on, up to a page; null when it has yet to be published. */
  read(next: number, format: Format): Block | null {
    return next > this.history.last ? null : this.#pages.get(format)!.pages.block(next);
  }

  #grown(): void {
    this.trim();
    this.waves.announce();
  }
}

/** Limits of a post to a channel. */
export type PostLimits = Pick<Limits, "channelEvents" | "channelBytes"> & Partial<Pick<Limits, "postEvents">>;

/**
 * Bytes of each of the values of one post.
 *
 * @throws HttpError 413 for more events, or bytes, than the history can hold
 */
export function checkPost(values: readonly JsonText[], limits: PostLimits): number[] {
  const { channelEvents, channelBytes, postEvents = channelEvents } = limits;
  if (values.length > channelEvents) {
    throw tooLarge(`${channelEvents} events, which the history holds`, values.length);
  }
  if (values.length > postEvents) throw tooLarge(`${postEvents} events`, values.length);
  const sizes = values.map(({ json }) => byteLength(json));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  if (bytes > channelBytes) throw tooLarge(`${channelBytes} bytes of events, which the history holds`, bytes);
  return sizes;
}

function tooLarge(limit: string, value: number): HttpError {
  return new HttpError(413, `a post must have at most ${limit}: current value is ${value}`);
}

/** Evicts from the largest history while all together take more than `max` bytes. */
export function shrink(channels: { values(): Iterable<MemoryChannel> }, max: number): void {
  for (;;) {
    let total = 0;
    let largest: MemoryChannel | undefined;
    for (const channel of channels.values()) {
      total += channel.size;
      if (largest === undefined || channel.size > largest.size) largest = channel;
    }
    const excess = total - max;
    if (excess <= 0 || largest === undefined || largest.size === 0) return;
    largest.trim(Math.max(0, largest.size - excess));
  }
}
