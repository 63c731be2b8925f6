import { join } from "node:path";
import type { LogPlace } from "./log_place.ts";
import { isNamedAfter, isPacked, isRotated, rotationNumber, unpacked } from "./rotated_names.ts";

/** Files of a folder that are looked at. */
const maxSiblings = 10_000;

/** A file beside a log that may be one of its rotated ones, or the log itself. */
export interface Sibling {
  /** Last segment of `path`. */
  name: string;
  /** Absolute. */
  path: string;
  /** What it was like when the folder was read. */
  info: Deno.FileInfo;
  /** Whether it is compressed, which cannot be read. */
  packed: boolean;
  /** Whether the log's name is a word of its own. */
  namedAfter: boolean;
  /** The number that a rotation gave it, which grows with age: 0 for the log itself, null for a date. */
  number: number | null;
}

/** The files of a log's folder, as they are between two renames. */
export interface Siblings {
  /** Oldest first. */
  rotated: Sibling[];
  /** The one at the log's own place. */
  log: Sibling | null;
}

/** The regular files beside a log: the rotated ones, and when `all`, every other one that is not hidden. */
export async function look({ folder, base }: LogPlace, all: boolean): Promise<Sibling[]> {
  const names: string[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      const wanted = all ? !name.startsWith(".") : isRotated(base, name);
      if (isFile && wanted && name !== base) names.push(name);
      if (names.length >= maxSiblings) break;
    }
  } catch {
    // A folder that has gone has nothing in it.
  }
  // While a file is being packed, both are there.
  const plain = new Set(names);
  const found = await Promise.all(names.map(async (name): Promise<Sibling[]> => {
    const packed = isPacked(name);
    if (packed && plain.has(unpacked(name))) return [];
    const path = join(folder, name);
    const info = await Deno.lstat(path).catch(() => null);
    if (!info?.isFile) return [];
    const namedAfter = isNamedAfter(base, name);
    return [{ name, path, info, packed, namedAfter, number: rotationNumber(base, name) }];
  }));
  return found.flat().sort(byAge);
}

/** As {@linkcode look}, and the log, when nothing was renamed meanwhile: a folder cannot be read in one step. */
export async function snapshot(place: LogPlace, all = false): Promise<Siblings> {
  let last = "";
  for (let tries = 0;; tries++) {
    const rotated = await look(place, all);
    const info = await place.stat();
    const now = [...rotated.map(({ name, info }) => `${name} ${info.ino}`).sort(), info?.ino].join("/");
    if (now === last || tries === 10) {
      const { base: name, path } = place;
      return {
        rotated,
        log: info && { name, path, info, packed: false, namedAfter: true, number: 0 },
      };
    }
    last = now;
  }
}

/** Last change of a file, in ms. */
export function changed(info: Deno.FileInfo): number {
  return info.mtime?.getTime() ?? 0;
}

/** Oldest first. */
function byAge(a: Sibling, b: Sibling): number {
  if (a.number !== null && b.number !== null && a.number !== b.number) return b.number - a.number;
  return changed(a.info) - changed(b.info) || a.name.localeCompare(b.name, "en", { numeric: true });
}
