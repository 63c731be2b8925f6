import { type Cursor, identity } from "./cursor.ts";
import { FileFingerprint } from "./fingerprint.ts";
import type { LogFile } from "./log_file.ts";
import type { LogPlace } from "./log_place.ts";
import { snapshot } from "./siblings.ts";

/** A file, open, with a position that has the content which was looked for. */
export interface Located {
  /** The file. */
  file: LogFile;
  /** The position. */
  at: FileFingerprint;
  /** It is a copy that was made before a truncation. */
  copied: boolean;
}

/** The part of a cursor that tells the content and not the file. */
export type Position = Pick<Cursor, "offset" | "check">;

/** The position in a file that has the content which was before another; null when the file has not. */
export async function holds(
  file: LogFile,
  { offset, check }: Position,
  lineBytes: number,
): Promise<FileFingerprint | null> {
  const at = file.stat().size < offset ? null : await FileFingerprint.at(file, offset, lineBytes);
  return at?.check === check ? at : null;
}

/** Looks again when a file was renamed between being seen and being opened. */
const again = Symbol();

async function untilStill<T>(look: () => Promise<T | typeof again>): Promise<T | null> {
  for (let tries = 0; tries < 20; tries++) {
    const found = await look();
    if (found !== again) return found;
  }
  return null;
}

/**
 * Opens the file that a cursor is of: by inode and content, at the log's place or renamed in its folder. When its inode now
 * holds something else it was truncated, and a copy of it beside it serves as well. Null when it is gone.
 */
export async function locate(place: LogPlace, cursor: Cursor, lineBytes: number): Promise<Located | null> {
  const isCursors = (info: Deno.FileInfo) => {
    const { ino, birth } = identity(info);
    return ino === cursor.ino && birth === cursor.birth;
  };
  let truncated = false;
  const take = async (file: LogFile): Promise<Located | null> => {
    const at = await holds(file, cursor, lineBytes);
    if (at !== null) return { file, at, copied: false };
    file[Symbol.dispose]();
    truncated = true;
    return null;
  };
  const found = await untilStill(async () => {
    const current = await place.open();
    if (current !== null && isCursors(current.info)) return await take(current);
    current?.[Symbol.dispose]();
    // Most are found among the rotated ones, and a folder may have thousands of others.
    for (const all of [false, true]) {
      for (const { namedAfter, path, info } of (await snapshot(place, all)).rotated) {
        if (!isCursors(info) || !namedAfter) continue;
        const file = await place.openFile(path, info);
        return file === null ? again : await take(file);
      }
    }
    return null;
  });
  return found ?? (truncated ? await findCopy(place, cursor, lineBytes) : null);
}

/** The rotated file that has the content before a position, if there is just one: what `copytruncate` made. */
export function findCopy(place: LogPlace, position: Position, lineBytes: number): Promise<Located | null> {
  return untilStill(async () => {
    // With nothing before the position, everything has it.
    if (position.offset === 0) return null;
    const copies: Located[] = [];
    let whole = false;
    try {
      for (const { packed, path, info } of (await snapshot(place)).rotated) {
        if (packed) continue;
        const file = await place.openFile(path, info);
        if (file === null) return again;
        const at = await holds(file, position, lineBytes);
        if (at === null) file[Symbol.dispose]();
        else copies.push({ file, at, copied: true });
      }
      whole = copies.length === 1;
      return whole ? copies[0] : null;
    } finally {
      if (!whole) { for (const { file } of copies) file[Symbol.dispose](); }
    }
  });
}
