import { CursorAt, cursorAt, Encoded } from "../stream/event.ts";
import { merge } from "../stream/merge.ts";
import type { Source } from "../stream/source.ts";
import type { FollowOptions } from "./begin.ts";
import { encodeLines } from "./line_block.ts";
import type { LogFollower } from "./log_follower.ts";
import type { LogPlace } from "./log_place.ts";
import type { LogItem } from "./log_reader.ts";

/** A line of several logs. */
export interface NamedLine {
  /** Of the log. */
  name: string;
  line: string;
  /** The cursor after it, for the log alone. */
  cursor?: string;
}

/** What a client asks of a log. */
export interface LogOptions extends Pick<FollowOptions, "from" | "follow"> {
  /** What the lines have to contain. */
  grep?: string;
}

/** One log as blocks of records. */
export function logRecords(follower: LogFollower, place: LogPlace, { grep, ...options }: LogOptions): Source {
  return async function* ({ after, format, signal }) {
    for await (const item of follower.follow(place, { ...options, after, signal })) {
      if (item instanceof CursorAt || "data" in item) yield item;
      else if (grep === undefined) yield item.encode(format);
      else {
        const lines = item.lines((line) => line.includes(grep));
        if (lines.length > 0) yield new Encoded(encodeLines(lines, format), lines.at(-1)!.id);
        const { cursor } = item.after;
        if (options.follow && lines.at(-1)?.id !== cursor) yield cursorAt(cursor);
      }
    }
  };
}

/**
 * Several logs as one stream of {@linkcode NamedLine}s. The id of an event is a cursor of them all, `NAME=CURSOR&…` as in a
 * query, so that the whole can be resumed.
 */
export function mergedLogs(
  follower: LogFollower,
  places: LogPlace[],
  { grep, ...options }: LogOptions,
): Source {
  return async function* ({ after, signal }) {
    const given = new URLSearchParams(after);
    const cursors = new Map<string, string>(places.map(({ name }) => [name, given.get(name) ?? ""]));
    // An id has to have the beginning of each log, also of one without a line so far.
    const allBegun = Promise.withResolvers<void>();
    let beginning = places.length;
    const sources = (signal: AbortSignal) => {
      // Each has begun by then, or never will.
      signal.addEventListener("abort", () => allBegun.resolve());
      return places.map((place) => {
        const { name } = place;
        const begun = (cursor: string) => {
          cursors.set(name, cursor);
          if (--beginning === 0) allBegun.resolve();
        };
        const start = given.get(name) ?? after;
        return named(name, follower.follow(place, { ...options, after: start, begun, signal }));
      });
    };
    const id = () => [...cursors].map(([name, cursor]) => `${encodeURIComponent(name)}=${cursor}`).join("&");
    let sent = after;
    for await (const [name, item] of merge(sources, { signal }) as AsyncIterable<NamedItem>) {
      await allBegun.promise;
      if (item instanceof CursorAt) cursors.set(name, item.id);
      else if ("data" in item) {
        if (item.data.next !== null) cursors.set(name, item.data.next);
        yield { event: "gap", data: { name, ...item.data } };
      } else {
        for (const { id: cursor, data: line } of item.lines()) {
          if (cursor !== undefined) cursors.set(name, cursor);
          if (grep !== undefined && !line.includes(grep)) continue;
          const data: NamedLine = { name, line, cursor };
          yield cursor === undefined ? { data } : { id: sent = id(), data };
        }
      }
      // At the start, and past what is filtered out.
      if (options.follow && sent !== id()) yield cursorAt(sent = id());
    }
  };
}

type NamedItem = [name: string, item: LogItem | CursorAt];

async function* named(name: string, items: AsyncIterable<LogItem | CursorAt>): AsyncGenerator<NamedItem> {
  for await (const item of items) yield [name, item];
}
