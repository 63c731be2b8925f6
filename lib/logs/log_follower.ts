import { gap } from "../stream/event.ts";
import { HttpError } from "../stream/errors.ts";
import { Mark, parseCursor } from "./cursor.ts";
import { FileWatch } from "./file_watch.ts";
import { startOfLast } from "./last_lines.ts";
import type { LogPlace } from "./log_place.ts";
import { type LogItem, LogReader } from "./log_reader.ts";
import { locate } from "./rotation.ts";
import { type Follower, Tail } from "./tail.ts";

/** Where to begin, and whether to go on. */
export interface FollowOptions {
  /** The cursor to go on after; it wins. */
  after?: string;
  /** The last lines to begin with, or "start" for all of them. */
  from: number | "start";
  /** Wait for new lines; otherwise it ends with the last one that is there. */
  follow: boolean;
  /** Called once, with the cursor that it begins at; "" when there is no file yet. */
  begun?: (cursor: string) => void;
  /** Ends it at once, also in the middle of a wait. */
  signal: AbortSignal;
}

/** All the logs that are followed now. */
export class LogFollower {
  readonly #tails = new Map<string, Tail>();
  readonly #watch = new FileWatch();

  /** Follows nothing yet. `lineBytes` is the limit of a line. */
  constructor(readonly lineBytes: number) {}

  /**
   * The lines of a log in blocks, and a `gap` wherever some may be missing. A cursor that leads nowhere is a gap, and then
   * it begins as if none had been given. It never waits for its reader: one that is slow reads the file at its own pace.
   */
  async *follow(place: LogPlace, options: FollowOptions): AsyncGenerator<LogItem> {
    const { follow, signal } = options;
    const follower: Follower = { wake: null };
    const abort = () => follower.wake?.();
    let reader: LogReader | null = new LogReader(place, this.lineBytes);
    let tail: Tail | null = null;
    signal.addEventListener("abort", abort);
    try {
      const lost = await this.#begin(reader, options);
      options.begun?.(reader.cursor);
      if (lost !== null) yield gap(lost, reader.cursor === "" ? null : reader.cursor, null);
      if (!follow) {
        yield* this.#toEnd(reader, options);
        return;
      }
      tail = this.#join(place, follower);
      while (!signal.aborted) {
        // At its own pace, until it has come to the live end …
        const item: LogItem | null = await reader.next();
        if (signal.aborted) return;
        if (item !== null) {
          yield item;
          continue;
        }
        let joined = tail.join(reader);
        if (joined === null) {
          await tail.advance();
          joined = tail.join(reader);
        }
        if (joined === null) {
          // One of the two has moved to a newer file already.
          await changed(follower, signal);
          continue;
        }
        let position: string = reader.cursor;
        if (!joined.adopted) reader[Symbol.dispose]();
        reader = null;
        if (joined.rest !== null) {
          position = joined.rest.after;
          yield joined.rest;
        }
        // … and then with the others.
        for (let { number } = joined; !signal.aborted && !tail.dropped(number);) {
          const item = tail.at(number);
          if (item === undefined) {
            await changed(follower, signal);
            continue;
          }
          number++;
          if (!("data" in item)) position = item.after;
          else if (item.data.next !== null) position = item.data.next;
          yield item;
        }
        if (signal.aborted) return;
        reader = new LogReader(place, this.lineBytes);
        // A log without a file, so far, has no position.
        const lost = position === ""
          ? null
          : await this.#begin(reader, { ...options, after: position, from: "start" });
        if (lost !== null) yield gap(lost, reader.cursor === "" ? null : reader.cursor, null);
      }
    } finally {
      signal.removeEventListener("abort", abort);
      reader?.[Symbol.dispose]();
      if (tail !== null) await this.#leave(tail, follower);
    }
  }

  /** Opens the reader where the options say; returns a cursor that led nowhere. */
  async #begin(reader: LogReader, { after, from, follow, signal }: FollowOptions): Promise<string | null> {
    const { place, lineBytes } = reader;
    const cursor = after === undefined ? null : parseCursor(after);
    if (cursor !== null) {
      const found = await locate(place, cursor, lineBytes);
      if (found !== null) {
        await reader.begin(found.file, cursor.offset, after, found.copied);
        return null;
      }
    }
    const file = await place.open();
    if (file === null && !follow && await place.stat() !== null) {
      throw new HttpError(403, `the log ${place.name} may not be read`);
    }
    if (file !== null) {
      let offset = 0;
      try {
        if (from !== "start") offset = await startOfLast(file, from, { unfinished: !follow, signal });
      } catch (error) {
        file[Symbol.dispose]();
        throw error;
      }
      await reader.begin(file, offset);
    }
    return after ?? null;
  }

  /** What is there now, and no more: a writer that is faster than the reader would keep it for ever. */
  async *#toEnd(reader: LogReader, { from, signal }: FollowOptions): AsyncGenerator<LogItem> {
    const now = await reader.place.stat();
    const last = now === null ? null : new Mark(now).prefix;
    for (;;) {
      const item = await reader.next();
      if (item === null) break;
      yield item;
      if (signal.aborted || !("data" in item) && item.mark.prefix === last && item.end >= now!.size) return;
    }
    const rest = reader.unfinished();
    if (rest !== null && from !== 0) yield rest;
  }

  /** Watches no more. */
  close(): void {
    this.#watch.close();
  }

  #join(place: LogPlace, follower: Follower): Tail {
    let tail = this.#tails.get(place.path);
    if (tail === undefined) this.#tails.set(place.path, tail = new Tail(place, this.#watch));
    tail.followers.add(follower);
    return tail;
  }

  async #leave(tail: Tail, follower: Follower): Promise<void> {
    tail.followers.delete(follower);
    if (tail.followers.size > 0) return;
    this.#tails.delete(tail.place.path);
    await tail.close();
  }
}

function changed(follower: Follower, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    follower.wake = () => {
      follower.wake = null;
      resolve();
    };
  });
}
