import { delay } from "@std/async/delay";
import { type Gap, gap, type StreamEvent } from "../stream/event.ts";
import { absentSince, parseCursor, sameFile } from "./cursor.ts";
import { FileLines } from "./file_lines.ts";
import { FileFingerprint } from "./fingerprint.ts";
import { handOver } from "./hand_over.ts";
import { leaveCopy } from "./leave_copy.ts";
import { LateLines, type LineBlock } from "./line_block.ts";
import { findCopy, locate } from "./locate.ts";
import type { LogFile } from "./log_file.ts";
import type { LogPlace } from "./log_place.ts";
import { PackedLog } from "./packed_log.ts";
import { type Newer, newer } from "./rotation.ts";

/** Lines, or where some may be missing. */
export type LogItem = LineBlock | StreamEvent<Gap>;

/** Time that a file which was read to its end is watched for late lines, in ms. */
const lateMs = 5_000;

/** Time between two looks at the log's path, in ms, at the most: after that, several rotations may have passed. */
const lookMs = 2_000;

/**
 * Reads a log from a position on, across its rotations: a file that is no longer at the log's path is read to its end first.
 * Its writer may go on writing to it until it opens the new file: the first byte there says that it has.
 */
export class LogReader implements Disposable {
  #lines: FileLines | null = null;
  /** The file is a copy, made before a truncation. */
  #copied = false;
  /** Where the last gap after a copy led to: while nothing is read there, as in a copy that has just been made, no other follows. */
  #told = "";
  /** The file before this one: a program may still write to it until a time, 0 when it has been closed. */
  #before: { lines: FileLines; until: number } | null = null;
  /** When this file was last seen at the log's path, in ms since 1970; 0 when others may have been there since. */
  #seenAt = 0;
  /** The last look at the path: when it was, and what was there in place of this file. */
  #look: { at: number; next: Deno.FileInfo | null } = { at: 0, next: null };
  /** There was no file at the log's path when it was last checked. */
  absent = false;
  /** The cursor of a file that is away, and may come back with the log, or of a log that has none so far. */
  awaited = "";

  /** Begins with the file that is at the path when it is first asked, unless `begin` gives it one. */
  constructor(
    readonly place: LogPlace,
    readonly lineBytes: number,
    /** A time in ms that never goes back. */
    readonly now: () => number = () => performance.now(),
  ) {}

  /** The position after the last line; null while there has been no file. */
  get at(): FileFingerprint | null {
    return this.#lines?.at ?? null;
  }

  /** Its cursor, or the awaited one. */
  get cursor(): string {
    return this.at?.cursor ?? this.awaited;
  }

  /** Takes over an open file, to read on from a position. `copied`: it is a copy, made before a truncation. */
  begin(file: LogFile, at: FileFingerprint, copied = false): void {
    if (this.#lines?.file !== file) this.#lines?.file[Symbol.dispose]();
    this.#lines = new FileLines(file, at, this.lineBytes);
    this.#copied = copied;
    this.#seenAt = 0;
  }

  /**
   * The next lines or gap; null when there is nothing more for now.
   *
   * @throws OpensBusy when a file could not be opened; it can be asked again
   */
  async next(signal: AbortSignal): Promise<LogItem | null> {
    if (this.#lines === null) {
      const { awaited } = this;
      const cursor = parseCursor(awaited);
      this.absent = await this.place.stat() === null;
      if (this.absent || cursor === null) return null;
      const found = await locate(this.place, cursor, this.lineBytes);
      const file = found?.file ?? (absentSince(cursor) === null ? await this.place.open() : null);
      this.absent = file === null;
      if (file === null) return null;
      this.begin(file, found?.at ?? FileFingerprint.start(file.info), found?.copied);
      if (!found?.complete) return gap(awaited, this.cursor, null);
    }
    const lines = this.#lines!;
    for (let following: Newer | null = null;;) {
      const item = await lines.next(signal);
      if (item === "truncated") return await this.#recover(lines, signal);
      if (item !== null) return item;
      if (following !== null) return lines.unfinished(true) ?? await this.#move(lines, following, signal);
      if (await this.#isCurrent(lines.file)) return await this.#late(signal);
      following = await this.#newer(lines.file);
      const [first, second] = following.files;
      if (first === undefined || second === undefined && first.info.size === 0) return null;
      if (following.copied) return await this.#move(lines, following, signal);
      // It is no longer written to, so one more read is its last.
    }
  }

  /** The unfinished last line; null when there is none. */
  unfinished(): LineBlock | null {
    return this.#lines?.unfinished(false) ?? null;
  }

  [Symbol.dispose](): void {
    this.#lines?.file[Symbol.dispose]();
    this.#before?.lines.file[Symbol.dispose]();
    this.#lines = this.#before = null;
  }

  /** Whether a file is still the one at the log's path. */
  async #isCurrent(file: LogFile): Promise<boolean> {
    // The former is compared with the times of files.
    const [time, at] = [Date.now(), this.now()];
    const before = file.stat();
    const current = await this.place.stat();
    this.absent = current === null;
    const is = current !== null && sameFile(before, current) && sameFile(current, file.stat());
    const { next, at: last } = this.#look;
    const isOther = next !== null && (current === null || !sameFile(next, current));
    if (is) this.#seenAt = time;
    else if (isOther || at - last > lookMs) this.#seenAt = 0;
    this.#look = { at, next: is ? null : current };
    return is;
  }

  /** What comes after a file. What was there when the path was looked at is among that, or others may have been there too. */
  async #newer(file: LogFile): Promise<Newer> {
    let following = await newer(this.place, file, this.lineBytes, this.#seenAt);
    const { next } = this.#look;
    if (this.#seenAt > 0 && next !== null && !following.files.some(({ info }) => sameFile(next, info))) {
      this.#seenAt = 0;
      following = await newer(this.place, file, this.lineBytes);
    }
    following.copied ||= this.#copied;
    return following;
  }

  /** What was written to the file before after all: one of several writers had not moved on yet. */
  async #late(signal: AbortSignal): Promise<LogItem | null> {
    if (this.#before === null || this.#before.until === 0) return null;
    const { lines, until } = this.#before;
    const isOver = this.now() >= until;
    if (!isOver && lines.file.stat().size <= lines.at.offset) return null;
    const item = await lines.next(signal);
    const late = item ?? (isOver ? lines.unfinished(true) : null);
    if (late === null && isOver || late === "truncated") {
      lines.file[Symbol.dispose]();
      this.#before.until = 0;
      return null;
    }
    return late && new LateLines(this.at!, late);
  }

  /** Goes on with the next newer file. */
  async #move(lines: FileLines, following: Newer, signal: AbortSignal): Promise<LogItem | null> {
    const { file, at } = lines;
    for (let tries = 1; tries <= 5; tries++) {
      const { files: [first], complete } = following;
      if (first === undefined) return null;
      // A rotation has several steps: what seems to be missing may be on its way to its new name.
      const isLast = tries === 5;
      const next = complete || isLast ? await this.place.openFile(first.path, first.info) : null;
      if (next === null && isLast && following.files.length > 1 && await this.place.isDenied(first.path)) {
        following = { ...following, files: following.files.slice(1), complete: false };
        tries--;
      } else if (next === null) {
        await delay(20);
        following = await this.#newer(file);
      } else {
        if (following.copied) {
          const left = await leaveCopy(lines, next, following, () => this.#newer(file), signal);
          if (left === null) return await this.next(signal);
          if ("rest" in left) return left.rest;
          // Nobody writes to a copy, so no lines come late.
          file[Symbol.dispose]();
          this.#lines = left.next;
          // Nothing but the file before it tells of a packed one.
          this.#copied &&= next instanceof PackedLog;
          if (left.certain) return await this.next(signal);
          const isTold = this.#told === at.cursor;
          this.#told = this.cursor;
          return isTold ? await this.next(signal) : gap(at.cursor, this.cursor, null);
        }
        const { from, certain } = await handOver(next, at, following, this.#before?.lines.at, this.lineBytes);
        this.#before?.lines.file[Symbol.dispose]();
        this.#before = { lines, until: this.now() + lateMs };
        this.#lines = null;
        this.begin(next, from);
        return certain ? await this.next(signal) : gap(at.cursor, this.cursor, null);
      }
    }
    return null;
  }

  /** The file was truncated. What was in it may live on in a copy; lines after that may be missing in any case. */
  async #recover({ file, at }: FileLines, signal: AbortSignal): Promise<LogItem | null> {
    const copy = await findCopy(this.place, at, this.lineBytes);
    if (copy !== null) {
      this.begin(copy.file, copy.at, true);
      return await this.next(signal);
    }
    this.begin(file, FileFingerprint.start(file.info));
    return gap(at.cursor, this.cursor, null);
  }
}
