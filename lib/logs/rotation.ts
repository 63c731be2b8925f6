import { join } from "node:path";
import { identity, sameFile } from "./cursor.ts";
import type { LogFile } from "./log_file.ts";
import type { LogPlace, Target } from "./log_place.ts";
import { LogName, unpacked } from "./rotated_names.ts";

/** Names of a folder that are considered. */
const maxSiblings = 10_000;

/** The clock of a file system may be behind by this much, in ms. */
export const clockMs = 20;

/** Its clock ticks at least this often, in ms. */
const tickMs = 10;

/** A file beside a log that has the log's name in its own, or the log itself. */
export interface Sibling {
  name: string;
  path: string;
  /** What it was like when the folder was read. */
  info: Deno.FileInfo;
  /** Compressed, so its lines cannot be read. */
  packed: boolean;
  /** Its name is the log's and what a rotation adds. */
  rotated: boolean;
  /** The number that a rotation gave it, null for none, and what is the same in the names that are numbered with it. */
  number: number | null;
  series: string;
}

/** What comes after a file of a log. */
export interface Newer {
  /** Oldest first, the log itself last. */
  files: Sibling[];
  /** No file between is missing, as far as names and times show. */
  complete: boolean;
  /** The file is a copy that was made before a truncation. */
  copied: boolean;
  /** The file was deleted, or another has replaced it. */
  gone: boolean;
}

/** What is in a folder: nothing when it was removed, or may not be read. */
export async function* entries(folder: string): AsyncGenerator<Deno.DirEntry> {
  try {
    yield* Deno.readDir(folder);
  } catch {
    // As if it were empty.
  }
}

/** The regular files beside a log that have its name in theirs and are not hidden, oldest first. */
async function look({ folder, base, linked }: Target): Promise<Sibling[]> {
  const log = new LogName(base, linked);
  const names = new Set<string>();
  for await (const { name, isFile } of entries(folder)) {
    if (isFile && name !== base && !name.startsWith(".") && log.isIn(name)) names.add(name);
    if (names.size >= maxSiblings) break;
  }
  const found: Sibling[] = [];
  await Promise.all([...names].map(async (name) => {
    const packed = unpacked(name) !== name;
    // While a file is being packed, both are there.
    if (packed && names.has(unpacked(name))) return;
    const path = join(folder, name);
    const info = await Deno.lstat(path).catch(() => null);
    if (!info?.isFile) return;
    found.push({ name, path, info, packed, rotated: log.isRotated(name), ...log.number(name) });
  }));
  return found.sort(byAge);
}

/** The files beside a log and the log itself, at a moment between two renames: a folder cannot be read in one step. */
export async function snapshot(
  place: LogPlace,
): Promise<{ target: Target; siblings: Sibling[]; log: Sibling | null }> {
  for (let tries = 0, last = "";; tries++) {
    const siblings = await look(await place.look());
    const target = await place.look();
    const { info, base: name } = target;
    const now = [name, ...siblings.map(({ name, info }) => `${name} ${info.ino}`).sort(), info?.ino].join(
      "/",
    );
    if (now === last || tries === 10) {
      // What a link points to may have a number of its own.
      const number = new LogName(name, target.linked).number(name);
      const log = { name, path: place.path, packed: false, rotated: false, ...number };
      return { target, siblings, log: info && { ...log, info } };
    }
    last = now;
  }
}

/**
 * What is to be read after `file`, which is no longer at the log's path. `seen`: when a reader that has looked ever since
 * last saw it there, in ms since 1970, 0 for never. It has its handle, and no need of names: what came to the path while it
 * looked is what comes next, unless a file of this log shows otherwise.
 */
export async function newer(place: LogPlace, file: LogFile, seen = 0): Promise<Newer> {
  const { target, siblings, log } = await snapshot(place);
  const now = file.stat();
  const isOurs = ({ info }: Sibling) => sameFile(info, now);
  // Packing keeps the time, and removes what it has packed.
  const there = siblings.find(isOurs) ??
    siblings.find(({ packed, info }) => packed && changed(info) === changed(now));
  const unknown = { name: "", path: "", rotated: false, number: null, series: "" };
  const ours: Sibling = { ...unknown, ...there, packed: false, info: now };
  // What is packed while a reader looks, or copied when the log is there again, is the file that it has.
  const isSince = ({ info }: Sibling) => identity(info).birth >= seen - clockMs;
  const isPacking = (sibling: Sibling) =>
    seen > 0 && sibling.rotated && isSince(sibling) &&
    (sibling.packed || log !== null && born(sibling) > born(log));
  const packing = siblings.find((sibling) => sibling !== there && isPacking(sibling));
  const later = siblings.filter((sibling) =>
    sibling !== there && sibling !== packing && byAge(sibling, ours) > 0 &&
    (identity(sibling.info).birth === 0 || isSince(sibling))
  );

  // No other log is named so; but of what a link points to, the names may differ in a number.
  const form = (name: string) => name.replace(/\d+/g, "0");
  const isCertain = ({ name, rotated }: Sibling) =>
    rotated && (name.startsWith(target.base) || !target.linked && form(name) === form(ours.name));
  const certain = later.filter(isCertain);
  const wasCopied = log !== null && born(ours) > born(log);
  // Of the rest, those that were written after the last line of this file and before the next one was made.
  const isBetween = (sibling: Sibling) => {
    if (born(sibling) < Math.max(changed(now), seen) - clockMs) return false;
    const next = [...certain, log].filter((other) =>
      other !== null && born(other) > born(sibling)
    ) as Sibling[];
    return next.length === 0 ? wasCopied : changed(sibling.info) <= Math.min(...next.map(born)) + clockMs;
  };
  // Of two that are each other's, neither is the log that they are rotated files of.
  const isOf = (name: string, other: string) => new LogName(other).isRotated(name);
  const isAnothers = ({ name, info }: Sibling) =>
    info.size === 0 ||
    siblings.some((other) =>
      !other.rotated && other !== there && isOf(name, other.name) && !isOf(other.name, name)
    );
  const between = later.filter((sibling) =>
    isCertain(sibling) || isBetween(sibling) && (sibling.rotated || !isAnothers(sibling))
  );
  const files = between.filter(({ packed, rotated }) => rotated && !packed);
  if (log !== null) files.push(log);
  const isKnown = seen > 0 || there !== undefined && !skips(ours, files[0], log, siblings);
  const isFirst = between.length === 0 || between[0] === files[0];
  return {
    files,
    complete: isKnown && isFirst,
    gone: there === undefined && now.nlink === 0,
    // A file that is younger than the log is a copy of what that had: lines may have come between copy and truncation.
    copied: seen === 0 && wasCopied && there !== undefined && isOurs(there),
  };
}

/**
 * Whether numbers show that a file is missing between two. Before the log, whose name has none, a number above 1 does, unless
 * an older file has a smaller one (they count up), or the log was made with this file's last line: nothing fits in between.
 */
function skips(ours: Sibling, next: Sibling | undefined, log: Sibling | null, siblings: Sibling[]): boolean {
  const { number, series } = ours;
  if (number === null || next === undefined) return false;
  if (next.number !== null && next.series === series) return Math.abs(number - next.number) !== 1;
  return next === log && next.number === null && series.length === 1 && number > 1 &&
    born(next) - changed(ours.info) > tickMs &&
    !siblings.some((other) => other.series === series && other.number! < number && byAge(other, ours) < 0);
}

/** Last change of a file, in ms. */
function changed(info: Deno.FileInfo): number {
  return info.mtime?.getTime() ?? 0;
}

/** When a file was made, in ms; where that is not known, or it was when it was packed, its last change is nearest to it. */
export function born({ packed, info }: Sibling): number {
  return packed ? changed(info) : identity(info).birth || changed(info);
}

function byAge(a: Sibling, b: Sibling): number {
  return born(a) - born(b) || (b.number ?? 0) - (a.number ?? 0) || changed(a.info) - changed(b.info) ||
    a.name.localeCompare(b.name, "en", { numeric: true });
}
