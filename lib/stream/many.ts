import { StreamEnd } from "./errors.ts";
import { CursorAt, Encoded } from "./event.ts";
import type { Part, PartSource } from "./part.ts";
import { Polled } from "./polled.ts";
import { Pulled } from "./pulled.ts";
import { iterable, type StreamItem, type Wanted } from "./source.ts";

/**
 * Resumable sources → one: each part is started after its own cursor, an id of the whole has the cursors of all, and no id
 * leaves before each has begun. Parts are asked in turn, so one that is busy starves none, and only while the reader wants
 * more. How cursors and values are written, and what a failure does, is a subclass's.
 */
export abstract class Many extends Polled {
  readonly parts: Part[] = [];
  #controller: AbortController | null = null;
  #items: Iterator<StreamItem> | null = null;
  #ending: Iterable<StreamItem> | null = null;
  #at = 0;
  /** Parts that have not begun, and those that have not ended. */
  #beginning = 0;
  #left = 0;
  /** Null once they have started. */
  #sources: ReadonlyMap<string, PartSource> | null;
  #ready: () => void = () => {};
  #waiting = false;

  /** Nothing starts before the first poll. */
  constructor(sources: ReadonlyMap<string, PartSource>, wanted: Wanted) {
    super(wanted);
    this.#sources = sources;
  }

  /** What a part is started with. */
  protected abstract part(name: string): Part;
  /** What becomes of a part's value; moves the part's cursor. */
  protected abstract take(part: Part, value: unknown): Iterable<StreamItem>;
  /** A part has ended or failed; what this throws fails the whole. */
  protected abstract over(part: Part, failure: { error: unknown } | null): Iterable<StreamItem>;
  /** How it ends, once all parts have. */
  protected end(): StreamEnd {
    return new StreamEnd("complete");
  }

  /** Aborts when it ends, so that whatever a part waits for ends. Made on first use: what is polled never looks at it. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.ended) this.#controller.abort();
    return this.#controller.signal;
  }

  poll(ready: () => void): StreamItem | null {
    if (this.ended) return null;
    this.#ready = ready;
    this.#waiting = false;
    if (this.#sources !== null) this.#start(this.#sources);
    for (;;) {
      const item = this.#items?.next();
      if (item !== undefined && !item.done) return item.value;
      const items = this.#firsts() ?? (this.#beginning === 0 ? this.#turn() : null);
      this.#items = items === null ? null : items[Symbol.iterator]();
      if (items !== null) continue;
      if (this.#left === 0) throw this.end();
      this.#waiting = true;
      return null;
    }
  }

  /** Whether some parts have not begun: nothing leaves before. */
  protected get isBeginning(): boolean {
    return this.#beginning > 0;
  }

  /** A part has begun, or is no longer waited for. */
  begin(part: Part): void {
    if (part.isBegun) return;
    part.isBegun = true;
    if (--this.#beginning === 0) this.#woken();
  }

  protected override async leave(): Promise<void> {
    this.#controller?.abort();
    this.#ready();
    const cleanups = await Promise.allSettled(this.parts.map(({ feed }) => feed?.return()));
    for (const cleanup of cleanups) if (cleanup.status === "rejected") throw cleanup.reason;
  }

  #start(sources: ReadonlyMap<string, PartSource>): void {
    this.#sources = null;
    for (const [name, source] of sources) {
      const part = this.part(name);
      this.parts.push(part);
      if (!part.isBegun) this.#beginning++;
      const made = iterable(source, part);
      part.feed = (made instanceof Polled ? made : new Pulled(made)) as Part["feed"];
    }
    this.#left = this.parts.length;
  }

  /** Asks those that have not begun for their first values; gives what follows from one's end. */
  #firsts(): Iterable<StreamItem> | null {
    if (this.#beginning === 0) return null;
    for (const part of this.parts) {
      if (part.isBegun || part.held !== null) continue;
      const value = this.#value(part);
      if (this.#ending !== null) return this.#ending;
      if (value === null) continue;
      part.held = value;
      part.cursor ??= startOf(value);
      this.begin(part);
    }
    return null;
  }

  /** What follows from the next value in turn; null when no part has one. */
  #turn(): Iterable<StreamItem> | null {
    const { parts } = this;
    for (let n = 0; n < parts.length; n++) {
      const part = parts[this.#at];
      this.#at = (this.#at + 1) % parts.length;
      const value = this.#value(part);
      if (this.#ending !== null) return this.#ending;
      if (value !== null) return this.take(part, value);
    }
    // From the first again, so that readers of the same sources are at the same places.
    this.#at = 0;
    return null;
  }

  /** A part's next value; null when it has none now, or has ended: then `#ending` is what follows from that. */
  #value(part: Part): unknown {
    this.#ending = null;
    if (part.isOver) return null;
    const { held } = part;
    part.held = null;
    try {
      return held ?? part.feed!.poll(this.#woken);
    } catch (error) {
      part.isOver = true;
      this.#left--;
      this.begin(part);
      const isComplete = error instanceof StreamEnd && error.reason === "complete";
      this.#ending = this.over(part, isComplete ? null : { error });
      return null;
    }
  }

  /** There may be more, and it is waited for. */
  readonly #woken = () => {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#ready();
  };
}

/** The cursor that a first value begins at, as far as it says. */
function startOf(value: unknown): string | undefined {
  if (value instanceof CursorAt) return value.id;
  return value instanceof Encoded && value.bytes.length === 0 ? value.lastId : undefined;
}
