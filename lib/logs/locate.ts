import { absentSince, type Cursor, identity } from "./cursor.ts";
import { FileFingerprint } from "./fingerprint.ts";
import type { LogFile } from "./log_file.ts";
import type { LogPlace } from "./log_place.ts";
import { isUnreadable, PackedLog } from "./packed_log.ts";
import { clockMs } from "./rotation.ts";
import { born, changed, type Sibling, snapshot } from "./siblings.ts";

/** Files beside a log that are searched for a position, the newest ones. */
const maxCopies = 100;

/** An open file, and the position in it that was looked for. */
export interface Located {
  file: LogFile;
  at: FileFingerprint;
  /** It is a copy that was made before a truncation. */
  copied: boolean;
  /** Nothing is missing before it. */
  complete: boolean;
}

/** Tries again while it is undefined: a file was renamed between being seen and being opened. */
async function retried<T>(find: () => Promise<T | undefined>): Promise<T | null> {
  for (let tries = 0; tries < 20; tries++) {
    const found = await find();
    if (found !== undefined) return found;
  }
  return null;
}

/**
 * Opens the file that a cursor is of: by inode and content, at the log's path or renamed in its folder. When its inode is
 * gone or holds something else, a copy beside it serves as well, or what has been packed since. Null when there is none. That of a log without a file leads
 * to the first one that was made since.
 */
export async function locate(place: LogPlace, cursor: Cursor, lineBytes: number): Promise<Located | null> {
  const since = absentSince(cursor);
  if (since !== null) return await firstSince(place, since);
  const isCursors = (info: Deno.FileInfo) => {
    const { ino, birth } = identity(info);
    return ino === cursor.ino && birth === cursor.birth;
  };
  const at = async (path: string, seen: Deno.FileInfo, copied = false) => {
    const file = await place.openFile(path, seen);
    if (file === null) return undefined;
    const at = await FileFingerprint.at(file, cursor, lineBytes);
    if (at !== null) return { file, at, copied, complete: true };
    file[Symbol.dispose]();
    return null;
  };
  const found = await retried(async () => {
    const info = await place.stat();
    if (info !== null && isCursors(info)) return await at(place.path, info);
    const { siblings, log } = await snapshot(place);
    const seen = siblings.find(({ info }) => isCursors(info));
    if (seen === undefined) return null;
    // Packing keeps the time of the last write: that of a copy is later than the log.
    return await at(seen.path, seen.info, seen.packed && log !== null && changed(seen.info) > born(log));
  });
  return found ?? await findCopy(place, cursor, lineBytes);
}

/** Opens the oldest file that was made since there was none, also when it has been rotated. */
async function firstSince(place: LogPlace, since: number): Promise<Located | null> {
  return await retried(async () => {
    const { siblings, log } = await snapshot(place);
    const files = siblings.filter((sibling) => sibling.rotated && born(sibling) > since - clockMs);
    const first = files.find(({ readable }) => readable) ?? log;
    if (first === null) return null;
    const file = await place.openFile(first.path, first.info);
    if (file === null) return undefined;
    const complete = (files.length === 0 || files[0] === first) && !isUnreadable(file);
    const copied = first.packed && log !== null && changed(first.info) > born(log);
    return { file, at: FileFingerprint.start(file.info), copied, complete };
  });
}

/**
 * The file beside the log that has the content before a position, if there is just one by a rotated name, or else at all. Of
 * packed files those count that were last written since `birth`, while they unpack to `unpackedBytes` in all; a copy may have
 * been given the time of what it is of.
 */
export async function findCopy(
  place: LogPlace,
  position: Pick<Cursor, "offset" | "check"> & Partial<Pick<Cursor, "birth" | "ino">>,
  lineBytes: number,
): Promise<Located | null> {
  // With nothing before the position, every file has it.
  if (position.offset === 0) return null;
  const { birth, ino } = position;
  let { unpackedBytes } = place;
  return await retried(async () => {
    const copies = [];
    let moved = false;
    const { siblings, log } = await snapshot(place);
    // What was made before the log, and is away, was renamed and packed; else the log is truncated, or this was a copy of it.
    const own = log && identity(log.info);
    const isCopy = birth === undefined ||
      own !== null && (birth > own.birth || birth === own.birth && ino === own.ino);
    const mayHave = ({ packed, readable, info }: Sibling) =>
      packed ? readable && (isCopy || changed(info) >= birth - clockMs) : info.size >= position.offset;
    for (const { packed, rotated, path, info } of siblings.slice(-maxCopies).filter(mayHave)) {
      if (packed && unpackedBytes <= 0) continue;
      using file = await place.openFile(path, info, unpackedBytes);
      if (file instanceof PackedLog) unpackedBytes -= file.unpacked;
      // Or it may not be read.
      moved ||= file === null;
      const at = file && await FileFingerprint.at(file, position, lineBytes);
      if (at !== null) copies.push({ rotated, path, info, at, copied: !packed || isCopy });
    }
    const named = copies.filter(({ rotated }) => rotated);
    const [copy, ...others] = named.length > 0 ? named : copies;
    if (copy === undefined && moved) return undefined;
    if (copy === undefined || others.length > 0) return null;
    const { path, info, at, copied } = copy;
    const file = await place.openFile(path, info);
    return file === null ? undefined : { file, at, copied, complete: true };
  });
}
