import { extname, join } from "node:path";
import { type Cursor, identity, parseCursor } from "./cursor.ts";
import type { LogFile } from "./log_file.ts";
import { type LogPlace, openFile } from "./log_place.ts";

/** A file beside a log that may be one of its rotated ones, or the log itself. */
export interface Sibling {
  /** Last segment of `path`. */
  name: string;
  /** Absolute. */
  path: string;
  /** What it was like when the folder was read. */
  info: Deno.FileInfo;
}

/** What comes after a file: the newer ones in turn, the log's own place last. */
export interface Newer {
  /** Oldest first. */
  files: Sibling[];
  /** Nothing between is missing, as far as names and times can tell. */
  complete: boolean;
  /** The file is a copy that was made before a truncation. */
  copied: boolean;
}

const packed = /\.(?:gz|xz|bz2|zst|Z)$/;

/** Files of a folder that are looked at for an inode. */
const maxSiblings = 10_000;

/** What rotation added to `base`, before its extension or at its end; null for a name that is none of its rotated ones. */
function added(base: string, name: string): string | null {
  name = name.replace(packed, "");
  let part = "";
  if (name.startsWith(base)) part = name.slice(base.length);
  else {
    const extension = extname(base);
    const stem = base.slice(0, base.length - extension.length);
    if (extension === "" || !name.startsWith(stem) || !name.endsWith(extension)) return null;
    part = name.slice(stem.length, -extension.length);
  }
  return /^[.\-_]\d[\d.\-_:T]*$|^\.(?:old|bak)$/.test(part) ? part : null;
}

/** Whether a name is that of a rotated `base`: app.log.1, app.log-20300102, app-20300102.log, packed ones too. */
export function isRotated(base: string, name: string): boolean {
  return added(base, name) !== null;
}

/**
 * Whether a name has the log's own in it, as a word: `archive-app.log` may be what became of `app.log`, `worker.log` is
 * another log, and its lines must not come under this one's name.
 */
export function isNamedAfter(base: string, name: string): boolean {
  const stem = base.slice(0, base.length - extname(base).length);
  const letter = /[\p{L}\p{N}]/u;
  for (let at = name.indexOf(stem); at !== -1; at = name.indexOf(stem, at + 1)) {
    if (!letter.test(name[at - 1] ?? "") && !letter.test(name[at + stem.length] ?? "")) return true;
  }
  return false;
}

/** The number of `.1`, `.2` …, which grows with age; null for a date. */
function number(base: string, name: string): number | null {
  const match = /^[.\-_](\d{1,3})$/.exec(added(base, name) ?? "");
  return match === null ? null : Number(match[1]);
}

/** Oldest first. */
function byAge(base: string): (a: Sibling, b: Sibling) => number {
  return (a, b) => {
    const [m, n] = [number(base, a.name), number(base, b.name)];
    if (m !== null && n !== null && m !== n) return n - m;
    return time(a.info) - time(b.info) || a.name.localeCompare(b.name, "en", { numeric: true });
  };
}

function time(info: Pick<Deno.FileInfo, "mtime">): number {
  return info.mtime?.getTime() ?? 0;
}

/** The regular files of the folder: the rotated ones, and when `all`, every other one but the log itself. */
async function look(place: LogPlace, all: boolean): Promise<Sibling[]> {
  const names: string[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(place.folder)) {
      const wanted = all ? !name.startsWith(".") : isRotated(place.base, name);
      if (isFile && wanted && name !== place.base) names.push(name);
      if (names.length >= maxSiblings) break;
    }
  } catch {
    // A folder that has gone has nothing in it.
  }
  const found = await Promise.all(names.map(async (name) => {
    const path = join(place.folder, name);
    const info = await Deno.lstat(path).catch(() => null);
    return info?.isFile ? [{ name, path, info }] : [];
  }));
  // While a file is being packed, both are there.
  const plain = new Set(names);
  return found.flat().filter(({ name }) => !packed.test(name) || !plain.has(name.replace(packed, "")));
}

/** As {@linkcode look}, and the log last, when nothing was renamed meanwhile: a folder cannot be read in one step. */
async function snapshot(place: LogPlace, all: boolean): Promise<{ rotated: Sibling[]; log: Sibling | null }> {
  let last = "";
  for (let tries = 0;; tries++) {
    const rotated = await look(place, all);
    const info = await place.stat();
    const now = [...rotated.map(({ name, info }) => `${name} ${info.ino}`).sort(), info?.ino].join("/");
    if (now === last || tries === 10) {
      const log = info === null ? null : { name: place.base, path: place.path, info };
      return { rotated: rotated.sort(byAge(place.base)), log };
    }
    last = now;
  }
}

/** What is to be read after `file`, which is at the log's place no more. */
export async function newer(place: LogPlace, file: LogFile): Promise<Newer> {
  const { rotated: siblings, log } = await snapshot(place, false);
  const isOurs = ({ info }: Sibling) => info.ino === file.info.ino && info.dev === file.info.dev;
  let at = siblings.findIndex(isOurs);
  const last = time(file.stat());
  // Packing keeps the time, and removes what it has packed.
  if (at === -1) at = siblings.findIndex(({ name, info }) => packed.test(name) && time(info) === last);
  let ours: Sibling | undefined = siblings[at];
  let files = siblings.slice(at + 1);
  if (at === -1) {
    // Renamed to something else, or deleted: then its time tells which ones are newer.
    ours = (await look(place, true)).find(isOurs);
    files = siblings.filter(({ info }) => time(info) > last);
  }
  let complete = ours !== undefined;
  let copied = false;
  // A packed one cannot be read.
  const readable = files.filter(({ name }) => !packed.test(name));
  if (readable.length < files.length) complete = false;
  if (log !== null) readable.push(log);
  if (ours !== undefined && readable.length > 0) {
    const n = number(place.base, ours.name);
    const next = readable[0] === log ? 0 : number(place.base, readable[0].name);
    if (n !== null && at !== -1 && next !== null && n - next !== 1) complete = false;
    // A file that is younger than the log's own is a copy of what that had: lines may have come between copy and truncation.
    const born = identity(ours.info).birth;
    copied = log !== null && isOurs(ours) && born > identity(log.info).birth;
  }
  return { files: readable, complete, copied };
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
export async function locate(
  place: LogPlace,
  cursor: Cursor,
  lineBytes: number,
): Promise<{ file: LogFile; copied: boolean } | null> {
  const isCursors = (info: Deno.FileInfo) => {
    const { ino, birth } = identity(info);
    return ino === cursor.ino && birth === cursor.birth;
  };
  let truncated = false;
  const take = async (file: LogFile) => {
    if (await holds(file, cursor, lineBytes)) return true;
    file[Symbol.dispose]();
    truncated = true;
    return false;
  };
  const file = await untilStill(async () => {
    const current = await place.open();
    if (current !== null && isCursors(current.info)) return await take(current) ? current : null;
    current?.[Symbol.dispose]();
    // Most are found among the rotated ones, and a folder may have thousands of others.
    for (const all of [false, true]) {
      for (const { name, path, info } of (await snapshot(place, all)).rotated) {
        if (!isCursors(info) || !isNamedAfter(place.base, name)) continue;
        const file = await openFile(path, info);
        if (file === null) return again;
        return await take(file) ? file : null;
      }
    }
    return null;
  });
  if (file !== null) return { file, copied: false };
  const copy = truncated ? await findCopy(place, cursor, lineBytes) : null;
  return copy === null ? null : { file: copy, copied: true };
}

/** The rotated file that has the content before a position, if there is just one: what `copytruncate` made. */
export function findCopy(place: LogPlace, position: Position, lineBytes: number): Promise<LogFile | null> {
  return untilStill(async () => {
    // With nothing before the position, everything has it.
    if (position.offset === 0) return null;
    const copies: LogFile[] = [];
    const drop = () => copies.forEach((file) => file[Symbol.dispose]());
    for (const { name, path, info } of (await snapshot(place, false)).rotated) {
      if (packed.test(name)) continue;
      const file = await openFile(path, info);
      if (file === null) {
        drop();
        return again;
      }
      if (await holds(file, position, lineBytes)) copies.push(file);
      else file[Symbol.dispose]();
    }
    if (copies.length === 1) return copies[0];
    drop();
    return null;
  });
}

/** The part of a cursor that tells the content and not the file. */
export type Position = Pick<Cursor, "offset" | "check">;

/** Whether a file has the content that was before a position. */
export async function holds(
  file: LogFile,
  { offset, check }: Position,
  lineBytes: number,
): Promise<boolean> {
  const there = file.stat().size < offset ? null : await file.cursorAt(offset, lineBytes);
  return there !== null && parseCursor(there)!.check === check;
}
