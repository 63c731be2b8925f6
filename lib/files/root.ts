import { dirname, join, relative, sep } from "node:path";
import { HttpError } from "../errors.ts";
import { isVisibleName } from "./safe_path.ts";

/** A file or folder that lies inside the root. */
export interface Found {
  /** Its real path: no symlinks. */
  path: string;
  /** What `lstat` says of it. */
  info: Deno.FileInfo;
  /** The folders from the real root down to the one that it is in; empty for the root itself. */
  way: string[];
}

/** A folder whose ctime is older than this, in ms, has kept its entries all the while. */
const quietMs = 2_000;

/** How often a way that is not quiet is looked at. */
const looks = 16;

/** A file may be replaced at any moment, as editors do: how often to look for the new one. */
export const attempts = 3;

/**
 * Finds what a path in the root leads to.
 *
 * `lstat` comes before anything is opened, since opening a FIFO would hold a thread for good. What is neither a file nor a
 * folder, and what a symlink leads out of the root or to a hidden name, is not there.
 *
 * @throws HttpError 404, the same for everything that is not there
 */
export async function find(root: string, segments: string[]): Promise<Found> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const found = await look(root, segments);
    if (isStill(found, () => isSame(lstat(found.path), found.info))) return found;
  }
  throw notFound();
}

async function look(root: string, segments: string[]): Promise<Found> {
  // Only the first of these can have to wait for a disk: the root is always at hand, and so is what has been resolved.
  const path = await tolerant(Deno.realPath(join(root, ...segments)));
  const top = Deno.realPathSync(root);
  const inside = path === top ? [] : relative(top, path).split(sep);
  if (!inside.every(isVisibleName)) throw notFound();
  const info = lstat(path);
  if (info === null) throw notFound();
  if (!info.isFile && !info.isDirectory) throw notFound();
  const way: string[] = [];
  for (let folder = path; folder !== top; way.unshift(folder)) folder = dirname(folder);
  return { path, info, way };
}

/**
 * Opens a file that was found: the handle's device and inode are those of the real path in the root. Null when another
 * has taken its place since.
 *
 * @throws HttpError 404 when it cannot be opened
 */
export async function open(found: Found): Promise<{ file: Deno.FsFile; info: Deno.FileInfo } | null> {
  // Never the synchronous way: should a FIFO win the race for this name, it holds a thread of the pool, not the server.
  const file = await tolerant(Deno.open(found.path));
  try {
    const info = file.statSync();
    if (isSame(info, found.info)) return { file, info };
  } catch (error) {
    file.close();
    throw error;
  }
  file.close();
  return null;
}

/**
 * Whether no folder on the way to what was found can have been swapped for a symlink and back while it was looked at.
 * Deno has no `openat`, so a path is walked anew each time, and `lstat` guards its last segment only. When no folder that
 * a swap would have to change has changed for two seconds, by a time that only the system sets, there was none. Otherwise
 * `probe`, which fails when a swap hits it, is tried many times between looks at the way: a race has to be won each time.
 */
export function isStill({ way }: Found, probe: (look: number) => boolean): boolean {
  // A swap of the last folder changes the one before it; in the last folder itself anything may come and go.
  if (way.length < 2) return true;
  const now = Date.now();
  const infos = way.map(lstat);
  const quiet = infos.every((info, i) =>
    info?.isDirectory && (i === way.length - 1 || info.ctime && now - info.ctime.getTime() > quietMs)
  );
  if (quiet) return true;
  for (let look = 0; look < looks; look++) {
    if (!way.every((folder) => lstat(folder)?.isDirectory) || !probe(look)) return false;
  }
  return true;
}

/** `lstat` of what has just been resolved, so that it waits for no disk; null when it has gone. */
export function lstat(path: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(path);
  } catch {
    return null;
  }
}

/** Whether both are the same file, and no symlink. */
export function isSame(a: Deno.FileInfo | null, b: Deno.FileInfo): boolean {
  return a !== null && a.dev === b.dev && a.ino === b.ino && a.isFile === b.isFile &&
    a.isDirectory === b.isDirectory;
}

/** The 404 of everything that is not there, or that is not to be known of. */
export function notFound(): HttpError {
  return new HttpError(404, "no such file");
}

/** What the file system says of a path that leads nowhere, or where the server may not go. */
const absent = new Set([
  "ENOENT",
  "ENOTDIR",
  "EACCES",
  "EPERM",
  "ELOOP",
  "ENAMETOOLONG",
  "EINVAL",
  "EISDIR",
  "ENXIO",
]);

async function tolerant<T>(result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    const { code } = error as { code?: string };
    if (error instanceof Deno.errors.NotCapable || code !== undefined && absent.has(code)) throw notFound();
    throw error;
  }
}
