import { type Encoder, type Format, gap, sseEncoder, type StreamEvent, textEncoder } from "../encoders.ts";
import { HttpError } from "../errors.ts";
import type { Value } from "./channel.ts";
import { type Block, Pages } from "./pages.ts";
import { Waves } from "./waves.ts";

/** The bounds of one channel's history. */
export interface ChannelLimits {
  /** Events that are kept. */
  readonly channelEvents: number;
  /** Bytes of JSON that are kept. */
  readonly channelBytes: number;
}

/** A kept value, and what it counts for. */
interface Kept extends Value {
  bytes: number;
}

/** Beside its text an event takes about so many bytes of memory; they count where all channels are bounded together. */
const overhead = 128;

/** How long the history may be larger after many values came together. */
const extraMs = 1_000;

/** Stands for what has left the history until the array is cut. */
const evicted: Kept = { json: "", text: null, bytes: 0 };

const utf8 = new TextEncoder();

/** One channel in memory: a bounded history, its encoded forms while somebody reads them, and those who wait for more. */
export class MemoryChannel {
  /** Random for each creation, so that a cursor of a former life is never taken for one of this. */
  readonly #life = [...crypto.getRandomValues(new Uint8Array(6))]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
  #kept: Kept[] = [];
  /** Where in `#kept` the history starts: what is before it has been evicted. */
  #head = 0;
  /** Number of the oldest event kept; one more than the last when none is. Events count from 1. */
  #oldest = 1;
  #bytes = 0;
  #readers = 0;
  readonly #pages = new Map<Format, { pages: Pages; readers: number }>();
  /** Wakes the subscribers when there is more. */
  readonly waves: Waves = new Waves();
  /** What the history may hold beyond its limits for a moment, and until when. */
  #extra = { events: 0, bytes: 0 };
  #extraTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #text: Encoder;

  /**
   * A channel without events.
   *
   * @param line the text wording of a value, without its line end
   */
  constructor(
    readonly limits: ChannelLimits,
    line: (value: Value) => string = ({ json, text }) => text ?? json,
  ) {
    this.#text = textEncoder((event) => line(event.data as Value));
  }

  get #length(): number {
    return this.#kept.length - this.#head;
  }

  get #last(): number {
    return this.#oldest + this.#length - 1;
  }

  /** Subscribers now. */
  get readers(): number {
    return this.#readers;
  }

  /** Bytes that the history takes. */
  get size(): number {
    return this.#bytes + this.#length * overhead;
  }

  /** Whether there is nothing that a subscriber could come back for. */
  get idle(): boolean {
    return this.#readers === 0 && this.#length === 0;
  }

  /** The id of the last event, or of none yet: what comes after it has not been published. */
  get tip(): string {
    return this.#id(this.#last);
  }

  #id(number: number): string {
    return `${this.#life}-${number}`;
  }

  /**
   * Adds values in order, all of them or none; gives the last one's id.
   *
   * @throws HttpError 413 for a value larger than the whole history
   */
  publish(values: readonly Value[]): string {
    const { channelBytes } = this.limits;
    const added = values.map((value) => {
      const bytes = utf8.encode(value.json).length;
      if (bytes > channelBytes) {
        throw new HttpError(
          413,
          `an event must have at most ${channelBytes} bytes: current value is ${bytes}`,
        );
      }
      return { ...value, bytes };
    });
    const first = this.#last + 1;
    for (const value of added) {
      this.#kept.push(value);
      this.#bytes += value.bytes;
    }
    for (const [format, { pages }] of this.#pages) this.#encode(format, pages, first);
    this.#makeRoom(added);
    this.#trim();
    this.waves.announce();
    return this.tip;
  }

  /** Values that came together are more than the history holds: whoever keeps up gets a moment to read them all. */
  #makeRoom(added: readonly Kept[]): void {
    const { channelEvents, channelBytes } = this.limits;
    const bytes = added.reduce((sum, value) => sum + value.bytes, 0);
    if (this.#readers === 0 || added.length <= channelEvents && bytes <= channelBytes) return;
    this.#extra = { events: added.length, bytes };
    clearTimeout(this.#extraTimer);
    this.#extraTimer = setTimeout(() => {
      this.#extra = { events: 0, bytes: 0 };
      this.#trim();
    }, extraMs);
  }

  /** Drops the oldest events until the history takes at most `size` bytes, to make room for other channels. */
  shrink(size: number): void {
    this.#trim(size);
  }

  /** Takes part as a subscriber; `leave` has to follow. */
  join(format: Format): void {
    this.#readers++;
    const entry = this.#pages.get(format);
    if (entry !== undefined) entry.readers++;
    else {
      const pages = new Pages();
      this.#encode(format, pages, this.#oldest);
      this.#pages.set(format, { pages, readers: 1 });
    }
  }

  /** Ends a {@linkcode MemoryChannel.join}. */
  leave(format: Format): void {
    this.#readers--;
    if (--this.#pages.get(format)!.readers === 0) this.#pages.delete(format);
  }

  /** The number that a cursor goes on with, and the gap to tell first when it cannot be followed exactly. */
  locate(after: string | undefined): { next: number; gap: StreamEvent | null } {
    if (after === undefined) return { next: this.#last + 1, gap: null };
    if (after === "0") return { next: this.#oldest, gap: null };
    const [, life, number] = /^([0-9a-f]+)-(\d{1,15})$/.exec(after) ?? [];
    if (life === this.#life && Number(number) <= this.#last) return { next: Number(number) + 1, gap: null };
    return { next: this.#oldest, gap: gap(after, this.#nextId(), null) };
  }

  /** The gap between `next`, which has been evicted, and what is kept. */
  missed(next: number): { next: number; gap: StreamEvent } | null {
    if (next >= this.#oldest) return null;
    return { next: this.#oldest, gap: gap(this.#id(next - 1), this.#nextId(), this.#oldest - next) };
  }

  #nextId(): string | null {
    return this.#last < this.#oldest ? null : this.#id(this.#oldest);
  }

  /** What there is from event `next` on, up to a page; null when it has yet to be published. */
  read(next: number, format: Format): Block | null {
    return next > this.#last ? null : this.#pages.get(format)!.pages.block(next);
  }

  /** As {@linkcode MemoryChannel.read}, but only what has one of these tags: perhaps nothing of what there is. */
  select(next: number, format: Format, tags: ReadonlySet<string>): Block | null {
    if (next > this.#last) return null;
    let records = "";
    for (; next <= this.#last && records.length < 16_384; next++) {
      const value = this.#kept[this.#head + next - this.#oldest];
      if (tags.has(value.tag ?? "")) records += this.#record(format, next, value);
    }
    return { bytes: utf8.encode(records), next };
  }

  /** Stops what is under way. */
  close(): void {
    clearTimeout(this.#extraTimer);
    this.waves.close();
  }

  #encode(format: Format, pages: Pages, first: number): void {
    for (let number = first; number <= this.#last; number++) {
      pages.add(number, this.#record(format, number, this.#kept[this.#head + number - this.#oldest]));
    }
  }

  #record(format: Format, number: number, value: Value): string {
    const id = this.#id(number);
    if (format === "ndjson") return `{"id":"${id}","data":${value.json}}\n`;
    return format === "sse"
      ? sseEncoder.event({ id, data: value.text ?? value.json })
      : this.#text.event({ data: value });
  }

  /** Evicts what is beyond the limits, and what makes the history larger than `size`. */
  #trim(size = Infinity): void {
    const events = this.limits.channelEvents + this.#extra.events;
    const bytes = this.limits.channelBytes + this.#extra.bytes;
    const had = this.#oldest;
    while (this.#length > 0 && (this.#length > events || this.#bytes > bytes || this.size > size)) {
      this.#bytes -= this.#kept[this.#head].bytes;
      this.#kept[this.#head++] = evicted;
      this.#oldest++;
    }
    if (this.#oldest === had) return;
    if (this.#head >= 1_024 && this.#head * 2 >= this.#kept.length) {
      this.#kept = this.#kept.slice(this.#head);
      this.#head = 0;
    }
    for (const { pages } of this.#pages.values()) pages.evict(this.#oldest);
  }
}
