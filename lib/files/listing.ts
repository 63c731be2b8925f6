import { join } from "node:path";
import { endOfTurn } from "../stream/clock.ts";
import { find, type Found, isQuiet, tolerant } from "./root.ts";
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
const atOnce = 16;

/**
 * Lists a folder in the root: what could be asked for, and nothing else, at most `max` names.
 *
 * @throws HttpError 404 when the folder may not be read, 503 when it cannot be just now
 */
export async function list(root: string, segments: string[], folder: Found, max: number): Promise<Listing> {
  const since = Date.now();
  const { names, truncated } = await tolerant(namesIn(folder.path, max));
  const found = async (name: string) => (await find(root, [...segments, name])).info;
  const seen = async (name: string) => {
    const info = await Deno.lstat(join(folder.path, name));
    return info.isSymlink ? await found(name) : info;
  };
  let entries = await entriesOf(names, seen);
  // What was seen, while folders may have been swapped, might be another's: each name is then asked for as a client would.
  if (!isQuiet([...folder.way, folder.path], since)) entries = await entriesOf(names, found);
  return { entries, truncated };
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

async function entriesOf(names: string[], look: (name: string) => Promise<Deno.FileInfo>): Promise<Entry[]> {
  const entries: (Entry | null)[] = [];
  for (let i = 0; i < names.length; i += atOnce) {
    const batch = names.slice(i, i + atOnce);
    entries.push(...await Promise.all(batch.map((name) => entryOf(name, look))));
    // A look at the whole way is not for free, and the rest of the server has its turn.
    await new Promise<void>(endOfTurn);
  }
  return entries.filter((entry) => entry !== null);
}

/** Null for what is neither a file nor a folder, has gone, or leads out of the root. */
async function entryOf(name: string, look: (name: string) => Promise<Deno.FileInfo>): Promise<Entry | null> {
  try {
    const info = await look(name);
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
