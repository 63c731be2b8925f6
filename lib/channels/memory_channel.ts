import { endOfTurn } from "../clock.ts";
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

/** So many values are added in one turn of the event loop, about 1 ms with readers in each format. */
const perTurn = 256;

/** How long the history may be larger after many values came together. */
const extraMs = 1_000;

/** Stands for what has left the history until the array is cut. */
const evicted: Kept = { json: "", text: null, bytes: 0 };

const utf8 = new TextEncoder();
const text = new TextDecoder("utf-8", { ignoreBOM: true });

/** What ids begin with: random, so that a cursor of a former life is never taken for one of this. */
export function newLife(): string {
  return [...crypto.getRandomValues(new Uint8Array(6))].map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/** One channel in memory: a bounded history, its encoded forms while somebody reads them, and those who wait for more. */
export class MemoryChannel {
  #kept: Kept[] = [];
  /** Where in `#kept` the history starts: what is before it has been evicted. */
  #head = 0;
  /** Number of the oldest event kept; one more than the last when none is. Events count from 1. */
  #oldest = 1;
  #bytes = 0;
  /** The last event of each tag that has been evicted. */
  readonly #gone = new Map<string, number>();
  #readers = 0;
  readonly #pages = new Map<Format, { pages: Pages; readers: number }>();
  /** Wakes the subscribers when there is more. */
  readonly waves: Waves = new Waves();
  /** What the history may hold beyond its limits for a moment, and until when. */
  #extra = { events: 0, bytes: 0 };
  /** The last of the posts that are being added bit by bit. */
  #adding: Promise<string> | null = null;
  #extraTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #text: Encoder;

  /**
   * A channel without events.
   *
   * @param line the text wording of a value, without its line end
   * @param life what its ids begin with
   */
  constructor(
    readonly limits: ChannelLimits,
    line: (value: Value) => string = ({ json, text }) => text ?? json,
    readonly life: string = newLife(),
  ) {
    this.#text = textEncoder((event) => line(event.data as Value));
  }

  get #length(): number {
    return this.#kept.length - this.#head;
  }

  get #last(): number {
    return this.#oldest + this.#length - 1;
  }

  /** Bytes that the history takes. */
  get size(): number {
    return this.#bytes + this.#length * overhead;
  }

  /** Whether somebody reads it, or is adding to it. */
  get inUse(): boolean {
    return this.#readers > 0 || this.#adding !== null;
  }

  /** Whether there is nothing that a subscriber could come back for. */
  get idle(): boolean {
    return !this.inUse && this.#length === 0;
  }

  /** Whether it never had an event. */
  get unused(): boolean {
    return this.#last === 0;
  }

  /** The id of the last event, or of none yet: what comes after it has not been published. */
  get tip(): string {
    return this.#id(this.#last);
  }

  #id(number: number): string {
    return `${this.life}-${number}`;
  }

  /**
   * Adds values in order, all of them or none; gives the last one's id: at once, unless there are many, or many are being
   * added.
   *
   * @throws HttpError 413 for a value larger than the whole history
   */
  publish(values: readonly Value[]): string | Promise<string> {
    const { channelBytes } = this.limits;
    for (const { json } of values) {
      if (json.length * 3 <= channelBytes) continue;
      const bytes = utf8.encode(json).length;
      if (bytes <= channelBytes) continue;
      throw new HttpError(413, `an event must have at most ${channelBytes} bytes: current value is ${bytes}`);
    }
    if (this.#adding === null && values.length <= perTurn) {
      const allowed = this.#allow(values);
      const id = this.#add(values);
      if (allowed) this.#disallow();
      return id;
    }
    const added = this.#addMany(values, this.#adding);
    this.#adding = added;
    const free = () => {
      if (this.#adding === added) this.#adding = null;
    };
    added.then(free, free);
    return added;
  }

  /** Adds values after all that came before them, and leaves everybody else a turn now and then. */
  async #addMany(values: readonly Value[], before: Promise<string> | null): Promise<string> {
    await before;
    const allowed = this.#allow(values);
    for (let at = 0; at < values.length; at += perTurn) {
      if (at > 0) await new Promise<void>(endOfTurn);
      this.#add(values.slice(at, at + perTurn));
    }
    if (allowed) this.#disallow();
    return this.tip;
  }

  #add(values: readonly Value[]): string {
    const first = this.#last + 1;
    for (const value of values) {
      const bytes = utf8.encode(value.json);
      // A copy: a slice of a posted body would keep all of that body.
      this.#kept.push({ ...value, json: text.decode(bytes), bytes: bytes.length });
      this.#bytes += bytes.length;
    }
    for (const [format, { pages }] of this.#pages) this.#encode(format, pages, first);
    this.#trim();
    this.waves.announce();
    return this.tip;
  }

  /** Values that came together may be more than the history holds: whoever keeps up gets a moment to read them all. */
  #allow(values: readonly Value[]): boolean {
    if (this.#readers === 0) return false;
    const { channelEvents, channelBytes } = this.limits;
    // A character of JSON is at most three bytes.
    const bytes = values.reduce((sum, { json }) => sum + json.length * 3, 0);
    if (values.length <= channelEvents && bytes <= channelBytes) return false;
    this.#extra = { events: values.length, bytes };
    clearTimeout(this.#extraTimer);
    return true;
  }

  /** The moment begins when the last of them has been added. */
  #disallow(): void {
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
    if (life === this.life && Number(number) <= this.#last) return { next: Number(number) + 1, gap: null };
    return { next: this.#oldest, gap: this.#gap(after, null) };
  }

  /**
   * What there is between `next`, which has been evicted, and what is kept: a gap, unless nothing of it has one of these
   * tags.
   */
  missed(next: number, tags?: ReadonlySet<string>): { next: number; gap: StreamEvent | null } | null {
    if (next >= this.#oldest) return null;
    const after = this.#id(next - 1);
    if (tags === undefined) return { next: this.#oldest, gap: this.#gap(after, this.#oldest - next) };
    const lost = [...tags].some((tag) => (this.#gone.get(tag) ?? 0) >= next);
    return { next: this.#oldest, gap: lost ? this.#gap(after, null) : null };
  }

  /** With nothing to go on with, the gap itself has the cursor to come back with. */
  #gap(after: string, lost: number | null): StreamEvent {
    if (this.#length > 0) return gap(after, this.#id(this.#oldest), lost);
    return { ...gap(after, null, lost), id: this.tip };
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
      const { bytes, tag } = this.#kept[this.#head];
      this.#bytes -= bytes;
      if (tag !== undefined) this.#gone.set(tag, this.#oldest);
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
