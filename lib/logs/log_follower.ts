import type { Limits } from "../limits.ts";
import { OpensBusy } from "../opens.ts";
import { overloaded, printReport, type Report } from "../stream/errors.ts";
import { type CursorAt, cursorAt, gap, type StreamEvent } from "../stream/event.ts";
import { Limiter } from "../stream/limiter.ts";
import { linesBefore } from "./before.ts";
import { begin, type FollowOptions } from "./begin.ts";
import { FileFingerprint } from "./fingerprint.ts";
import type { LogPlace } from "./log_place.ts";
import { type LogItem, LogReader } from "./log_reader.ts";
import { asBusy } from "./refused.ts";
import { Follower, pollMs, Tail, type TailItem } from "./tail.ts";
import { scans } from "./turns.ts";

/** Bytes of lines that it takes a turn to filter. */
const scanBytes = 65_536;

/** Lines, a gap, an unfinished last line, the cursor that it begins at, or how far back it has looked for wanted lines. */
export type FollowItem = TailItem | CursorAt | StreamEvent<{ from: string }>;

/** All the logs that are followed now. */
export class LogFollower {
  readonly #tails = new Map<string, Tail>();
  /** Limits the backward searches under way. */
  readonly searches: Limiter;

  /** `poll` returns the time until a log is polled again, `now` a time in ms that never goes back. */
  constructor(
    readonly limits: Pick<Limits, "lineBytes" | "followedLogs" | "searchBytes" | "searches">,
    readonly report: Report = printReport,
    readonly poll: typeof pollMs = pollMs,
    readonly now: () => number = () => performance.now(),
  ) {
    this.searches = new Limiter(limits.searches);
  }

  /**
   * The lines of a log in blocks, and a `gap` wherever some may be missing. A cursor that leads nowhere is a gap, and then
   * it begins as if none had been given. A client that follows gets the cursor that it begins at before the first line. It
   * never waits for its reader: one that is slow reads the file at its own pace.
   *
   * @throws HttpError 503 when too many logs are followed; 403 when it is not to be followed and may not be read
   */
  async *follow(place: LogPlace, options: FollowOptions): AsyncGenerator<FollowItem> {
    const { follow, signal, before } = options;
    const { searches, limits: { lineBytes, searchBytes } } = this;
    if (before !== undefined) {
      return yield* linesBefore(place, before, options, { lineBytes, searchBytes, searches });
    }
    const follower = new Follower(signal);
    const tail = follow ? this.#tail(place) : null;
    tail?.followers.add(follower);
    let reader: LogReader | null = null;
    try {
      for (let wanted = options; !signal.aborted;) {
        reader = new LogReader(place, lineBytes, this.now);
        const { lost, searched } = await begin(reader, wanted, { searchBytes, searches });
        const start = reader.cursor;
        wanted.begun?.(start);
        if (lost !== null) yield gap(lost, start, null);
        if (searched) yield { event: "searched", data: { from: start } };
        if (tail === null) return yield* toEnd(reader, options);
        if (start !== wanted.after) yield cursorAt(start);
        // At its own pace, until it has come to the live end …
        const joined = yield* catchUp(reader, tail, follower, options);
        if (joined === null) return;
        reader = null;
        // … and then with the others.
        follower.apart = false;
        let { number, cursor } = joined;
        if (tail.unfinished !== null && tail.at(number) === undefined) yield tail.unfinished;
        for (let item; !signal.aborted && (item = tail.at(number)) !== null;) {
          if (item === undefined) {
            await follower.woken();
            continue;
          }
          number++;
          if (!("data" in item)) cursor = item.after.cursor;
          else if (typeof item.data !== "string") cursor = item.data.next ?? cursor;
          yield item;
        }
        follower.apart = true;
        wanted = { follow, signal, after: cursor, from: "start" };
      }
    } catch (error) {
      asBusy(error);
    } finally {
      reader?.[Symbol.dispose]();
      tail?.followers.delete(follower);
      if (tail?.followers.size === 0) {
        this.#tails.delete(place.path);
        await tail.close();
      }
    }
  }

  #tail(place: LogPlace): Tail {
    let tail = this.#tails.get(place.path);
    if (tail === undefined) {
      const { followedLogs } = this.limits;
      if (this.#tails.size >= followedLogs) throw overloaded("followed logs", followedLogs);
      this.#tails.set(place.path, tail = new Tail(place, this.report, this.poll, this.now));
    }
    return tail;
  }
}

/** The next item; many lines take turns where only some are wanted. */
async function next(reader: LogReader, { wanted, signal }: FollowOptions): Promise<LogItem | null> {
  const item = await reader.next(signal);
  const isMuch = item !== null && !("data" in item) && item.size >= scanBytes;
  if (wanted !== undefined && isMuch) await scans.next(signal);
  return item;
}

/** Only what there is now: a writer that is faster than the reader would never let it end. */
async function* toEnd(reader: LogReader, options: FollowOptions): AsyncGenerator<LogItem> {
  const { from, signal } = options;
  const now = await reader.place.stat();
  const last = now === null ? null : FileFingerprint.start(now).prefix;
  for (;;) {
    const item = await next(reader, options);
    if (item === null) {
      // The file that is there now may not be read.
      if (now !== null && now.size > 0 && !reader.cursor.startsWith(last!)) {
        yield gap(reader.cursor, null, null);
      }
      break;
    }
    yield item;
    if (signal.aborted) return;
    if (!("data" in item) && item.after.prefix === last && item.after.offset >= now!.size) return;
  }
  const rest = reader.unfinished();
  if (rest !== null && from !== 0) yield rest;
}

/** Reads until it has met the tail, and closes the reader unless the tail has taken it over; null when the client has left before. */
async function* catchUp(
  reader: LogReader,
  tail: Tail,
  follower: Follower,
  options: FollowOptions,
): AsyncGenerator<LogItem, { number: number; cursor: string } | null> {
  const { signal } = follower;
  while (!signal.aborted) {
    const item = await next(reader, options).catch(unlessBusy);
    if (signal.aborted) break;
    if (item !== null) {
      yield item;
      continue;
    }
    const { cursor } = reader;
    const joined = tail.join(reader) ?? await tail.advance().then(() => tail.join(reader));
    if (joined !== null) {
      if (tail.reader !== reader) reader[Symbol.dispose]();
      const { number, rest } = joined;
      if (rest !== null) yield rest;
      return { number, cursor: rest?.after.cursor ?? cursor };
    }
    // One of the two has moved to a newer file already.
    await follower.woken();
  }
  return null;
}

/** A file that cannot be opened for now is treated as absent. */
function unlessBusy(error: unknown): null {
  if (error instanceof OpensBusy) return null;
  throw error;
}
