import type { Limits } from "../limits.ts";
import { HttpError } from "../stream/errors.ts";
import { Encoded, gap, type JsonText, type StreamEvent } from "../stream/event.ts";
import type { Format } from "../stream/formats/format.ts";
import { ChannelHistory } from "./channel_history.ts";
import { type Block, Pages } from "./pages.ts";
import { Waves } from "./waves.ts";

/** Bytes of records in a block that was filtered, about. */
const selectedBytes = 16_384;

const utf8 = new TextEncoder();

/** First part of a cursor: random, so that a cursor of an earlier epoch is never taken for one of this. */
export function newEpoch(): string {
  return crypto.randomUUID().slice(-12);
}

/** One channel in memory: a bounded history, its encoded forms while it has readers, and the subscribers that wait. */
export class MemoryChannel {
  readonly #history = new ChannelHistory();
  /** The last event of each tag that was evicted. */
  readonly #evicted = new Map<string, number>();
  #readers = 0;
  readonly #pages = new Map<Format, { pages: Pages; readers: number }>();
  /** Wakes the subscribers when there is more. */
  readonly waves: Waves = new Waves();

  /** A channel without events, whose cursors begin with `epoch`. */
  constructor(
    readonly limits: Pick<Limits, "channelEvents" | "channelBytes">,
    readonly epoch: string = newEpoch(),
  ) {}

  /** Bytes of memory that the history takes. */
  get size(): number {
    return this.#history.size;
  }

  /** Whether it has a subscriber. */
  get inUse(): boolean {
    return this.#readers > 0;
  }

  /** Whether there is nothing that a subscriber could come back for. */
  get idle(): boolean {
    return !this.inUse && this.#history.length === 0;
  }

  /** Whether it never had an event. */
  get unused(): boolean {
    return this.#history.last === 0;
  }

  /** The cursor of the last event, or of the start when there has been none. */
  get lastId(): string {
    return this.#id(this.#history.last);
  }

  #id(number: number): string {
    return `${this.epoch}-${number}`;
  }

  /**
   * Adds events in order, all of them or none; returns the last one's id. `tag` is what filtered readers select by.
   *
   * @throws HttpError 413 for more events, or bytes, than the history can hold
   */
  publish(values: readonly JsonText[], tag?: string): string {
    const { channelEvents, channelBytes } = this.limits;
    if (values.length > channelEvents) throw tooLarge(`${channelEvents} events`, values.length);
    const encoded = values.map(({ json }) => utf8.encode(json));
    const bytes = encoded.reduce((sum, { length }) => sum + length, 0);
    if (bytes > channelBytes) throw tooLarge(`${channelBytes} bytes of events`, bytes);
    const first = this.#history.last + 1;
    for (const [i, { text }] of values.entries()) this.#history.add(encoded[i], text, tag);
    for (const [format, { pages }] of this.#pages) this.#encode(format, pages, first);
    this.trim();
    this.waves.announce();
    return this.lastId;
  }

  /** Evicts the events beyond the limits, and those that make the history take more than `size` bytes of memory. */
  trim(size = Infinity): void {
    const history = this.#history;
    const { channelEvents, channelBytes } = this.limits;
    while (
      history.length > 0 &&
      (history.length > channelEvents || history.bytes > channelBytes || history.size > size)
    ) {
      const { tag } = history.evict();
      if (tag !== undefined) this.#evicted.set(tag, history.oldest - 1);
    }
    for (const { pages } of this.#pages.values()) pages.evict(history.oldest);
  }

  /** Takes part as a subscriber; `leave` has to follow. */
  join(format: Format): void {
    this.#readers++;
    const entry = this.#pages.get(format);
    if (entry !== undefined) entry.readers++;
    else {
      const pages = new Pages();
      this.#encode(format, pages, this.#history.oldest);
      this.#pages.set(format, { pages, readers: 1 });
    }
  }

  /** Ends a {@linkcode MemoryChannel.join}. */
  leave(format: Format): void {
    this.#readers--;
    if (--this.#pages.get(format)!.readers === 0) this.#pages.delete(format);
  }

  /** The number that a cursor goes on with, and the gap to report first when it cannot be followed exactly. */
  locate(after: string | undefined): { next: number; gap: StreamEvent | null } {
    const { oldest, last } = this.#history;
    if (after === undefined) return { next: last + 1, gap: null };
    if (after === "0") return { next: oldest, gap: null };
    const [, epoch, number] = /^([0-9a-f]+)-(\d{1,15})$/.exec(after) ?? [];
    if (epoch === this.epoch && Number(number) <= last) return { next: Number(number) + 1, gap: null };
    return { next: oldest, gap: this.#gap(after, null) };
  }

  /** The gap between event `next`, when that is evicted, and what is retained; none when it has none of these tags. */
  missed(next: number, tags?: ReadonlySet<string>): { next: number; gap: StreamEvent | null } | null {
    const { oldest } = this.#history;
    if (next >= oldest) return null;
    const after = this.#id(next - 1);
    if (tags === undefined) return { next: oldest, gap: this.#gap(after, oldest - next) };
    const lost = [...tags].some((tag) => (this.#evicted.get(tag) ?? 0) >= next);
    return { next: oldest, gap: lost ? this.#gap(after, null) : null };
  }

  /** With nothing to go on with, the gap itself has the cursor to come back with. */
  #gap(after: string, lost: number | null): StreamEvent {
    if (this.#history.length > 0) return gap(after, this.#id(this.#history.oldest), lost);
    return { ...gap(after, null, lost), id: this.lastId };
  }

  /** The records from event `next` on, up to a page; null when it has yet to be published. */
  read(next: number, format: Format): Block | null {
    return next > this.#history.last ? null : this.#pages.get(format)!.pages.block(next);
  }

  /** As {@linkcode MemoryChannel.read}, but only events with one of these tags: perhaps none of those there are. */
  select(next: number, format: Format, tags: ReadonlySet<string>): Block | null {
    const { last } = this.#history;
    if (next > last) return null;
    let records = "";
    for (; next <= last && records.length < selectedBytes; next++) {
      const { tag, data } = this.#history.at(next);
      if (tags.has(tag ?? "")) records += format.event({ id: this.#id(next), data });
    }
    return { encoded: new Encoded(utf8.encode(records)), next };
  }

  /** Stops the wave under way. */
  close(): void {
    this.waves.close();
  }

  #encode(format: Format, pages: Pages, first: number): void {
    for (let number = first; number <= this.#history.last; number++) {
      pages.add(number, format.event({ id: this.#id(number), data: this.#history.at(number).data }));
    }
  }
}

function tooLarge(limit: string, value: number): HttpError {
  return new HttpError(
    413,
    `a post must have at most ${limit}, which the history holds: current value is ${value}`,
  );
}
