import type { StreamEnd } from "../errors.ts";
import type { StreamEvent } from "../event.ts";

/** How a stream can end in-band. */
export type EndReason = "shutdown" | StreamEnd["reason"];

/** How a stream ends: as its format can say it, or its reader has `left`, or has `stalled` and was cut. */
export type Ending = EndReason | "left" | "stalled";

/** How events are written. Pure: each function returns whole records. */
export interface Format<Name extends string = string> {
  /** The name that `?format=` takes. */
  readonly name: Name;
  /** Content-Types; the first answers a client that did not choose one. */
  readonly mediaTypes: readonly string[];
  /** Whether a line of text is its own record, so that a block of lines can pass as it is. */
  readonly plain: boolean;
  /**
   * Written to a stream that has been idle for 15 s; empty where the format has nothing for it. `cursor` is the stream's, and
   * `moved` says that no record has told it yet.
   */
  ping(cursor: string | undefined, moved: boolean): string;
  /** The cursor that a stream starts at, for a reader that is cut before its first event; empty where it cannot be said. */
  start(cursor: string): string;
  /**
   * One event as one record. `plainId`: it has an id that nothing has to be escaped in, and no name.
   *
   * @throws TypeError when the event cannot be written
   */
  event(event: StreamEvent, plainId?: boolean): string;
  /** A line about the stream itself, such as a gap, where a format has such lines beside its events. */
  note?(name: string, fields: object): string;
  /** The last record, or null where the format has none: then only a complete stream may end cleanly. */
  end(reason: EndReason): string | null;
}
