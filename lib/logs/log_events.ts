import { CursorAt, cursorAt, Encoded, type StreamEvent } from "../stream/event.ts";
import type { Format } from "../stream/formats/format.ts";
import { merge } from "../stream/merge.ts";
import type { Source, StreamItem } from "../stream/source.ts";
import type { FollowOptions } from "./begin.ts";
import { encodeLines, type LineFilter } from "./line_block.ts";
import type { FollowItem, LogFollower } from "./log_follower.ts";
import type { LogPlace } from "./log_place.ts";

/** A line of several logs. */
export interface NamedLine {
  /** Of the log. */
  name: string;
  line: string;
  /** The cursor after it, for the log alone. */
  cursor?: string;
}

/** What a client asks of a log. */
export type LogOptions = Pick<FollowOptions, "from" | "follow" | "wanted">;

/** The filter for lines that contain `grep` and not `not`; undefined when it would let all pass. `icase`: by no case. */
export function lineFilter(grep: string, not: string, icase: boolean): LineFilter | undefined {
  if (grep === "" && not === "") return undefined;
  const folded = (text: string) => icase ? text.toLowerCase() : text;
  const [has, hasNot] = [folded(grep), folded(not)];
  return (line) => {
    const text = folded(line);
    return text.includes(has) && (hasNot === "" || !text.includes(hasNot));
  };
}

/** Whether an unfinished line is not for this client: text would take it for a whole one. */
function hides(item: FollowItem, format: Format, { wanted }: LogOptions): boolean {
  if (!("data" in item) || typeof item.data !== "string") return false;
  return format.name === "text" || wanted?.(item.data) === false;
}

/** A gap, or how far a search went; text has a line of its own for the latter. */
function noted(format: Format, event: StreamEvent): StreamItem {
  if (event.event !== "searched" || format.note === undefined) return event;
  return new Encoded(new TextEncoder().encode(format.note("searched", event.data as object)));
}

/** One log as blocks of records. */
export function logRecords(follower: LogFollower, place: LogPlace, options: LogOptions): Source {
  return async function* ({ after, format, signal }) {
    for await (const item of follower.follow(place, { ...options, after, signal })) {
      if (hides(item, format, options)) continue;
      if (item instanceof CursorAt) yield item;
      else if ("data" in item) yield noted(format, item);
      else if (options.wanted === undefined) yield item.encode(format);
      else {
        const lines = item.lines(options.wanted);
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
  options: LogOptions,
): Source {
  return async function* ({ after, format, signal }) {
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
      if (hides(item, format, options)) continue;
      if (item instanceof CursorAt) cursors.set(name, item.id);
      else if ("data" in item) {
        const { event, data } = item;
        if (typeof data === "string") yield { event, data: { name, line: data } };
        else {
          const next = "next" in data ? data.next : data.from;
          if (next !== null) cursors.set(name, next);
          yield noted(format, { event, data: { name, ...data } });
        }
      } else {
        for (const { id: cursor, data: line } of item.lines()) {
          if (cursor !== undefined) cursors.set(name, cursor);
          if (options.wanted?.(line) === false) continue;
          const data: NamedLine = { name, line, cursor };
          yield cursor === undefined ? { data } : { id: sent = id(), data };
        }
      }
      // At the start, and past what is filtered out.
      if (options.follow && sent !== id()) yield cursorAt(sent = id());
    }
  };
}

type NamedItem = [name: string, item: FollowItem];

async function* named(name: string, items: AsyncIterable<FollowItem>): AsyncGenerator<NamedItem> {
  for await (const item of items) yield [name, item];
}
