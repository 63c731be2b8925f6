import { type Clock, processClock } from "./clock.ts";
import { HttpError, type Report, StreamEnd } from "./errors.ts";
import { CursorAt, cursorAt, Encoded, eventOf, type StreamEvent } from "./event.ts";
import { release, type SourceFormat, sourceFormat } from "./formats/source_format.ts";
import { Many } from "./many.ts";
import { Part, type PartSource } from "./part.ts";
import type { Source, StreamItem, Wanted } from "./source.ts";
import { cursorsIn, isCursor } from "./source_cursors.ts";
import { joined, spliced } from "./spliced.ts";

/** Time for all sources to begin, in ms: then the others go on, and one that has not is `absent`. */
const beginMs = 1_000;
/** Bytes that blocks of several sources are joined to: a write costs more than a block. */
const joinedBytes = 16_384;

/** Ends the cursor of a source whose end has been sent. */
export const ended = "-end";

/** A value of a source that says how it is: `absent` while it is not there yet, then `live`. */
export class SourceState {
  /** `cursor`: where it is, if that can be said. */
  constructor(readonly state: "absent" | "live", readonly cursor?: string) {}
}

/** How {@linkcode events} reports and waits. */
export interface EventsOptions {
  /** Where failures of sources are reported. */
  report: Report;
  /** Time, for a test. */
  clock?: Clock;
  /** Cursors of single sources, by name: such a source begins there, or live for `""`, whatever the id of the whole says. */
  since?: ReadonlyMap<string, string>;
}

/**
 * Sources by name as one stream of `{"source": NAME, "data": …}`. The id of an event has the cursor of each, so that the whole
 * is resumed exactly, also with other sources; one that the id has no cursor of starts live. A source that is not there yet,
 * fails or ends says so in a `state` event, and stops no other.
 */
export function events(sources: ReadonlyMap<string, PartSource>, options: EventsOptions): Source {
  return (wanted) => new Events(sources, wanted, options);
}

class Events extends Many {
  /** The cursors by tag; null when `after` is something else, which each source then gets as it is. */
  readonly #given: ReadonlyMap<string, string> | null;
  readonly #states: StreamItem[] = [];
  readonly #late = new Set<Part>();
  #cancelTimer: (() => void) | null = null;
  #failed = false;
  #sent: string | undefined;
  #next: StreamItem | null = null;

  constructor(sources: ReadonlyMap<string, PartSource>, wanted: Wanted, readonly options: EventsOptions) {
    super(sources, wanted);
    this.#given = cursorsIn(wanted.after);
  }

  override poll(ready: () => void): StreamItem | null {
    const item = this.#next ?? this.#one(ready);
    this.#next = null;
    if (!isBlock(item) || this.parts.length === 1) return item;
    const blocks = [item];
    for (let bytes = item.bytes.length; bytes < joinedBytes;) {
      let next: StreamItem | null = null;
      try {
        next = this.#one(ready);
      } catch { /* It has ended, and says so again at the next poll. */ }
      if (!isBlock(next)) {
        this.#next = next;
        break;
      }
      blocks.push(next);
      bytes += next.bytes.length;
    }
    return joined(blocks);
  }

  protected override part(name: string): Part {
    const format = sourceFormat(this.wanted.format, name);
    const { after } = this.wanted;
    const given = this.#given === null ? after : this.#given.get(format.tag);
    const start = (this.options.since?.get(name) ?? given) || undefined;
    const part = new Part(format.source, start, format, this);
    // What cannot be in a cursor cannot be followed either: until the gap is sent, another such stands for it.
    if (start !== undefined) part.cursor = isCursor(start) ? start : "x";
    return part;
  }

  protected override take(part: Part, value: unknown): Iterable<StreamItem> {
    // Most are blocks, and a generator for each would cost more than the rest.
    return value instanceof Encoded && !this.#late.has(part)
      ? [this.#block(part, value)]
      : this.#other(part, value);
  }

  *#other(part: Part, value: unknown): Iterable<StreamItem> {
    if (value instanceof SourceState) {
      part.cursor = value.cursor ?? (value.state === "live" ? part.cursor : undefined);
      this.#late.delete(part);
      const id = value.cursor === undefined ? undefined : this.#sent = this.#id(part);
      return yield { id, ...state(part, value.state) };
    }
    if (this.#late.delete(part)) yield state(part, "live");
    if (value instanceof Encoded) return yield this.#block(part, value);
    if (value instanceof CursorAt) {
      // An id that has left had it already: all had begun.
      if (value.id === part.cursor && this.#sent !== undefined) return;
      part.cursor = value.id;
      const id = this.#id(part);
      if (id !== this.#sent) yield cursorAt(this.#sent = id);
      return;
    }
    const { id, event, data } = eventOf(value);
    if (id !== undefined) {
      part.cursor = id;
      this.#sent = this.#id(part);
    }
    yield { id: id === undefined ? undefined : this.#sent, event, data: formatOf(part).wrap(data) };
  }

  protected override *over(part: Part, failure: { error: unknown } | null): Iterable<StreamItem> {
    const error = failure?.error;
    if (failure === null || error instanceof StreamEnd) {
      if (part.cursor !== undefined) part.cursor += ended;
      const id = this.isBeginning || part.cursor === undefined ? undefined : this.#sent = this.#id(part);
      const reason = error instanceof StreamEnd ? error.reason : "complete";
      this.#failed ||= reason === "error";
      return yield { id, ...(reason === "error" ? state(part, "failed") : state(part, "ended", reason)) };
    }
    this.#failed = true;
    if (error instanceof HttpError) return yield state(part, "failed", error.message);
    this.options.report(`the source ${part.name} failed`, error);
    yield state(part, "failed");
  }

  /** A browser that comes back after a failure tries again what has failed. */
  protected override end(): StreamEnd {
    return new StreamEnd(this.#failed ? "error" : "complete");
  }

  protected override async leave(): Promise<void> {
    this.#cancelTimer?.();
    for (const part of this.parts) release(formatOf(part));
    await super.leave();
  }

  #one(ready: () => void): StreamItem | null {
    const item = this.#states.shift() ?? super.poll(ready);
    if (item === null && this.isBeginning && this.#cancelTimer === null) {
      const { clock = processClock } = this.options;
      this.#cancelTimer = clock.after(beginMs, () => this.#goOn());
    }
    return item;
  }

  /** Waits no longer for those that have not begun. */
  #goOn(): void {
    for (const part of this.parts.filter(({ isBegun }) => !isBegun)) {
      this.#late.add(part);
      this.#states.push(state(part, "absent"));
      this.begin(part);
    }
  }

  #block(part: Part, block: Encoded): Encoded {
    const made = spliced(block, formatOf(part), this.#others(part));
    part.cursor = block.lastId ?? part.cursor;
    this.#sent = made.lastId ?? this.#sent;
    return made;
  }

  #id(part: Part): string {
    return this.#others(part) + formatOf(part).id(part.cursor!);
  }

  /** The cursors of the other sources, before that of the one that an event is of. */
  #others(part: Part): string {
    if (this.parts.length === 1) return "";
    const cursors: string[] = [];
    for (const other of this.parts) {
      if (other !== part && other.cursor !== undefined) {
        cursors.push(formatOf(other).tag, "-", other.cursor, "~");
      }
    }
    // What is added piece by piece stays in pieces, which take many times as much.
    return cursors.join("");
  }
}

function formatOf({ format }: Part): SourceFormat {
  return format as SourceFormat;
}

function state(
  { name }: Part,
  state: SourceState["state"] | "failed" | "ended",
  reason?: string,
): StreamEvent {
  return { event: "state", data: { source: name, state, reason } };
}

function isBlock(item: StreamItem | null): item is Encoded {
  return item instanceof Encoded && item.bytes.length > 0;
}
