import { join, relative, sep } from "node:path";
import { isBusy, type Opens } from "../opens.ts";
import { HttpError, quote } from "../stream/errors.ts";
import { isVisibleName } from "./safe_path.ts";

/** A file or folder inside the root, and what {@linkcode find} was asked for. */
export interface Found {
  /** Folder that nothing outside of is sent. */
  root: string;
  /** Its path below the root. */
  segments: string[];
  /** Whether links in the root may lead out of it. */
  followLinks: boolean;
  /** Its real path, without symlinks. */
  path: string;
  /** Its state, by `lstat`. */
  info: Deno.FileInfo;
}

/**
 * Resolves a path in the root. Anything but a file or folder is absent, and so is what a symlink leads out of the root or to
 * a hidden name, unless `followLinks` lets links lead anywhere. A writer in the root is trusted not to race: Deno has no `openat`, so a path is walked anew each time.
 *
 * @throws HttpError 404, the same for everything that is absent
 */
export function find(root: string, segments: string[], followLinks = false): Promise<Found> {
  const name = segments.join("/");
  return mapFileErrors(name, async () => {
    const path = await Deno.realPath(join(root, ...segments));
    // What has just been resolved is in memory: these two wait for no disk.
    const top = Deno.realPathSync(root);
    const info = Deno.lstatSync(path);
    const inside = path === top || followLinks ? [] : relative(top, path).split(sep);
    if (!inside.every(isVisibleName) || !(info.isFile || info.isDirectory)) throw notFound(name);
    return { root, segments, followLinks, path, info };
  });
}

/**
 * Calls `use` until it gives no null, at most three times, each time with what is there now: editors replace files.
 *
 * @throws HttpError 404 when nothing is there now, 503 when it changes too fast
 */
export async function withFound<T>(found: Found, use: (found: Found) => Promise<T | null>): Promise<T> {
  const { root, segments, followLinks } = found;
  for (let attempt = 0; attempt < 3; attempt++) {
    if (attempt > 0) found = await find(root, segments, followLinks);
    const result = await use(found);
    if (result !== null) return result;
  }
  throw notNow("the file is being changed just now");
}

/**
 * Opens a file that was found; null when it has been replaced since. The caller closes it. `signal` ends the wait for an open
 * that hangs.
 *
 * @throws HttpError 404 when it cannot be opened, 503 when nothing can be opened now
 */
export async function open(
  found: Found,
  opens: Opens,
  signal?: () => AbortSignal,
): Promise<{ file: Deno.FsFile; info: Deno.FileInfo } | null> {
  using held = new DisposableStack();
  const file = held.use(await mapFileErrors(found.segments.join("/"), () => opens.open(found.path, signal)));
  const info = file.statSync();
  if (!isSame(info, found.info) || !isThere(found)) return null;
  held.move();
  return { file, info };
}

/** Whether what was found is still there. */
export function isThere({ path, info }: Pick<Found, "path" | "info">): boolean {
  try {
    return Deno.realPathSync(path) === path && isSame(Deno.lstatSync(path), info);
  } catch {
    return false;
  }
}

/** Where Deno gives no inode (Windows), size, mtime and birth time decide. */
function isSame(a: Deno.FileInfo, b: Deno.FileInfo): boolean {
  if (a.isFile !== b.isFile || a.isDirectory !== b.isDirectory) return false;
  if (a.ino !== null && b.ino !== null) return a.ino === b.ino && a.dev === b.dev;
  return a.size === b.size && a.mtime?.getTime() === b.mtime?.getTime() &&
    a.birthtime?.getTime() === b.birthtime?.getTime();
}

/** The 404 of everything that is absent, or must not be known of; `name` is what was asked for. */
export function notFound(name: string): HttpError {
  return new HttpError(404, `the path must be that of a file or folder: current value is ${quote(name)}`);
}

function notNow(message: string): HttpError {
  return new HttpError(503, message, { headers: { "Retry-After": "1" } });
}

/** Errors of a path that leads nowhere, or where the server may not go. */
const absent = /^(ENOENT|ENOTDIR|EACCES|EPERM|ELOOP|ENAMETOOLONG|EINVAL|EISDIR|ENXIO)$/;

/** Maps file-system errors to 404, of what was asked for by `name`, or 503. */
export async function mapFileErrors<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code = "" } = error as { code?: string };
    if (isBusy(error)) throw notNow("the file cannot be opened just now");
    if (error instanceof Deno.errors.NotCapable || absent.test(code)) throw notFound(name);
    throw error;
  }
}
