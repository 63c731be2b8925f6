import { Buffer } from "node:buffer";
import type { FileFingerprint } from "./fingerprint.ts";
import { decoder, type LineBlock, PartialLine, WholeLines } from "./line_block.ts";
import type { LogFile } from "./log_file.ts";
import { scans } from "./turns.ts";

const holeRead = 1_048_576;
/** A reader that does not read keeps a block, beside four that the runtime keeps; larger ones were no faster. */
const largeRead = 131_072;
const smallRead = 16_384;

const nothing = new Uint8Array(0);
const nuls = new Uint8Array(holeRead);

/**
 * The lines of one file from a position on. It reads nothing but whole lines: what is unfinished is read again. Each read
 * begins a little before its position, so that a truncation is seen even when the file has grown past it since.
 */
export class FileLines {
  /** What there is of the unfinished last line. */
  #rest: Uint8Array = nothing;
  /** A line over the limit, while its end is looked for: its first bytes, and how far it was read. */
  #long: { first: Uint8Array; at: FileFingerprint } | null = null;
  #readBytes = smallRead;
  /** What was looked at, and has not been taken. */
  #peeked: LineBlock | null = null;

  /** Reads an open file on from `at`, where a line ends or the file begins; later that is the position after the last line. */
  constructor(
    readonly file: LogFile,
    public at: FileFingerprint,
    readonly lineBytes: number,
  ) {}

  /**
   * The next whole lines, or one that is cut; null at the end; "truncated" when what was read is no longer there. When the
   * signal aborts it throws, also within a line that has no end.
   */
  async next(signal: AbortSignal): Promise<LineBlock | "truncated" | null> {
    if (this.#peeked !== null) return this.#moved(this.#peeked);
    for (;;) {
      signal.throwIfAborted();
      const from = this.#long?.at ?? this.at;
      const before = from.tail.length;
      const room = before + (this.#readBytes > smallRead ? this.lineBytes + 2 : 0);
      const buffer = new Uint8Array(Math.max(this.#readBytes, room));
      const read = await this.file.readOnce(from.offset - before, buffer);
      if (!from.leadsInto(buffer.subarray(0, read))) return "truncated";
      const data = buffer.subarray(before, read);
      // It may have been truncated and filled again, before or while it was read.
      if (data.length > 0 && !from.isIn(this.file, data)) {
        if (from.offset > 0) return "truncated";
        continue;
      }
      const hole = this.#long === null ? holeIn(data, from) : 0;
      if (hole > 0) {
        this.at = from.after(data.subarray(0, hole), hole);
        this.#readBytes = holeRead;
        await scans.next(signal);
        continue;
      }
      const full = read === buffer.length;
      this.#readBytes = full ? largeRead : smallRead;
      const block = this.#long === null ? this.#take(data) : this.#skip(this.#long, data);
      if (block !== null || !full) return block;
    }
  }

  /** What `next` returns, and will return again. */
  async peek(signal: AbortSignal): Promise<LineBlock | "truncated" | null> {
    const item = await this.next(signal);
    if (item === null || item === "truncated") return item;
    this.at = item.before;
    return this.#peeked = item;
  }

  /** Whether another file has the unfinished last line too, at its place. */
  goesOnIn(other: LogFile): boolean {
    return other.has(this.at.offset, this.#long?.first ?? this.#rest);
  }

  /** The last line when it has no newline; with a cursor of its own only when the file is done. */
  unfinished(done: boolean): LineBlock | null {
    const { at } = this;
    const rest = this.#rest;
    const long = this.#long;
    if (long === null && rest.length === 0) return null;
    const [end, line] = long === null
      ? [at.after(rest, 0), decoder.decode(rest.at(-1) === 13 ? rest.subarray(0, -1) : rest)]
      : [long.at, cutLine(long.first, long.at.offset - at.offset)];
    return done ? this.#moved(new PartialLine(at, end, line)) : new PartialLine(at, at, line);
  }

  /** The whole lines of what was read, or null when it ends before the first of them does. */
  #take(data: Uint8Array<ArrayBuffer>): LineBlock | null {
    const { lineBytes } = this;
    const short = this.#shortLines(data, data.lastIndexOf(10) + 1);
    if (short > 0) {
      // A small part of what was read is copied, so that it does not keep the whole.
      const lines = 2 * short < data.buffer.byteLength ? data.slice(0, short) : data.subarray(0, short);
      return this.#moved(new WholeLines(this.at, lines));
    }
    this.#rest = data.slice(0, lineBytes + 1);
    if (data.length <= lineBytes + 1) return null;
    let end = lineBytes;
    // Between characters: not before a continuation byte of UTF-8.
    while (end > lineBytes - 3 && (data[end] & 0xc0) === 0x80) end--;
    return this.#skip(this.#long = { first: data.slice(0, end), at: this.at }, data);
  }

  /** Goes on to the end of a line over the limit. */
  #skip(long: { first: Uint8Array; at: FileFingerprint }, data: Uint8Array): LineBlock | null {
    const end = data.indexOf(10) + 1;
    long.at = long.at.after(end === 0 ? data : data.subarray(0, end));
    if (end === 0) return null;
    const line = cutLine(long.first, long.at.offset - 1 - this.at.offset);
    return this.#moved(new PartialLine(this.at, long.at, line));
  }

  /** How many of the first `end` bytes are lines within the limit, found by newlines one limit apart. */
  #shortLines(data: Uint8Array, end: number): number {
    let at = 0;
    while (at < end) {
      const newline = data.lastIndexOf(10, Math.min(at + this.lineBytes, end - 1));
      if (newline < at) break;
      at = newline + 1;
    }
    return at;
  }

  /** Goes on after a block. */
  #moved(block: LineBlock): LineBlock {
    this.at = block.after;
    this.#long = this.#peeked = null;
    this.#rest = nothing;
    return block;
  }
}

/** Whether there are only NULs, up to 1 MiB of them; many times faster than a look at each byte. */
export function isHole(data: Uint8Array): boolean {
  return Buffer.compare(data, nuls.subarray(0, data.length)) === 0;
}

/**
 * How many bytes of a hole are left at a position: NULs at the start of a file, where a program that does not append has
 * gone on at its old position after a truncation.
 */
function holeIn(data: Uint8Array, { offset, tail }: FileFingerprint): number {
  if (data[0] !== 0 || offset > 0 && tail.at(-1) !== 0) return 0;
  if (isHole(data)) return data.length;
  const end = data.findIndex((byte) => byte !== 0);
  return end === -1 ? data.length : end;
}

function cutLine(first: Uint8Array, length: number): string {
  return `${decoder.decode(first)} [cut: ${length - first.length} more bytes]`;
}
