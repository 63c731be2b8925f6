import { OpensBusy } from "../opens.ts";
import type { Report } from "../stream/errors.ts";
import type { LineBlock } from "./line_block.ts";
import type { LogPlace } from "./log_place.ts";
import type { LogItem, LogReader } from "./log_reader.ts";

/** Bytes of recent items that are retained; a follower that is further behind reads the file. */
const retainedBytes = 1_048_576;

/** What the time until the next look at a log depends on. */
export interface TailState {
  followers: number;
  /** Time since its last line, in ms. */
  quietMs: number;
  /** There is no file at its path. */
  absent: boolean;
}

/** Lines count as coming for this long after the last one, in ms. */
const comingMs = 1_000;

/**
 * Time until the next look at a log, in ms. With many followers each line costs a write to each, so lines are waited for a
 * little longer and sent together.
 */
export function pollMs({ followers, quietMs, absent }: TailState): number {
  if (quietMs < comingMs) return followers <= 50 ? 10 : 20;
  return absent ? 1_000 : Math.min(1_000, Math.max(100, quietMs / 600));
}

/** A client that follows a {@linkcode Tail}. */
export interface Follower {
  /** Called when there may be something new; it must not throw. */
  wake: (() => void) | null;
  /** It still reads by itself, and is woken after each look: the log may have moved on without a line. */
  apart: boolean;
}

/**
 * The live end of a log: one reader, which polls the file for all who follow it. It retains its last items for them,
 * numbered, and does not know who has read what: a slow follower falls behind what is retained, and then reads the file by
 * itself.
 */
export class Tail {
  readonly followers: Set<Follower> = new Set();
  reader: LogReader | null = null;
  #items: LogItem[] = [];
  /** Number of the first of the items, and their size together. */
  #first = 0;
  #bytes = 0;
  /** The reader's cursor after the last item. */
  #cursor = "";
  #looking: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failing = false;
  #newAt = performance.now() - comingMs;
  #closed = false;

  /** Reads nothing before the first follower has joined. */
  constructor(readonly place: LogPlace, readonly report: Report, readonly poll: typeof pollMs) {}

  /** An item by its number; undefined when it is not there yet, or no longer. */
  at(number: number): LogItem | undefined {
    return this.#items[number - this.#first];
  }

  /** Whether an item is no longer retained. */
  dropped(number: number): boolean {
    return number < this.#first;
  }

  /**
   * Where to go on after a reader that has come to the end: the number of the next item, and the lines before it that the
   * reader has not seen. The first reader becomes the tail's own. Null when the two have not met.
   */
  join(reader: LogReader): { number: number; rest: LineBlock | null } | null {
    const { at, cursor } = reader;
    if (this.reader === null) {
      this.reader = reader;
      this.#cursor = cursor;
      this.#wait();
    }
    if (this.#cursor === cursor) return { number: this.#first + this.#items.length, rest: null };
    for (let i = this.#items.length - 1; i >= 0 && at !== null; i--) {
      const item = this.#items[i];
      const rest = "data" in item ? null : item.since(at);
      if (rest !== null) return { number: this.#first + i + 1, rest };
    }
    return null;
  }

  /** Reads what there is now. */
  async advance(): Promise<void> {
    await this.#looking;
    await this.#look();
  }

  /** Stops; resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
    this.reader?.[Symbol.dispose]();
  }

  readonly #look = (): Promise<void> => {
    if (this.#closed || this.reader === null) return Promise.resolve();
    clearTimeout(this.#timer);
    return this.#looking ??= this.#read(this.reader).then(() => {
      this.#looking = null;
      if (!this.#closed) this.#wait();
    });
  };

  #wait(): void {
    const quietMs = performance.now() - this.#newAt;
    const ms = this.poll({ followers: this.followers.size, quietMs, absent: this.reader!.absent });
    this.#timer = setTimeout(this.#look, ms);
  }

  async #read(reader: LogReader): Promise<void> {
    try {
      while (!this.#closed) {
        const item = await reader.next();
        if (item === null) break;
        this.#keep(item);
        this.#cursor = reader.cursor;
        this.#newAt = performance.now();
        for (const { wake } of this.followers) wake?.();
      }
      this.#failing = false;
    } catch (error) {
      // It is tried again at each look, and reported once.
      if (!this.#failing && !(error instanceof OpensBusy)) this.report("reading a log failed", error);
      this.#failing = true;
    }
    this.#cursor = reader.cursor;
    for (const { wake, apart } of this.followers) if (apart) wake?.();
  }

  #keep(item: LogItem): void {
    this.#items.push(item);
    this.#bytes += size(item);
    while (this.#bytes > retainedBytes && this.#items.length > 1) {
      this.#bytes -= size(this.#items.shift()!);
      this.#first++;
    }
  }
}

function size(item: LogItem): number {
  return "data" in item ? 256 : item.size;
}
