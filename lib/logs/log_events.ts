import { Encoded } from "../stream/event.ts";
import { merge } from "../stream/merge.ts";
import type { Source } from "../stream/source.ts";
import type { FollowOptions } from "./begin.ts";
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
      if ("data" in item) yield item;
      else if (grep === undefined) yield item.encode(format);
      else {
        const records = item.records(format, grep);
        if (records.length > 0) yield new Encoded(records, item.after.cursor);
      }
    }
  };
}

/**
 * Several logs as one stream of {@linkcode NamedLine}s. The id of an event is a cursor of them all, `NAME=CURSOR&…` as in a
 * query, so that the whole can be resumed; the cursor of a log that does not exist yet is empty.
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
        const cursor = given.get(name);
        // With an empty one the log did not exist when the client left: all of it is new.
        const start = cursor === "" ? { from: "start" as const } : { after: cursor ?? after };
        return named(name, follower.follow(place, { ...options, ...start, begun, signal }));
      });
    };
    for await (const [name, item] of merge(sources, { signal }) as AsyncIterable<NamedItem>) {
      await allBegun.promise;
      if ("data" in item) {
        cursors.set(name, item.data.next ?? "");
        yield { event: "gap", data: { name, ...item.data } };
        continue;
      }
      for (const { id: cursor, data: line } of item.lines()) {
        if (cursor !== undefined) cursors.set(name, cursor);
        if (grep !== undefined && !line.includes(grep)) continue;
        const data: NamedLine = { name, line, cursor };
        if (cursor === undefined) yield { data };
        else {
          const id = [...cursors].map(([name, cursor]) => `${encodeURIComponent(name)}=${cursor}`).join("&");
          yield { id, data };
        }
      }
    }
  };
}

type NamedItem = [name: string, item: LogItem];

async function* named(name: string, items: AsyncIterable<LogItem>): AsyncGenerator<NamedItem> {
  for await (const item of items) yield [name, item];
}
