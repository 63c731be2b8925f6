import { dirname, join, relative, sep } from "node:path";
import { HttpError } from "../stream/errors.ts";
import { OpenFile, type OpenInfo } from "../open_file.ts";
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

/** How often a way that is not quiet is looked at: 2 to this power is how seldom who races with us wins. */
const looks = 48;

/** A file may be replaced at any moment, as editors do: how often to look for the new one. */
export const attempts = 3;

/**
 * Finds what a path in the root leads to.
 *
 * What is neither a file nor a folder, and what a symlink leads out of the root or to a hidden name, is not there.
 *
 * @throws HttpError 404, the same for everything that is not there
 */
export async function find(root: string, segments: string[]): Promise<Found> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const since = Date.now();
    const found = await look(root, segments);
    if (isQuiet(found.way, since) || isThere(found)) return found;
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
 * @throws HttpError 404 when it cannot be opened, 503 when nothing can be now
 */
export async function open(found: Found): Promise<{ file: OpenFile; info: OpenInfo } | null> {
  const file = await tolerant(OpenFile.open(found.path));
  try {
    const info = file.info();
    if (isSame(info, found.info)) return { file, info };
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
  file[Symbol.dispose]();
  return null;
}

/**
 * Whether no folder on a way can have been swapped for a symlink and back since then. Deno has no `openat`, so a path is
 * walked anew each time, and `lstat` guards its last segment only. But a swap changes the folder that it happens in: when
 * none has changed since two seconds before, by a time that only the system sets, there was no swap.
 */
export function isQuiet(way: string[], since: number): boolean {
  // A swap of the last folder changes the one before it; in the last folder itself anything may come and go.
  return way.length < 2 ||
    way.map(lstat).every((info, i) =>
      info?.isDirectory && (i === way.length - 1 || info.ctime && since - info.ctime.getTime() > quietMs)
    );
}

/**
 * Whether what was found is there where it was found, however fast somebody swaps the folders on the way. While a folder
 * is one, its path does not lead to a stranger's file; while it is a symlink, it is seen to be one. Which of the two is
 * looked for is drawn anew each time, so whoever shows now this, now that is caught at every second look.
 */
function isThere({ path, info, way }: Found): boolean {
  return crypto.getRandomValues(new Uint8Array(looks)).every((coin) =>
    coin < 128 ? way.every((folder) => lstat(folder)?.isDirectory) : isSame(lstat(path), info)
  );
}

/** `lstat` of what has just been resolved, so that it waits for no disk; null when it has gone. */
function lstat(path: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(path);
  } catch {
    return null;
  }
}

/** Whether both are the same file, and no symlink. Where Deno knows no inodes (Windows), node:fs does. */
function isSame(a: OpenInfo | null, b: OpenInfo): boolean {
  return a !== null && a.dev === b.dev && (a.ino ?? b.ino) === (b.ino ?? a.ino) && a.isFile === b.isFile &&
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

/** And what it says when there are too many open files, or another program is about to let go of this one: not now. */
const busy = new Set(["EMFILE", "ENFILE", "EAGAIN"]);

/** Waits for what the file system has to say, a failure of it being an answer as well. */
export async function tolerant<T>(result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== undefined && busy.has(code)) {
      throw new HttpError(503, "the file cannot be opened just now", { headers: { "Retry-After": "1" } });
    }
    if (error instanceof Deno.errors.NotCapable || code !== undefined && absent.has(code)) throw notFound();
    throw error;
  }
}
