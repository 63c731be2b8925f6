import { type Gap, gap, type StreamEvent } from "../encoders.ts";
import { headBytes, parseCursor, sameFile } from "./cursor.ts";
import { cutLine, type LineBlock, OddLine, plainLine, WholeLines } from "./line_block.ts";
import type { LogFile } from "./log_file.ts";
import { type LogPlace, openFile } from "./log_place.ts";
import { findCopy, holds, type Newer, newer } from "./rotation.ts";

/** Lines, or where some may be missing. */
export type LogItem = LineBlock | StreamEvent<Gap>;

const largeRead = 262_144;
const smallRead = 16_384;

/** Bytes before a position that are read again each time, to see that the file is still the same. */
const contextBytes = 64;

/** How long a file that was read to its end is watched for late lines. */
const lateMs = 5_000;

const nothing = new Uint8Array(0);

/**
 * Reads a log from a position on, across its rotations. It always knows the cursor after its last line, and reads nothing
 * but whole lines: what is unfinished is read again.
 *
 * A file that is no longer at the log's place is read to its end before the next one is begun. Its writer may go on writing
 * to it until it opens the new file: the first byte there says that it has.
 */
export class LogReader implements Disposable {
  #file: LogFile | null = null;
  #offset = 0;
  #cursor = "";
  /** The bytes just before where the next read begins. */
  #context: Uint8Array = nothing;
  /** What there is of the unfinished last line. */
  #rest: Uint8Array = nothing;
  /** A line over the limit, while its end is looked for. */
  #long: { first: Uint8Array; read: number } | null = null;
  #readBytes = smallRead;
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
    return this.#cursor;
  }

  /** Bytes of the file before that. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Takes over an open file, to read on from where a line ends or the file begins. `cursor` is what a client calls that
   * position; it has been compared with the file. `copied`: the file is a copy, made before a truncation.
   */
  async begin(file: LogFile, offset: number, cursor?: string, copied = false): Promise<void> {
    this.#file?.[Symbol.dispose]();
    this.#file = file;
    this.#newer = null;
    this.#copied = copied;
    await this.#seek(file, offset, cursor);
  }

  /** The next lines or gap; null when there is nothing more for now. */
  async next(): Promise<LogItem | null> {
    for (;;) {
      if (this.#file === null) {
        const file = await this.place.open();
        if (file === null) return null;
        await this.begin(file, 0);
      }
      const item = await this.#read(this.#file!);
      if (item === "truncated") return await this.#recover(this.#file!);
      if (item !== null) return item;
      if (this.#newer === null) {
        const current = await this.place.stat();
        if (current !== null && sameFile(current, this.#file!.info)) return await this.#late();
        const next = await newer(this.place, this.#file!);
        if (next.files.length === 0 || next.files.length === 1 && next.files[0].info.size === 0) return null;
        this.#newer = next;
        continue;
      }
      const rest = this.#finish(this.#file!);
      if (rest !== null) return rest;
      const moved = await this.#move(this.#file!);
      if (moved !== "on") return moved;
    }
  }

  /** The unfinished last line, for a reader that does not wait for its end; null when there is none. */
  unfinished(): LineBlock | null {
    if (this.#file === null || this.#rest.length === 0 && this.#long === null) return null;
    return new OddLine(
      this.#file.mark,
      this.#offset,
      this.#offset,
      this.#cursor,
      this.#cursor,
      this.#restLine(),
    );
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
    this.#before?.file[Symbol.dispose]();
    this.#file = this.#before = null;
  }

  /** A gap when the file before has grown after all: one of several writers had not moved on yet. */
  async #late(): Promise<StreamEvent<Gap> | null> {
    if (this.#before === null) return null;
    const { file, end, until } = this.#before;
    const grown = (await file.stat()).size > end;
    if (!grown && Date.now() < until) return null;
    file[Symbol.dispose]();
    this.#before = null;
    return grown ? gap(this.#cursor, this.#cursor, null) : null;
  }

  async #seek(file: LogFile, offset: number, cursor?: string): Promise<void> {
    this.#rest = nothing;
    this.#long = null;
    cursor ??= await file.cursorAt(offset, this.lineBytes) ?? undefined;
    this.#offset = cursor === undefined ? 0 : offset;
    this.#cursor = cursor ?? file.mark.cursor(0, nothing, 0, 0);
    // If the file is too short by now these bytes stay zero, and the next read tells that it was truncated.
    this.#context = new Uint8Array(Math.min(this.#offset, contextBytes));
    await file.read(this.#offset - this.#context.length, this.#context);
  }

  /** The next whole lines, or one that is cut; null at the end. */
  async #read(file: LogFile): Promise<LineBlock | "truncated" | null> {
    for (;;) {
      const position = this.#long === null ? this.#offset : this.#long.read;
      const before = this.#context.length;
      const buffer = new Uint8Array(
        Math.max(this.#readBytes, before + (this.#readBytes > smallRead ? this.lineBytes + 2 : 0)),
      );
      const read = await file.readOnce(position - before, buffer);
      if (read < before || this.#context.some((byte, i) => byte !== buffer[i])) return "truncated";
      if (position === 0) file.mark.head = buffer.slice(0, Math.min(read, headBytes));
      else await file.knowHead(position + read - before);
      // It may have been truncated and filled again while it was read.
      if (!file.has(position - before, buffer.subarray(0, Math.min(read, before + contextBytes)))) continue;
      const full = read === buffer.length;
      const data = buffer.subarray(before, read);
      this.#readBytes = full ? largeRead : smallRead;
      if (this.#long !== null) {
        if (data.length === 0) return null;
        const newline = data.indexOf(10);
        const end = newline === -1 ? data.length : newline + 1;
        this.#keepContext(buffer, before + end);
        this.#long.read += end;
        if (newline !== -1) {
          return this.#cut(file, this.#long.first, this.#long.read, buffer.subarray(0, before + end));
        }
        continue;
      }
      const last = data.lastIndexOf(10);
      if (last === -1) {
        this.#rest = data.slice(0, this.lineBytes + 1);
        if (data.length > this.lineBytes + 1) {
          this.#long = { first: data.slice(0, this.lineBytes), read: position + data.length };
          this.#keepContext(buffer, read);
        } else if (!full) return null;
        continue;
      }
      const short = this.#shortLines(data, last + 1);
      if (short === 0) {
        const end = data.indexOf(10) + 1;
        this.#keepContext(buffer, before + end);
        return this.#cut(
          file,
          data.slice(0, this.lineBytes),
          position + end,
          buffer.subarray(0, before + end),
        );
      }
      const lines = 2 * short < buffer.length ? data.slice(0, short) : data.subarray(0, short);
      const block = new WholeLines(file.mark, position, this.#cursor, lines);
      this.#keepContext(buffer, before + short);
      this.#offset = block.end;
      this.#cursor = block.after;
      this.#rest = nothing;
      return block;
    }
  }

  /** How many of the first `end` bytes are lines within the limit: the newlines are looked for one limit apart. */
  #shortLines(data: Uint8Array, end: number): number {
    let at = 0;
    while (at < end) {
      const newline = data.lastIndexOf(10, Math.min(at + this.lineBytes, end - 1));
      if (newline < at) break;
      at = newline + 1;
    }
    return at;
  }

  #keepContext(buffer: Uint8Array, end: number): void {
    this.#context = buffer.slice(Math.max(0, end - contextBytes), end);
  }

  #cut(file: LogFile, first: Uint8Array, end: number, tail: Uint8Array): LineBlock {
    const line = cutLine(first, end - 1 - this.#offset - first.length);
    const after = file.mark.cursor(end, tail, Math.max(0, tail.length - 24), tail.length);
    const block = new OddLine(file.mark, this.#offset, end, this.#cursor, after, line);
    this.#offset = end;
    this.#cursor = after;
    this.#long = null;
    this.#rest = nothing;
    return block;
  }

  #restLine(): string {
    if (this.#long === null) return plainLine(this.#rest);
    return cutLine(this.#long.first, this.#long.read - this.#offset - this.#long.first.length);
  }

  /** The last line of a file that is done, when it has no newline. */
  #finish(file: LogFile): LineBlock | null {
    if (this.#rest.length === 0 && this.#long === null) return null;
    const end = this.#long === null ? this.#offset + this.#rest.length : this.#long.read;
    const tail = this.#long === null ? this.#rest : this.#context.subarray(-24);
    const after = file.mark.cursor(end, tail, 0, tail.length);
    const block = new OddLine(file.mark, this.#offset, end, this.#cursor, after, this.#restLine());
    if (this.#long === null) this.#context = this.#rest.slice(-contextBytes);
    this.#offset = end;
    this.#cursor = after;
    this.#rest = nothing;
    this.#long = null;
    return block;
  }

  /** Goes on to the next newer file; null when it is not there yet after all. */
  async #move(file: LogFile): Promise<StreamEvent<Gap> | "on" | null> {
    const after = this.#cursor;
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
          this.#before = { file, end: this.#offset, until: Date.now() + lateMs };
          this.#file = null;
          // A copy is there before the truncation: until then the log still has what the copy has.
          const position = parseCursor(after)!;
          const untouched = !certain && position.offset > 0 && first.path === this.place.path &&
            await holds(next, position, this.lineBytes);
          await this.begin(next, untouched ? position.offset : 0);
          return certain ? "on" : gap(after, this.#cursor, null);
        }
      }
    }
    return null;
  }

  /** The file was truncated. What was in it may live on in a copy; lines after that may be missing in any case. */
  async #recover(file: LogFile): Promise<LogItem | null> {
    const after = this.#cursor;
    const copy = await findCopy(this.place, parseCursor(after)!, this.lineBytes);
    if (copy !== null) {
      await this.begin(copy, this.#offset, after, true);
      return await this.next();
    }
    file.forget();
    this.#newer = null;
    this.#copied = false;
    await this.#seek(file, 0);
    return gap(after, this.#cursor, null);
  }
}

/** Short enough to need no signal. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
