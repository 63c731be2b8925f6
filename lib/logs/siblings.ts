import { join } from "node:path";
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

/** The regular files beside a log, oldest first: the rotated ones, or when `all`, every one that is not hidden. */
export async function look({ folder, base }: LogPlace, all: boolean): Promise<Sibling[]> {
  const names = new Set<string>();
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      const wanted = all ? !name.startsWith(".") : isRotated(base, name);
      if (isFile && wanted && name !== base) names.add(name);
      if (names.size >= maxSiblings) break;
    }
  } catch {
    // A folder that was removed has nothing in it.
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

/** As {@linkcode look}, with the log itself, at a moment between two renames: a folder cannot be read in one step. */
export async function snapshot(
  place: LogPlace,
  all = false,
): Promise<{ rotated: Sibling[]; log: Sibling | null }> {
  for (let tries = 0, last = "";; tries++) {
    const rotated = await look(place, all);
    const info = await place.stat();
    const now = [...rotated.map(({ name, info }) => `${name} ${info.ino}`).sort(), info?.ino].join("/");
    if (now === last || tries === 10) {
      const { base: name, path } = place;
      return { rotated, log: info && { name, path, info, packed: false, number: 0 } };
    }
    last = now;
  }
}

/** Last change of a file, in ms. */
export function changed(info: Deno.FileInfo): number {
  return info.mtime?.getTime() ?? 0;
}

function byAge(a: Sibling, b: Sibling): number {
  if (a.number !== null && b.number !== null && a.number !== b.number) return b.number - a.number;
  return changed(a.info) - changed(b.info) || a.name.localeCompare(b.name, "en", { numeric: true });
}
