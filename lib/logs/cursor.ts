/** A position in a log, as a client holds it: which file, and the byte after the last line that was read. */
export interface Cursor {
  /** Device of the file. */
  dev: number;
  /** Inode of the file; 0 where there are none. */
  ino: number;
  /** When the file was created, in ms; 0 where the file system does not say. */
  birth: number;
  /** Bytes before the position. */
  offset: number;
  /** Tells the content before the position: see {@linkcode Mark.check}. */
  check: number;
}

/** Bytes at the start of a file that its {@linkcode Mark} knows. */
export const headBytes = 256;

/** Bytes at either end of a line that go into a check. */
const endBytes = 24;

const pattern = /^([0-9a-z]{1,12})-([0-9a-z]{1,12})-([0-9a-z]{1,12})-(\d{1,16})-(\d{1,10})$/;

/** Reads a cursor; null when it is none. */
export function parseCursor(text: string): Cursor | null {
  const match = pattern.exec(text);
  if (match === null) return null;
  const [dev, ino, birth] = match.slice(1, 4).map((part) => parseInt(part, 36));
  const offset = Number(match[4]);
  return Number.isSafeInteger(offset) ? { dev, ino, birth, offset, check: Number(match[5]) } : null;
}

/** What a file says of itself, as a cursor holds it. */
export function identity(info: Deno.FileInfo): { dev: number; ino: number; birth: number } {
  return { dev: info.dev, ino: info.ino ?? 0, birth: info.birthtime?.getTime() ?? 0 };
}

/** Whether both are the same file, as far as the file system knows: an inode number is used again after a deletion. */
export function sameFile(one: Deno.FileInfo, other: Deno.FileInfo): boolean {
  const [a, b] = [identity(one), identity(other)];
  return a.ino === b.ino && a.dev === b.dev && a.birth === b.birth;
}

/**
 * What marks the lines of one file: its identity and its first bytes. A cursor is
 * `DEV-INODE-BIRTH-OFFSET-CHECK`, the first three in base 36.
 */
export class Mark {
  /** What every cursor in the file begins with. */
  readonly prefix: string;
  #head: Uint8Array = new Uint8Array(0);
  #headHash = seed;

  /** What `info` says has to be of the open file. */
  constructor(info: Deno.FileInfo) {
    const { dev, ino, birth } = identity(info);
    this.prefix = [dev, ino, birth].map((part) => part.toString(36)).join("-") + "-";
  }

  /** The first bytes of the file, as far as they have been read. */
  get head(): Uint8Array {
    return this.#head;
  }

  set head(bytes: Uint8Array) {
    this.#head = bytes;
    this.#headHash = hash(seed, bytes, 0, bytes.length);
  }

  /**
   * 30 bits that tell the content before `end`: the head of the file up to there, and both ends of the last line, which is
   * `bytes` from `from` to `to`. With them a cursor knows a file that was truncated and filled again, and its copy.
   */
  check(end: number, bytes: Uint8Array, from: number, to: number): number {
    let state = end >= this.#head.length ? this.#headHash : hash(seed, this.#head, 0, end);
    if (to - from <= 2 * endBytes) state = hash(state, bytes, from, to);
    else state = hash(hash(state, bytes, from, from + endBytes), bytes, to - endBytes, to);
    return state & 0x3fffffff;
  }

  /** The cursor after the line that is `bytes` from `from` to `to` and ends at `end` in the file. */
  cursor(end: number, bytes: Uint8Array, from: number, to: number): string {
    return `${this.prefix}${end}-${this.check(end, bytes, from, to)}`;
  }
}

// FNV-1a, 32 bits: it has to tell accidents apart, not attacks.
const seed = 0x811c9dc5;

function hash(state: number, bytes: Uint8Array, from: number, to: number): number {
  for (let i = from; i < to; i++) state = Math.imul(state ^ bytes[i], 0x01000193);
  return state;
}

/** Where the line that ends at `end` begins in `bytes`. */
export function lineStart(bytes: Uint8Array, end: number): number {
  return end < 2 ? 0 : bytes.lastIndexOf(10, end - 2) + 1;
}
