import { type Gap, gap, type StreamEvent } from "../stream/event.ts";
import { parseCursor, sameFile } from "./cursor.ts";
import { FileLines } from "./file_lines.ts";
import type { LineBlock } from "./line_block.ts";
import type { LogFile } from "./log_file.ts";
import { type LogPlace, openFile } from "./log_place.ts";
import { findCopy, holds, type Newer, newer } from "./rotation.ts";

/** Lines, or where some may be missing. */
export type LogItem = LineBlock | StreamEvent<Gap>;

/** How long a file that was read to its end is watched for late lines. */
const lateMs = 5_000;

/**
 * Reads a log from a position on, across its rotations.
 *
 * A file that is no longer at the log's place is read to its end before the next one is begun. Its writer may go on writing
 * to it until it opens the new file: the first byte there says that it has.
 */
export class LogReader implements Disposable {
  #lines: FileLines | null = null;
  /** What comes after the file, which is no longer written to: after one more read it is done. */
  #newer: Newer | null = null;
  /** The file is a copy, made before a truncation. */
  #copied = false;
  /** The file before this one, up to where it was read: for a while, someone may still write to it. */
  #before: { file: LogFile; end: number; until: number } | null = null;

  /** Begins with the file that is at the place when it is first asked, unless `begin` gives it one. */
  constructor(readonly place: LogPlace, readonly lineBytes: number) {}

  /** The cursor after the last line; "" while there has been no file. */
  get cursor(): string {
    return this.#lines?.cursor ?? "";
  }

  /** Bytes of the file before that. */
  get offset(): number {
    return this.#lines?.offset ?? 0;
  }

  /** Takes over an open file: see {@linkcode FileLines.at}. `copied`: it is a copy, made before a truncation. */
  async begin(file: LogFile, offset: number, cursor?: string, copied = false): Promise<void> {
    const lines = await FileLines.at(file, offset, this.lineBytes, cursor);
    this.#lines?.[Symbol.dispose]();
    this.#lines = lines;
    this.#newer = null;
    this.#copied = copied;
  }

  /** The next lines or gap; null when there is nothing more for now. */
  async next(): Promise<LogItem | null> {
    for (;;) {
      if (this.#lines === null) {
        const file = await this.place.open();
        if (file === null) return null;
        await this.begin(file, 0);
      }
      const lines = this.#lines!;
      const item = await lines.next();
      if (item === "truncated") return await this.#recover(lines);
      if (item !== null) return item;
      if (this.#newer === null) {
        const current = await this.place.stat();
        if (current !== null && sameFile(current, lines.file.info)) return this.#late();
        const next = await newer(this.place, lines.file);
        if (next.files.length === 0 || next.files.length === 1 && next.files[0].info.size === 0) return null;
        this.#newer = next;
        continue;
      }
      const rest = lines.finish();
      if (rest !== null) return rest;
      const moved = await this.#move(lines);
      if (moved !== "on") return moved;
    }
  }

  /** The unfinished last line, for a reader that does not wait for its end; null when there is none. */
  unfinished(): LineBlock | null {
    return this.#lines?.unfinished() ?? null;
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    this.#lines?.[Symbol.dispose]();
    this.#before?.file[Symbol.dispose]();
    this.#lines = this.#before = null;
  }

  /** A gap when the file before has grown after all: one of several writers had not moved on yet. */
  #late(): StreamEvent<Gap> | null {
    if (this.#before === null) return null;
    const { file, end, until } = this.#before;
    const grown = file.stat().size > end;
    if (!grown && Date.now() < until) return null;
    file[Symbol.dispose]();
    this.#before = null;
    return grown ? gap(this.cursor, this.cursor, null) : null;
  }

  /** Goes on to the next newer file; null when it is not there yet after all. */
  async #move(lines: FileLines): Promise<StreamEvent<Gap> | "on" | null> {
    const { file, offset, cursor: after } = lines;
    for (let tries = 1; tries <= 5; tries++) {
      // Nothing can come between a file and the one that was seen to follow it.
      const { files: [first], complete, copied } = this.#newer ?? await newer(this.place, file);
      this.#newer = null;
      if (first === undefined) return null;
      // A rotation has several steps: what seems to be missing may be on its way to its new name.
      if (!complete && tries < 5) await pause();
      else {
        const next = first.path === this.place.path
          ? await this.place.open()
          : await openFile(first.path, first.info);
        if (next === null || !sameFile(next.info, first.info)) {
          next?.[Symbol.dispose]();
          await pause();
        } else {
          const certain = complete && !copied && !this.#copied;
          this.#before?.file[Symbol.dispose]();
          this.#before = { file, end: offset, until: Date.now() + lateMs };
          this.#lines = null;
          // A copy is there before the truncation: until then the log still has what the copy has.
          const position = parseCursor(after)!;
          const untouched = !certain && offset > 0 && first.path === this.place.path &&
            await holds(next, position, this.lineBytes);
          await this.begin(next, untouched ? offset : 0);
          return certain ? "on" : gap(after, this.cursor, null);
        }
      }
    }
    return null;
  }

  /** The file was truncated. What was in it may live on in a copy; lines after that may be missing in any case. */
  async #recover(lines: FileLines): Promise<LogItem | null> {
    const { offset, cursor: after } = lines;
    const copy = await findCopy(this.place, parseCursor(after)!, this.lineBytes);
    if (copy !== null) {
      await this.begin(copy, offset, after, true);
      return await this.next();
    }
    this.#newer = null;
    this.#copied = false;
    await lines.restart();
    return gap(after, lines.cursor, null);
  }
}

/** Short enough to need no signal. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
