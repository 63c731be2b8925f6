import type { FileWatch, Subscription } from "./file_watch.ts";
import type { LineBlock } from "./line_block.ts";
import type { LogPlace } from "./log_place.ts";
import type { LogItem, LogReader } from "./log_reader.ts";

/** What recent items may take, in bytes; who is further behind reads the file. */
const keptBytes = 1_048_576;

/** How often a log is looked at when nobody says that it has changed, in ms; and when nobody would say, just after news. */
const pollMs = 250;
const unwatchedPollMs = 20;

/** A log that nobody watches, or that is not there, is looked at less often the longer it has been quiet. */
const backOff = 1 / 20;

/** Joined reads: with many followers a write to each costs more than waiting this long for more lines, in ms. */
const msPerFollower = 0.03;
const maxWaitMs = 20;

/** Someone who follows a {@linkcode Tail}. */
export interface Follower {
  /** Called when there is something new; it must not throw. */
  wake: (() => void) | null;
}

/**
 * The live end of a log: one reader and one watcher for all who follow it. It keeps its last items for them, numbered, and
 * knows nothing of who has read what: a slow follower falls out of what is kept, and then reads the file by itself.
 */
export class Tail {
  /** Who is told of new items. */
  readonly followers: Set<Follower> = new Set();
  #reader: LogReader | null = null;
  #items: LogItem[] = [];
  #first = 0;
  #bytes = 0;
  #reading: Promise<void> | null = null;
  #again = false;
  #failing = false;
  #readAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #watch: Subscription;
  /** When there last was something new. */
  #newAt = performance.now();
  /** It is looked at because it is time, not because it has changed. */
  #unprompted = false;
  #closed = false;

  /** Begins to look; it reads once the first follower has joined. */
  constructor(readonly place: LogPlace, watch: FileWatch) {
    this.#watch = watch.subscribe(place.path, () => this.#changed());
    this.#timer = setTimeout(this.#poll, unwatchedPollMs);
  }

  /** The number of the next item. */
  get next(): number {
    return this.#first + this.#items.length;
  }

  /** An item by its number; undefined when it is not there yet, or no more. */
  at(number: number): LogItem | undefined {
    return this.#items[number - this.#first];
  }

  /** Whether an item has been dropped already. */
  dropped(number: number): boolean {
    return number < this.#first;
  }

  /**
   * Where to go on after a reader that has come to the end: the number of the next item, and the lines before it that the
   * reader has not seen. The first reader becomes the tail's own. Null when the two have not met.
   */
  join(reader: LogReader): { number: number; rest: LineBlock | null; adopted: boolean } | null {
    if (this.#reader === null) {
      this.#reader = reader;
      return { number: this.next, rest: null, adopted: true };
    }
    const { cursor, offset } = reader;
    if (this.#reader.cursor === cursor) return { number: this.next, rest: null, adopted: false };
    for (let i = this.#items.length - 1; i >= 0; i--) {
      const item = this.#items[i];
      const rest = "data" in item ? null : item.from(offset, cursor);
      if (rest !== null) return { number: this.#first + i + 1, rest, adopted: false };
    }
    return null;
  }

  /** Reads what there is now. */
  async advance(): Promise<void> {
    await this.#reading;
    this.#read();
    await this.#reading;
  }

  /** Stops; resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#watch.end();
    clearTimeout(this.#timer);
    await this.#reading;
    this.#reader?.[Symbol.dispose]();
  }

  /** Reads at once when it has been quiet, and joins what comes in quick succession. */
  #changed(): void {
    if (this.#reading !== null) {
      this.#again = true;
      return;
    }
    const wait = this.#readAt + Math.min(maxWaitMs, this.followers.size * msPerFollower) - performance.now();
    if (wait <= 1) return this.#look();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#look, wait);
  }

  readonly #poll = (): void => {
    this.#unprompted = true;
    this.#look();
  };

  readonly #look = (): void => {
    clearTimeout(this.#timer);
    if (this.#reading === null) this.#read();
  };

  #read(): void {
    if (this.#reading !== null || this.#closed) return;
    this.#again = false;
    this.#reading = this.#readAll().then(() => {
      this.#failing = false;
    }, (error) => {
      // It is tried again at each look, and told once.
      if (!this.#failing) console.error("reading a log failed:", error);
      this.#failing = true;
    }).then(() => {
      this.#reading = null;
      this.#unprompted = false;
      this.#readAt = performance.now();
      clearTimeout(this.#timer);
      if (this.#closed) return;
      if (this.#again) return this.#changed();
      this.#watch.retry();
      const quiet = performance.now() - this.#newAt;
      this.#timer = setTimeout(
        this.#poll,
        this.#watch.live ? pollMs : Math.min(pollMs, unwatchedPollMs + quiet * backOff),
      );
    });
  }

  async #readAll(): Promise<void> {
    while (!this.#closed && this.#reader !== null) {
      const item = await this.#reader.next();
      if (item === null) break;
      this.#newAt = performance.now();
      // It should have been told: what is watched is not what is at the path any more.
      if (this.#unprompted) this.#watch.renew();
      this.#unprompted = false;
      this.#items.push(item);
      this.#bytes += size(item);
      while (this.#bytes > keptBytes && this.#items.length > 1) {
        this.#bytes -= size(this.#items.shift()!);
        this.#first++;
      }
      for (const follower of this.followers) follower.wake?.();
    }
    // Also those who have read by themselves so far: the log may have moved on without a line.
    for (const follower of this.followers) follower.wake?.();
  }
}

function size(item: LogItem): number {
  return "data" in item ? 256 : item.size;
}
