import { join } from "node:path";
import { find, type Found, isThere, mapFileErrors, withFound } from "./root.ts";
import { isVisibleName } from "./safe_path.ts";

/** One name in a folder. */
export interface Entry {
  /** As it stands in the folder, not encoded. */
  name: string;
  /** Type of what the name leads to: a symlink does not show. */
  type: "file" | "directory";
  /** Bytes; null for a folder. */
  size: number | null;
  /** Last change, ISO 8601; null where the system does not say. */
  time: string | null;
}

/** Part of a folder, sorted by name (by UTF-16 code units). */
export interface Listing {
  /** At most as many as were asked for. */
  entries: Entry[];
  /** Whether there are more names than these. */
  truncated: boolean;
  /** The name that the following part comes after; null when there are no more. */
  next: string | null;
  /** Names among these that cannot be asked for, because they are not UTF-8. */
  hidden: number;
}

/** Names looked up side by side. */
const atOnce = 64;

/**
 * Lists a folder in the root: what could be asked for, and nothing else, at most `max` names, from the first after `after`.
 *
 * @throws HttpError 404 when the folder may not be read, 503 when it cannot be just now
 */
export function list(
  folder: Found,
  max: number,
  after = "",
): Promise<Listing> {
  return withFound(folder, async (folder) => {
    const name = folder.segments.join("/");
    const names = await mapFileErrors(name, () => visibleNames(folder.path, after, max + 1));
    const entries: Entry[] = [];
    let hidden = 0;
    for (let i = 0; i < names.length; i += atOnce) {
      const batch = names.slice(i, Math.min(i + atOnce, max)).map((name) => entryOf(folder, name));
      for (const entry of await Promise.all(batch)) {
        // The same name twice: one of the two has U+FFFD in place of what is not UTF-8.
        if (entry === "hidden" || entry && entry.name === entries.at(-1)?.name) hidden++;
        else if (entry !== null) entries.push(entry);
      }
    }
    const truncated = names.length > max;
    return isThere(folder) ? { entries, truncated, next: truncated ? names[max - 1] : null, hidden } : null;
  });
}

/** The first names after `after`, at most `max`: sorted as they come, since a folder may have millions. */
async function visibleNames(path: string, after: string, max: number): Promise<string[]> {
  let names: string[] = [];
  let last: string | null = null;
  for await (const { name } of Deno.readDir(path)) {
    if (name <= after || last !== null && name > last || !isVisibleName(name)) continue;
    if (names.push(name) < 2 * max) continue;
    names = names.sort().slice(0, max);
    last = names[max - 1];
  }
  return names.sort().slice(0, max);
}

/** Null for what is neither a file nor a folder, has gone, or leads out of the root; "hidden" for a name that is not UTF-8. */
async function entryOf(
  { root, segments, followLinks, path }: Found,
  name: string,
): Promise<Entry | "hidden" | null> {
  try {
    let info = await Deno.lstat(join(path, name)).catch(() => null);
    // Deno gives U+FFFD for what is not UTF-8, and then there is no such name.
    if (info === null) return name.includes("\ufffd") ? "hidden" : null;
    if (info.isSymlink) ({ info } = await find(root, [...segments, name], followLinks));
    if (!info.isFile && !info.isDirectory) return null;
    return {
      name,
      type: info.isFile ? "file" : "directory",
      size: info.isFile ? info.size : null,
      time: info.mtime?.toISOString() ?? null,
    };
  } catch {
    return null;
  }
}
