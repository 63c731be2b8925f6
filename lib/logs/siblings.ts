import { join } from "node:path";
import { isBusy, OpensBusy } from "../opens.ts";
import { identity } from "./cursor.ts";
import type { LogPlace, Target } from "./log_place.ts";
import { dayOf, isGzip, LogName, unpacked } from "./rotated_names.ts";

/** Names of a folder that are considered. */
const maxSiblings = 10_000;

/** A file beside a log that has the log's name in its own, or the log itself. */
export interface Sibling {
  name: string;
  path: string;
  /** What it was like when the folder was read. */
  info: Deno.FileInfo;
  /** Compressed. */
  packed: boolean;
  /** It can be read: it is not packed, or by gzip and numbered or dated, which tells it from a copy. */
  readable: boolean;
  /** Its name is the log's and what a rotation adds. */
  rotated: boolean;
  /** The number that a rotation gave it, null for none, and what is the same in the names that are numbered with it. */
  number: number | null;
  series: string;
}

/**
 * What is in a folder: nothing when it was removed, or may not be read.
 *
 * @throws OpensBusy when no file handle is left
 */
export async function* entries(folder: string): AsyncGenerator<Deno.DirEntry> {
  try {
    yield* Deno.readDir(folder);
  } catch (error) {
    if (isBusy(error)) throw new OpensBusy("no file handle is left");
    // Else as if it were empty.
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
    const number = log.number(name);
    const readable = !packed || isGzip(name) && (number.number ?? dayOf(name)) !== "";
    found.push({ name, path, info, packed, readable, rotated: log.isRotated(name), ...number });
  }));
  return inOrder(found);
}

/** What names that are numbered or dated alike have in common; "" for none. */
export function kind({ name, series }: Sibling): string {
  return series || dayOf(name) && unpacked(name).replace(/\d+/g, "0");
}

/** Oldest first. Those whose names are alike are sorted by what their names say, within the places that they have by time. */
export function inOrder(files: Sibling[]): Sibling[] {
  const sorted = [...files].sort((a, b) =>
    changed(a.info) - changed(b.info) || born(a) - born(b) ||
    a.name.localeCompare(b.name, "en", { numeric: true })
  );
  const rank = ({ name, number }: Sibling) => number ?? Number(dayOf(name));
  for (const [key, like] of Map.groupBy(sorted, kind)) {
    if (key === "" || like.length < 2) continue;
    const places = like.map((file) => sorted.indexOf(file));
    const sign = rises(like) ? 1 : -1;
    like.sort((a, b) => sign * (rank(a) - rank(b)));
    for (const [i, place] of places.entries()) sorted[place] = like[i];
  }
  return sorted;
}

/** Whether the newer of files that are alike, given by time, have the greater number: a day in the name always rises. */
export function rises(like: Sibling[]): boolean {
  let sum = 0;
  for (const [i, file] of like.entries()) {
    const next = like[i + 1];
    const isNewer = next && (changed(next.info) > changed(file.info) || born(next) > born(file));
    // What is packed is older than what is not yet, whatever was still written to it.
    if (next && file.packed !== next.packed) {
      sum += Math.sign(next.number! - file.number!) * (next.packed ? -1 : 1);
    } else if (isNewer) sum += Math.sign(next.number! - file.number!);
  }
  return sum > 0 || sum === 0 && /\d|^$/.test(like[0].series);
}

/** The files beside a log and the log itself, at a moment between two renames: a folder cannot be read in one step. */
export async function snapshot(
  place: LogPlace,
): Promise<{ target: Target; siblings: Sibling[]; log: Sibling | null }> {
  for (let tries = 0, last = "";; tries++) {
    const siblings = await look(await place.look());
    const target = await place.look();
    const { info, base: name } = target;
    const files = siblings.map(({ name, info }) => `${name} ${info.ino}`).sort();
    const now = [name, ...files, info?.ino].join("/");
    if (now === last || tries === 10) {
      // What a link points to may have a number of its own.
      const number = new LogName(name, target.linked).number(name);
      const log = { name, path: place.path, packed: false, readable: true, rotated: false, ...number };
      return { target, siblings, log: info && { ...log, info } };
    }
    last = now;
  }
}

/** Last change of a file, in ms. */
export function changed(info: Deno.FileInfo): number {
  return info.mtime?.getTime() ?? 0;
}

/** When a file was made, in ms, but no later than its last change: a file that was unpacked or restored has kept that. */
export function born({ packed, info }: Sibling): number {
  const last = changed(info);
  return packed ? last : Math.min(identity(info).birth || last, last);
}
