import { type Gap, gap, type StreamEvent } from "../stream/event.ts";
import { sameFile } from "./cursor.ts";
import { FileLines } from "./file_lines.ts";
import { FileFingerprint } from "./fingerprint.ts";
import type { LineBlock } from "./line_block.ts";
import { findCopy, holds } from "./locate.ts";
import type { LogFile } from "./log_file.ts";
import type { LogPlace } from "./log_place.ts";
import { type Newer, newer } from "./rotation.ts";

/** Lines, or where some may be missing. */
export type LogItem = LineBlock | StreamEvent<Gap>;

/** Time that a file which was read to its end is watched for late lines, in ms. */
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
  #absent = false;

  /** Begins with the file that is at the place when it is first asked, unless `begin` gives it one. */
  constructor(readonly place: LogPlace, readonly lineBytes: number) {}

  /** The position after the last line; null while there has been no file. */
  get at(): FileFingerprint | null {
    return this.#lines?.at ?? null;
  }

  /** Its cursor; "" while there has been no file. */
  get cursor(): string {
    return this.at?.cursor ?? "";
  }

  /** Whether there was no file at the log's place when it came to an end. */
  get absent(): boolean {
    return this.#absent;
  }

  /** Takes over an open file, to read on from a position. `copied`: it is a copy, made before a truncation. */
  begin(file: LogFile, at: FileFingerprint, copied = false): void {
    if (this.#lines?.file !== file) this.#lines?.[Symbol.dispose]();
    this.#lines = new FileLines(file, at, this.lineBytes);
    this.#newer = null;
    this.#copied = copied;
  }

  /**
   * The next lines or gap; null when there is nothing more for now.
   *
   * @throws OpensBusy when a file could not be opened; it can be asked again
   */
  async next(): Promise<LogItem | null> {
    for (;;) {
      if (this.#lines === null) {
        const file = await this.place.open();
        this.#absent = file === null;
        if (file === null) return null;
        this.begin(file, FileFingerprint.start(file.info));
      }
      const lines = this.#lines!;
      const item = await lines.next();
      if (item === "truncated") return await this.#recover(lines);
      if (item !== null) return item;
      if (this.#newer === null) {
        if (await this.#isCurrent(lines.file)) return this.#late();
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

  /** Whether a file is still the one at the log's place. */
  async #isCurrent(file: LogFile): Promise<boolean> {
    const before = file.stat();
    const current = await this.place.stat();
    this.#absent = current === null;
    return current !== null && sameFile(before, current) && sameFile(current, file.stat());
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
  async #move({ file, at }: FileLines): Promise<StreamEvent<Gap> | "on" | null> {
    for (let tries = 1; tries <= 5; tries++) {
      // Nothing can come between a file and the one that was seen to follow it.
      const { files: [first], complete, copied } = this.#newer ?? await newer(this.place, file);
      this.#newer = null;
      if (first === undefined) return null;
      // A rotation has several steps: what seems to be missing may be on its way to its new name.
      const next = complete || tries === 5 ? await this.#openNext(first) : null;
      if (next === null) {
        await pause();
        continue;
      }
      const certain = complete && !copied && !this.#copied;
      // A copy is there before the truncation: until then the log still has what the copy has.
      const untouched = !certain && at.offset > 0 && first.path === this.place.path
        ? await holds(next, at, this.lineBytes)
        : null;
      this.#before?.file[Symbol.dispose]();
      this.#before = { file, end: at.offset, until: Date.now() + lateMs };
      this.#lines = null;
      this.begin(next, untouched ?? FileFingerprint.start(next.info));
      return certain ? "on" : gap(at.cursor, this.cursor, null);
    }
    return null;
  }

  /** Opens a file that was found; null when another has its name by now. */
  async #openNext({ path, info }: Newer["files"][number]): Promise<LogFile | null> {
    if (path !== this.place.path) return await this.place.openFile(path, info);
    const file = await this.place.open();
    if (file === null || sameFile(info, file.info)) return file;
    file[Symbol.dispose]();
    return null;
  }

  /** The file was truncated. What was in it may live on in a copy; lines after that may be missing in any case. */
  async #recover(lines: FileLines): Promise<LogItem | null> {
    const { at: { cursor: after } } = lines;
    const copy = await findCopy(this.place, lines.at, this.lineBytes);
    if (copy !== null) {
      this.begin(copy.file, copy.at, true);
      return await this.next();
    }
    this.#newer = null;
    this.#copied = false;
    lines.restart();
    return gap(after, lines.at.cursor, null);
  }
}

/** Short enough to need no signal. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
