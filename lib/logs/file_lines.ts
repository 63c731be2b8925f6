import { headBytes } from "./cursor.ts";
import { cutLine, type LineBlock, OddLine, plainLine, WholeLines } from "./line_block.ts";
import type { LogFile } from "./log_file.ts";

const largeRead = 262_144;
const smallRead = 16_384;

/** Bytes before a position that are read again each time, to see that the file is still the same. */
const contextBytes = 64;

const nothing = new Uint8Array(0);

/**
 * The lines of one file from a position on. It reads nothing but whole lines: what is unfinished is read again. Each read
 * begins a little before its position, so that a truncation is seen even when the file has grown past it since.
 */
export class FileLines implements Disposable {
  #offset = 0;
  #cursor = "";
  /** The bytes just before where the next read begins. */
  #context: Uint8Array = nothing;
  /** What there is of the unfinished last line. */
  #rest: Uint8Array = nothing;
  /** A line over the limit, while its end is looked for. */
  #long: { first: Uint8Array; read: number } | null = null;
  #readBytes = smallRead;

  private constructor(readonly file: LogFile, readonly lineBytes: number) {}

  /**
   * Takes over an open file, to read on from where a line ends or the file begins. `cursor` is what a client calls that
   * position; it has been compared with the file.
   */
  static async at(file: LogFile, offset: number, lineBytes: number, cursor?: string): Promise<FileLines> {
    const lines = new FileLines(file, lineBytes);
    try {
      await lines.#seek(offset, cursor);
    } catch (error) {
      lines[Symbol.dispose]();
      throw error;
    }
    return lines;
  }

  /** The cursor after the last line. */
  get cursor(): string {
    return this.#cursor;
  }

  /** Bytes of the file before that. */
  get offset(): number {
    return this.#offset;
  }

  /** Begins anew with what the file has after it was truncated. */
  async restart(): Promise<void> {
    this.file.forget();
    await this.#seek(0);
  }

  /** The unfinished last line, without a cursor of its own; null when there is none. */
  unfinished(): LineBlock | null {
    if (this.#rest.length === 0 && this.#long === null) return null;
    const [offset, cursor] = [this.#offset, this.#cursor];
    return new OddLine(this.file.mark, offset, offset, cursor, cursor, this.#restLine());
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.file[Symbol.dispose]();
  }

  async #seek(offset: number, cursor?: string): Promise<void> {
    const { file } = this;
    this.#rest = nothing;
    this.#long = null;
    cursor ??= await file.cursorAt(offset, this.lineBytes) ?? undefined;
    this.#offset = cursor === undefined ? 0 : offset;
    this.#cursor = cursor ?? file.mark.cursor(0, nothing, 0, 0);
    // If the file is too short by now these bytes stay zero, and the next read tells that it was truncated.
    const context = new Uint8Array(Math.min(this.#offset, contextBytes));
    this.#context = context;
    await file.read(this.#offset - context.length, context);
  }

  /** The next whole lines, or one that is cut; null at the end; "truncated" when what was read is not there any more. */
  async next(): Promise<LineBlock | "truncated" | null> {
    const { file } = this;
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
          return this.#cut(this.#long.first, this.#long.read, buffer.subarray(0, before + end));
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

  #cut(first: Uint8Array, end: number, tail: Uint8Array): LineBlock {
    const { mark } = this.file;
    const line = cutLine(first, end - 1 - this.#offset - first.length);
    const after = mark.cursor(end, tail, Math.max(0, tail.length - 24), tail.length);
    const block = new OddLine(mark, this.#offset, end, this.#cursor, after, line);
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
  finish(): LineBlock | null {
    const { mark } = this.file;
    if (this.#rest.length === 0 && this.#long === null) return null;
    const end = this.#long === null ? this.#offset + this.#rest.length : this.#long.read;
    const tail = this.#long === null ? this.#rest : this.#context.subarray(-24);
    const after = mark.cursor(end, tail, 0, tail.length);
    const block = new OddLine(mark, this.#offset, end, this.#cursor, after, this.#restLine());
    if (this.#long === null) this.#context = this.#rest.slice(-contextBytes);
    this.#offset = end;
    this.#cursor = after;
    this.#rest = nothing;
    this.#long = null;
    return block;
  }
}
