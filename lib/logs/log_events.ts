import { Encoded } from "../stream/event.ts";
import { merge } from "../stream/merge.ts";
import type { Source } from "../stream/source.ts";
import { encodeLines } from "./line_block.ts";
import type { FollowOptions, LogFollower } from "./log_follower.ts";
import type { LogPlace } from "./log_place.ts";
import type { LogItem } from "./log_reader.ts";

const encoder = new TextEncoder();

/** What a line of several logs is: `cursor` is that of its own log. */
export interface NamedLine {
  /** Of the log. */
  name: string;
  /** The line itself. */
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
        const lines = item.lines(grep);
        if (lines.length > 0) yield new Encoded(encoder.encode(encodeLines(lines, format)));
      }
    }
  };
}

/**
 * Several logs as one stream of {@linkcode NamedLine}s. The id of an event is a cursor of them all, `NAME=CURSOR&…` as in a
 * query, so that the whole can be resumed; a log that has not been there yet has an empty one.
 */
export function mergedLogs(
  follower: LogFollower,
  places: LogPlace[],
  { grep, ...options }: LogOptions,
): Source {
  return async function* ({ after, signal }) {
    const given = after === undefined ? null : new URLSearchParams(after);
    const cursors = new Map<string, string>(places.map(({ name }) => [name, given?.get(name) ?? ""]));
    const id = () => [...cursors].map(([name, cursor]) => `${encodeURIComponent(name)}=${cursor}`).join("&");
    // An id has to know where each log begins, also one that has had no line yet.
    const begun: Promise<void>[] = [];
    const sources = (signal: AbortSignal) =>
      places.map((place) => {
        const cursor = given?.get(place.name);
        // There was nothing of it yet when the client left: all that is there now is new.
        const start: Partial<FollowOptions> = cursor === "" ? { from: "start" } : { after: cursor ?? after };
        const { promise, resolve } = Promise.withResolvers<void>();
        begun.push(promise);
        const first = (cursor: string) => {
          cursors.set(place.name, cursor);
          resolve();
        };
        return named(
          place.name,
          follower.follow(place, { ...options, ...start, begun: first, signal }),
          resolve,
        );
      });
    for await (const { name, item } of merge(sources, { signal }) as AsyncIterable<Named>) {
      await Promise.all(begun.splice(0));
      if ("data" in item) {
        cursors.set(name, item.data.next ?? "");
        yield { event: "gap", data: { name, ...item.data } };
        continue;
      }
      for (const { id: cursor, line } of item.lines()) {
        if (cursor !== undefined) cursors.set(name, cursor);
        if (grep !== undefined && !line.includes(grep)) continue;
        const data: NamedLine = { name, line, cursor };
        yield cursor === undefined ? { data } : { id: id(), data };
      }
    }
  };
}

interface Named {
  name: string;
  item: LogItem;
}

/** `ended`: whatever waits for it to begin need not wait any longer. */
async function* named(name: string, items: AsyncIterable<LogItem>, ended: () => void): AsyncGenerator<Named> {
  try {
    for await (const item of items) yield { name, item };
  } finally {
    ended();
  }
}
