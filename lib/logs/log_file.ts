import type { OpenFile, OpenInfo } from "../open_file.ts";
import { headBytes, lineStart, Mark } from "./cursor.ts";

/** One open log file. Its reads name their position; only one may be under way at a time. */
export class LogFile implements Disposable {
  /** What marks the lines that are read from now on. */
  mark: Mark;
  readonly #file: OpenFile;

  /** Takes over `file`; `info` is of the same. */
  constructor(file: OpenFile, readonly info: Deno.FileInfo) {
    this.#file = file;
    this.mark = new Mark(info);
  }

  /** What it is like now. */
  stat(): OpenInfo {
    return this.#file.info();
  }

  /**
   * One read, up to the end that the file has at that moment: a second one could go on in what the file was filled with
   * after a truncation.
   */
  readOnce(position: number, buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    return this.#file.read(buffer, position);
  }

  /** Whether the file still has these bytes there. Only for what was read just now: it does not wait for a disk. */
  has(position: number, bytes: Uint8Array): boolean {
    const there = new Uint8Array(bytes.length);
    return this.#file.readSync(there, position) === bytes.length &&
      there.every((byte, i) => byte === bytes[i]);
  }

  /** Fills as much of `buffer` as there is from `position`; tells how much. */
  async read(position: number, buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    let filled = 0;
    while (filled < buffer.length) {
      const count = await this.#file.read(buffer.subarray(filled), position + filled);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  /** Makes the mark know the head of the file as far as `end`: it may have grown since. */
  async knowHead(end: number): Promise<void> {
    const wanted = Math.min(end, headBytes);
    if (this.mark.head.length >= wanted) return;
    const head = new Uint8Array(wanted);
    this.mark.head = head.subarray(0, await this.read(0, head));
  }

  /** Forgets what the file had in it: it was truncated. */
  forget(): void {
    this.mark = new Mark(this.info);
  }

  /** The cursor of a position after a line; null when the file is shorter. */
  async cursorAt(offset: number, lineBytes: number): Promise<string | null> {
    await this.knowHead(offset);
    // A line within the limit has its start, or the newline before it, within this window.
    const window = new Uint8Array(Math.min(offset, lineBytes + 2));
    if (await this.read(offset - window.length, window) < window.length) return null;
    return this.mark.cursor(
      offset,
      window,
      checkedFrom(window, window.length, offset, lineBytes),
      window.length,
    );
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/**
 * Where the part of the last line that a check looks at begins in `bytes`, whose end is `offset` in the file. Of a line over
 * the limit that is its end: whoever checks it later has not read its start.
 */
export function checkedFrom(bytes: Uint8Array, end: number, offset: number, lineBytes: number): number {
  const start = lineStart(bytes, end);
  const known = start > 0 || end === offset;
  return known && end - start <= lineBytes + 1 ? start : Math.max(0, end - 24);
}
