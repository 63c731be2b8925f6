import { Buffer } from "node:buffer";
import { identity } from "./cursor.ts";
import type { LogFile } from "./log_file.ts";

/** Bytes at the start of a file that its fingerprint knows. */
const headBytes = 256;

/** Bytes before a position that are read again with what follows. */
const tailBytes = 64;

/** Bytes at the end of a file that a line is looked for in. */
const nearBytes = 65_536;

/** Bytes at either end of a line that go into a check. */
const endBytes = 24;

const nothing = new Uint8Array(0);

/**
 * Enough of a file before a position to see whether that is still there: its identity, its first bytes and those just before
 * the position. It detects a file that was truncated and filled again, even past the position, and finds a copy of it.
 */
export class FileFingerprint {
  /** 30-bit hash of the file's head and both ends of the last line. Clients hold it in their cursors: it must not change. */
  readonly check: number;
  readonly #head: Uint8Array;
  readonly #headHash: number;

  private constructor(
    /** What each cursor in the file begins with. */
    readonly prefix: string,
    /** Bytes before the position. */
    readonly offset: number,
    head: Uint8Array,
    /** The bytes just before the position. */
    readonly tail: Uint8Array,
    line: Uint8Array,
    /** The first bytes of the last line that is known to its start, and where they are. */
    readonly first: { bytes: Uint8Array; at: number },
  ) {
    this.#head = head;
    this.#headHash = hash(seed, head, 0, head.length);
    this.check = this.#checkOf(offset, line, 0, line.length);
  }

  /** The start of a file. */
  static start(info: Deno.FileInfo): FileFingerprint {
    const { dev, ino, birth } = identity(info);
    const prefix = [dev, ino, birth].map((part) => part.toString(36)).join("-") + "-";
    return new FileFingerprint(prefix, 0, nothing, nothing, nothing, { bytes: nothing, at: 0 });
  }

  /** A position of a file that a line ends at; null when the file is shorter, or another `check` is wanted. */
  static async at(
    file: LogFile,
    { offset, check }: { offset: number; check?: number },
    lineBytes: number,
  ): Promise<FileFingerprint | null> {
    if (file.stat().size < offset) return null;
    const head = new Uint8Array(Math.min(offset, headBytes));
    // A line within the limit has its start, or the newline before it, within this window.
    const window = new Uint8Array(Math.min(offset, Math.max(lineBytes + 2, tailBytes)));
    if (await file.read(0, head) < head.length) return null;
    if (await file.read(offset - window.length, window) < window.length) return null;
    let from = lineStart(window, window.length);
    // A hole at the start of the file is no part of its first line.
    if (from === 0 && head[0] === 0 && window[0] === 0) {
      from = window.findIndex((byte) => byte !== 0);
      if (from === -1) from = window.length;
    }
    const known = (from > 0 || window.length === offset) && window.length - from <= lineBytes + 1;
    const line = window.subarray(known ? from : -endBytes);
    const { prefix } = FileFingerprint.start(file.info);
    const first = { bytes: line.slice(0, endBytes), at: offset - line.length };
    const at = new FileFingerprint(prefix, offset, head, window.slice(-tailBytes), line, first);
    return check === undefined || check === at.check ? at : null;
  }

  /**
   * The position after `bytes`, which follow this one. The last line in them begins at `from`; without it, only the end of
   * the line counts: a later check of a line over the limit does not read its start.
   */
  after(bytes: Uint8Array, from?: number): FileFingerprint {
    const { prefix, offset } = this;
    const tail = joined(this.tail, bytes.subarray(-tailBytes)).slice(-tailBytes);
    const known = from !== undefined;
    return new FileFingerprint(
      prefix,
      offset + bytes.length,
      this.#headBefore(bytes),
      tail,
      known ? bytes.subarray(from) : tail.subarray(-endBytes),
      known ? { bytes: bytes.slice(from, from + endBytes), at: offset + from } : this.first,
    );
  }

  get cursor(): string {
    return `${this.prefix}${this.offset}-${this.check}`;
  }

  /** The cursor after a line before the position: it is `bytes` from `from` to `to`, and ends at `end` in the file. */
  cursorOf(end: number, bytes: Uint8Array, from: number, to: number): string {
    return `${this.prefix}${end}-${this.#checkOf(end, bytes, from, to)}`;
  }

  /** Whether `bytes`, read from where the tail begins, begin with it. */
  leadsInto(bytes: Uint8Array): boolean {
    return bytes.length >= this.tail.length && this.tail.every((byte, i) => byte === bytes[i]);
  }

  /** Whether there is so much before the position that another file does not have it by accident. */
  get isLong(): boolean {
    return this.#head.length === headBytes;
  }

  /** Whether a file has the last line before the position near its end. */
  async hasLastLine(file: LogFile): Promise<boolean> {
    const { size } = file.stat();
    const start = Math.max(0, size - nearBytes);
    const bytes = new Uint8Array(size - start);
    const text = Buffer.from(bytes.buffer, 0, await file.read(start, bytes));
    const line = this.tail.subarray(lineStart(this.tail, this.tail.length));
    let at = text.indexOf(line);
    while (at > 0 && text[at - 1] !== 10) at = text.indexOf(line, at + 1);
    return at !== -1;
  }

  /** Whether a file has this content before `data`, which was read just now with the tail: no disk is waited for. */
  isIn(file: LogFile, data: Uint8Array): boolean {
    return file.has(0, this.#headBefore(data)) && file.has(this.first.at, this.first.bytes);
  }

  /** The head of a file that has `data` after the position. */
  #headBefore(data: Uint8Array): Uint8Array {
    const head = this.#head;
    return head.length === headBytes ? head : joined(head, data.subarray(0, headBytes - head.length));
  }

  #checkOf(end: number, bytes: Uint8Array, from: number, to: number): number {
    let state = end >= this.#head.length ? this.#headHash : hash(seed, this.#head, 0, end);
    if (to - from <= 2 * endBytes) state = hash(state, bytes, from, to);
    else state = hash(hash(state, bytes, from, from + endBytes), bytes, to - endBytes, to);
    return state & 0x3fffffff;
  }
}

/** Where the line that ends at `end` begins in `bytes`. */
export function lineStart(bytes: Uint8Array, end: number): number {
  return end < 2 ? 0 : bytes.lastIndexOf(10, end - 2) + 1;
}

// FNV-1a, 32 bits: against accidents, not attacks.
const seed = 0x811c9dc5;

function hash(state: number, bytes: Uint8Array, from: number, to: number): number {
  for (let i = from; i < to; i++) state = Math.imul(state ^ bytes[i], 0x01000193);
  return state;
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(one.length + other.length);
  bytes.set(one);
  bytes.set(other, one.length);
  return bytes;
}
