import { eventOf, gap } from "./event.ts";
import type { Format } from "./formats/format.ts";
import type { Wanted } from "./source.ts";

/** What a source is started with for one reader, whatever carries its stream. */
export abstract class SourceStart implements Wanted {
  abstract readonly signal: AbortSignal;
  #looked = false;

  /** `cursor` is what the reader came with. */
  constructor(readonly cursor: string | undefined, readonly format: Format) {}

  get after(): string | undefined {
    this.#looked = true;
    return this.cursor;
  }

  /** A source that began without a look at the cursor has started over: its reader may have missed something, and is told. */
  preamble(first: unknown): string {
    const { format, cursor } = this;
    // A media type of the handler's own has no gaps.
    if (this.#looked || cursor === undefined || format.name === "text" && format.note === undefined) {
      return "";
    }
    return format.event(gap(cursor, eventOf(first).id ?? null, null));
  }
}
