import { join } from "node:path";
import { identity, sameFile } from "./cursor.ts";
import type { LogFile } from "./log_file.ts";
import type { LogPlace } from "./log_place.ts";
import { isRotated, rotationNumber, unpacked } from "./rotated_names.ts";

/** Names of a folder that are considered. */
const maxSiblings = 10_000;

/** A file beside a log that may be one of its rotated ones, or the log itself. */
export interface Sibling {
  name: string;
  path: string;
  /** What it was like when the folder was read. */
  info: Deno.FileInfo;
  /** Compressed, so its lines cannot be read. */
  packed: boolean;
  /** The number that a rotation gave it, which grows with age: 0 for the log itself, null for a date. */
  number: number | null;
}

/** What comes after a file of a log. */
export interface Newer {
  /** Oldest first, the log itself last. */
  files: Sibling[];
  /** No file between is missing, as far as names and times show. */
  complete: boolean;
  /** The file is a copy that was made before a truncation. */
  copied: boolean;
}

/** What is in a folder: nothing when it was removed, or may not be read. */
export async function* entries(folder: string): AsyncGenerator<Deno.DirEntry> {
  try {
    yield* Deno.readDir(folder);
  } catch {
    // As if it were empty.
  }
}

/** The regular files beside a log that have a wanted name and are not hidden, oldest first. */
async function look({ folder, base }: LogPlace, wanted: typeof isRotated): Promise<Sibling[]> {
  const names = new Set<string>();
  for await (const { name, isFile } of entries(folder)) {
    if (isFile && name !== base && !name.startsWith(".") && wanted(base, name)) names.add(name);
    if (names.size >= maxSiblings) break;
  }
  const found: Sibling[] = [];
  await Promise.all([...names].map(async (name) => {
    const packed = unpacked(name) !== name;
    // While a file is being packed, both are there.
    if (packed && names.has(unpacked(name))) return;
    const path = join(folder, name);
    const info = await Deno.lstat(path).catch(() => null);
    if (info?.isFile) found.push({ name, path, info, packed, number: rotationNumber(base, name) });
  }));
  return found.sort(byAge);
}

/** The rotated files and the log itself, at a moment between two renames: a folder cannot be read in one step. */
export async function snapshot(
  place: LogPlace,
  wanted = isRotated,
): Promise<{ rotated: Sibling[]; log: Sibling | null }> {
  for (let tries = 0, last = "";; tries++) {
    const rotated = await look(place, wanted);
    const info = await place.stat();
    const now = [...rotated.map(({ name, info }) => `${name} ${info.ino}`).sort(), info?.ino].join("/");
    if (now === last || tries === 10) {
      const { base: name, path } = place;
      return { rotated, log: info && { name, path, info, packed: false, number: 0 } };
    }
    last = now;
  }
}

/** What is to be read after `file`, which is no longer at the log's path. */
export async function newer(place: LogPlace, file: LogFile): Promise<Newer> {
  const { rotated, log } = await snapshot(place);
  const now = file.stat();
  const last = changed(now);
  const isOurs = ({ info }: Sibling) => sameFile(info, now);
  let at = rotated.findIndex(isOurs);
  // Packing keeps the time, and removes what it has packed.
  if (at === -1) at = rotated.findIndex(({ packed, info }) => packed && changed(info) === last);
  let ours: Sibling | undefined = rotated[at];
  let files = rotated.slice(at + 1);
  if (at === -1) {
    // Renamed to something else, or deleted: then the times show which ones are newer.
    ours = (await look(place, () => true)).find(isOurs);
    files = rotated.filter(({ info }) => changed(info) > last);
  }
  if (log !== null) files.push(log);
  const readable = files.filter(({ packed }) => !packed);
  const next = readable.at(0)?.number ?? null;
  const skips = at !== -1 && ours?.number != null && next !== null && ours.number - next !== 1;
  return {
    files: readable,
    complete: ours !== undefined && readable.length === files.length && !skips,
    // A file that is younger than the log is a copy of what that had: lines may have come between copy and truncation.
    copied: log !== null && ours !== undefined && isOurs(ours) &&
      identity(ours.info).birth > identity(log.info).birth,
  };
}

/** Last change of a file, in ms. */
function changed(info: Deno.FileInfo): number {
  return info.mtime?.getTime() ?? 0;
}

function byAge(a: Sibling, b: Sibling): number {
  if (a.number !== null && b.number !== null && a.number !== b.number) return b.number - a.number;
  return changed(a.info) - changed(b.info) || a.name.localeCompare(b.name, "en", { numeric: true });
}
