import { join } from "node:path";
import { HttpError } from "../errors.ts";
import { attempts, find, type Found, isSame, isStill, lstat } from "./root.ts";
import { isVisibleName } from "./safe_path.ts";

/** One name in a folder. */
export interface Entry {
  /** As it stands in the folder, not encoded. */
  name: string;
  /** Of what the name leads to: a symlink is never told. */
  type: "file" | "directory";
  /** Bytes; null for a folder. */
  size: number | null;
  /** When it was last changed, ISO 8601; null where the system does not say. */
  time: string | null;
}

/** What is in a folder, sorted by name. */
export interface Listing {
  /** At most as many as were asked for. */
  entries: Entry[];
  /** Whether there are more names than these. */
  truncated: boolean;
}

/** So many names are looked at side by side. */
const atOnce = 64;

/**
 * Lists a folder in the root: what could be asked for, and nothing else, at most `max` names.
 *
 * @throws HttpError 503 when the folder is swapped for another while it is read
 */
export async function list(root: string, segments: string[], folder: Found, max: number): Promise<Listing> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const { names, truncated } = await namesIn(folder.path, max);
    const entries: (Entry | null)[] = [];
    for (let i = 0; i < names.length; i += atOnce) {
      const batch = names.slice(i, i + atOnce);
      entries.push(...await Promise.all(batch.map((name) => entryOf(root, segments, folder, name))));
    }
    if (isUnswapped(folder, names)) return { entries: entries.filter((entry) => entry !== null), truncated };
  }
  throw new HttpError(503, "the folder changed while it was read", { headers: { "Retry-After": "1" } });
}

async function namesIn(path: string, max: number): Promise<{ names: string[]; truncated: boolean }> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(path)) {
    if (!isVisibleName(name)) continue;
    if (names.length === max) return { names: names.sort(), truncated: true };
    names.push(name);
  }
  return { names: names.sort(), truncated: false };
}

/** Null for what is neither a file nor a folder, has gone, or leads out of the root. */
async function entryOf(root: string, segments: string[], folder: Found, name: string): Promise<Entry | null> {
  try {
    let info = await Deno.lstat(join(folder.path, name));
    if (info.isSymlink) info = (await find(root, [...segments, name])).info;
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

/**
 * Whether the names are those of the folder that was found. Where the way to it is not quiet, names drawn from them have to
 * be there each time that the folder is.
 */
function isUnswapped(folder: Found, names: string[]): boolean {
  const way = [...folder.way, folder.path];
  return isStill({ ...folder, way }, () => {
    const name = names[Math.floor(Math.random() * names.length)];
    return isSame(lstat(folder.path), folder.info) &&
      (name === undefined || lstat(join(folder.path, name)) !== null);
  });
}
