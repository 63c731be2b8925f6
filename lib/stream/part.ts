import type { Format } from "./formats/format.ts";
import type { Feed, Wanted } from "./source.ts";

/** What a source of a `Many` is started with. */
export interface PartWanted extends Wanted {
  /** Says where it begins, before its first value comes: a line may be long in coming. */
  begun(cursor: string): void;
}

/** A source that can be merged: any `Source`, or one that says where it begins. */
export type PartSource = (wanted: PartWanted) => AsyncIterable<unknown>;

/** One source of a `Many`, and where it is. */
export class Part implements PartWanted {
  /** The cursor after all that was taken of it; undefined while it is not known. */
  cursor: string | undefined;
  /** Whether an id of the whole may leave: it has begun, or its cursor was given. */
  isBegun: boolean;
  /** Null before it has started. */
  feed: (Feed<unknown> & { return(): Promise<unknown> }) | null = null;
  /** Whether it has ended, or failed. */
  isOver = false;
  /** Its first value, while others have not begun; null for none. */
  held: unknown = null;

  constructor(
    readonly name: string,
    readonly after: string | undefined,
    readonly format: Format,
    readonly many: { begin(part: Part): void; readonly signal: AbortSignal },
  ) {
    this.isBegun = after !== undefined;
  }

  get signal(): AbortSignal {
    return this.many.signal;
  }

  begun(cursor: string): void {
    this.cursor = cursor;
    this.many.begin(this);
  }
}
