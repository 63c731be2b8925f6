/** A position in a log, as a client holds it: `DEV-INODE-BIRTH-OFFSET-CHECK`, the first three in base 36. */
export interface Cursor {
  dev: number;
  /** Inode; 0 where there are none. */
  ino: number;
  /** When the file was created, in ms; 0 where the file system does not say. */
  birth: number;
  /** Bytes before the position. */
  offset: number;
  /** Hash of the content before the position: see `FileFingerprint.check`. */
  check: number;
}

const pattern = /^([0-9a-z]{1,12})-([0-9a-z]{1,12})-([0-9a-z]{1,12})-(\d{1,16})-(\d{1,10})$/;

/** Null when the text is not a cursor. */
export function parseCursor(text: string): Cursor | null {
  const match = pattern.exec(text);
  if (match === null) return null;
  const [dev, ino, birth] = match.slice(1, 4).map((part) => parseInt(part, 36));
  const offset = Number(match[4]);
  return Number.isSafeInteger(offset) ? { dev, ino, birth, offset, check: Number(match[5]) } : null;
}

/** The cursor of a log that has no file at `ms`: all that is written to it later is new. */
export function absentCursor(ms: number): string {
  return `0-0-${ms.toString(36)}-0-0`;
}

/** When a log had no file, in ms, if that is what a cursor says. No position at the start of a file has a check of 0. */
export function absentSince({ dev, ino, birth, offset, check }: Cursor): number | null {
  return dev + ino + offset + check === 0 ? birth : null;
}

export function identity(info: Deno.FileInfo): Pick<Cursor, "dev" | "ino" | "birth"> {
  return { dev: info.dev, ino: info.ino ?? 0, birth: info.birthtime?.getTime() ?? 0 };
}

/**
 * Whether both are the same file: the birth time counts too, since an inode number is used again after a deletion. Without
 * inodes (Windows) a file is the same when it was born at the same time and has only grown.
 */
export function sameFile(earlier: Deno.FileInfo, later: Deno.FileInfo): boolean {
  const [a, b] = [identity(earlier), identity(later)];
  if (a.birth !== b.birth) return false;
  if (a.ino !== 0 && b.ino !== 0) return a.ino === b.ino && a.dev === b.dev;
  return earlier.size <= later.size && (earlier.mtime?.getTime() ?? 0) <= (later.mtime?.getTime() ?? 0);
}
