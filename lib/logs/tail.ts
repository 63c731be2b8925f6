import { OpensBusy } from "../opens.ts";
import type { Report } from "../stream/errors.ts";
import type { StreamEvent } from "../stream/event.ts";
import type { LineBlock } from "./line_block.ts";
import type { LogPlace } from "./log_place.ts";
import type { LogItem, LogReader } from "./log_reader.ts";

/** Bytes of recent items that are retained; a follower that is further behind reads the file. */
const retainedBytes = 1_048_576;

/** The last line, without its newline, is sent after this long without more of it, in ms. */
const pauseMs = 1_000;

/** Lines count as coming for this long after the last one, in ms. */
const comingMs = 1_000;

/**
 * Time until a log is polled again, in ms. `quietMs`: time since its last line; `absent`: there is no file at its path. With
 * many followers each line costs a write to each, so lines are waited for a little longer and sent together.
 */
export function pollMs(followers: number, quietMs: number, absent: boolean): number {
  if (quietMs < comingMs) return followers <= 50 ? 10 : 20;
  return absent ? 1_000 : Math.min(1_000, Math.max(100, quietMs / 600));
}

/** Lines, a gap, or an unfinished last line. */
export type TailItem = LogItem | StreamEvent<string>;

/** A client that follows a {@linkcode Tail}. */
export class Follower {
  /** It still reads by itself, and is woken after each poll: the log may have moved on without a line. */
  apart = true;
  /** Called when there may be something new. */
  wake: () => void = () => {};

  constructor(readonly signal: AbortSignal) {
    signal.addEventListener("abort", () => this.wake());
  }

  /** Resolves when there may be something new, or the client has left. */
  woken(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
      if (this.signal.aborted) resolve();
    });
  }
}

/**
 * The live end of a log: one reader, which polls the file for all followers. It retains the last items, numbered; a follower
 * that falls behind them reads the file by itself.
 */
export class Tail {
  readonly followers: Set<Follower> = new Set();
  reader: LogReader | null = null;
  #items: TailItem[] = [];
  /** The last line when it has no newline so far, since when it is as it is, and the event that was sent of it. */
  #partial: { line: string; since: number; event: StreamEvent<string> | null } | null = null;
  /** Number of the first of the items, and their size together. */
  #first = 0;
  #bytes = 0;
  /** The reader's cursor after the last item. */
  #cursor = "";
  #looking: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failing = false;
  #newAt = performance.now() - comingMs;
  readonly #closed = new AbortController();

  /** Reads nothing before the first follower has joined. */
  constructor(
    readonly place: LogPlace,
    readonly report: Report,
    readonly poll: typeof pollMs,
    readonly now: () => number,
  ) {}

  /** An item by its number: undefined when it is not there yet, null when it is no longer retained. */
  at(number: number): TailItem | null | undefined {
    return number < this.#first ? null : this.#items[number - this.#first];
  }

  /** What was sent of an unfinished last line in this pause. */
  get unfinished(): StreamEvent<string> | null {
    return this.#partial?.event ?? null;
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

  async advance(): Promise<void> {
    await this.#looking;
    await this.#look();
  }

  /** Stops; resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#closed.abort();
    clearTimeout(this.#timer);
    await this.#looking;
    this.reader?.[Symbol.dispose]();
  }

  readonly #look = (): Promise<void> => {
    if (this.#closed.signal.aborted || this.reader === null) return Promise.resolve();
    clearTimeout(this.#timer);
    return this.#looking ??= this.#read(this.reader).then(() => {
      this.#looking = null;
      if (!this.#closed.signal.aborted) this.#wait();
    });
  };

  #wait(): void {
    const quietMs = performance.now() - this.#newAt;
    this.#timer = setTimeout(this.#look, this.poll(this.followers.size, quietMs, this.reader!.absent));
  }

  async #read(reader: LogReader): Promise<void> {
    try {
      const { signal } = this.#closed;
      while (!signal.aborted) {
        const item = await reader.next(signal);
        if (item === null) break;
        this.#add(item);
        this.#cursor = reader.cursor;
        this.#newAt = performance.now();
      }
      this.#pause(reader.unfinished()?.lines()[0].data);
      this.#failing = false;
    } catch (error) {
      // It is tried again at each look, and reported once.
      if (!this.#closed.signal.aborted && !this.#failing && !(error instanceof OpensBusy)) {
        this.report("reading a log failed", error);
      }
      this.#failing = true;
    }
    this.#cursor = reader.cursor;
    for (const follower of this.followers) if (follower.apart) follower.wake();
  }

  /** Once a pause, what there is of an unfinished line is an item too; the whole line follows. */
  #pause(line: string | undefined): void {
    const now = this.now();
    if (line === undefined) this.#partial = null;
    else if (line !== this.#partial?.line) this.#partial = { line, since: now, event: null };
    else if (this.#partial.event === null && now - this.#partial.since >= pauseMs) {
      this.#add(this.#partial.event = { event: "unfinished", data: line });
    }
  }

  #add(item: TailItem): void {
    this.#items.push(item);
    this.#bytes += size(item);
    while (this.#bytes > retainedBytes && this.#items.length > 1) {
      this.#bytes -= size(this.#items.shift()!);
      this.#first++;
    }
    for (const follower of this.followers) follower.wake();
  }
}

function size(item: TailItem): number {
  if (!("data" in item)) return item.size;
  return typeof item.data === "string" ? 2 * item.data.length : 256;
}
