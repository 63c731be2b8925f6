import { CursorAt, cursorAt, Encoded, type StreamEvent } from "../stream/event.ts";
import type { Format } from "../stream/formats/format.ts";
import { Many } from "../stream/many.ts";
import { Part, type PartSource } from "../stream/part.ts";
import type { Source, StreamItem, Wanted } from "../stream/source.ts";
import type { FollowOptions } from "./begin.ts";
import { encodeLines, type LineBlock, type LineFilter } from "./line_block.ts";
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
export type LogOptions = Pick<FollowOptions, "before" | "from" | "follow" | "wanted">;

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
  return new Encoded(new TextEncoder().encode(format.note("searched", event.data as object)), undefined, 0);
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
        if (lines.length > 0) yield new Encoded(encodeLines(lines, format), lines.at(-1)!.id, lines.length);
        const { cursor } = item.after;
        if (options.follow && lines.at(-1)?.id !== cursor) yield cursorAt(cursor);
      }
    }
  };
}

/**
 * Several logs as one stream of {@linkcode NamedLine}s. The id of an event is a cursor of them all, `NAME=CURSOR&…` as in a
 * query, so that the whole can be resumed; one that fails, fails them all.
 */
export function mergedLogs(follower: LogFollower, places: LogPlace[], options: LogOptions): Source {
  const sources = new Map<string, PartSource>(places.map((place) => [
    place.name,
    (wanted) => {
      const { after, signal } = wanted;
      return follower.follow(place, { ...options, after, signal, begun: (cursor) => wanted.begun(cursor) });
    },
  ]));
  return (wanted) => new MergedLogs(sources, wanted, options);
}

class MergedLogs extends Many {
  readonly #given: URLSearchParams;
  #sent: string | undefined;

  constructor(sources: ReadonlyMap<string, PartSource>, wanted: Wanted, readonly options: LogOptions) {
    super(sources, wanted);
    this.#sent = wanted.after;
    this.#given = new URLSearchParams(this.#sent);
  }

  protected override part(name: string): Part {
    const { after, format } = this.wanted;
    const part = new Part(name, this.#given.get(name) ?? after, format, this);
    // An id has to have the beginning of each log, also of one without a line so far, as the log itself says it.
    part.isBegun = false;
    return part;
  }

  protected override *take(part: Part, value: unknown): Iterable<StreamItem> {
    const item = value as FollowItem;
    const { options, wanted: { format } } = this;
    if (hides(item, format, options)) return;
    if (item instanceof CursorAt) part.cursor = item.id;
    else if ("data" in item) yield this.#event(part, item);
    else {
      for (const { id: cursor, data: line } of item.lines()) {
        if (cursor !== undefined) part.cursor = cursor;
        if (options.wanted?.(line) === false) continue;
        const data: NamedLine = { name: part.name, line, cursor };
        yield cursor === undefined ? { data } : { id: this.#sent = this.#id(), data };
      }
    }
    // At the start, and past what is filtered out.
    if (options.follow && this.#sent !== this.#id()) yield cursorAt(this.#sent = this.#id());
  }

  protected override over(_part: Part, failure: { error: unknown } | null): Iterable<StreamItem> {
    if (failure !== null) throw failure.error;
    return [];
  }

  #event(part: Part, { event, data }: Exclude<FollowItem, LineBlock | CursorAt>): StreamItem {
    const { name } = part;
    if (typeof data === "string") return { event, data: { name, line: data } };
    const next = "next" in data ? data.next : data.from;
    if (next !== null) part.cursor = next;
    return noted(this.wanted.format, { event, data: { name, ...data } });
  }

  #id(): string {
    return this.parts.map(({ name, cursor = "" }) => `${encodeURIComponent(name)}=${cursor}`).join("&");
  }
}
