import { basename, join } from "node:path";
import type { Limits } from "../limits.ts";
import { Opens } from "../opens.ts";
import { HttpError, quote } from "../stream/errors.ts";
import { parseCursor } from "./cursor.ts";
import { LogPlace } from "./log_place.ts";
import { isRotated } from "./rotated_names.ts";
import { entries } from "./rotation.ts";

/** A log in the list: its size in bytes, and its last change in ISO 8601, null while there is no file. */
export interface LogInfo {
  name: string;
  size: number;
  time: string | null;
}

/**
 * Folders or files with logs, and the server's own access log, all absolute; `followLinks` lets links lead out of the folders.
 * `listing` bounds the names in the list.
 */
export interface LogSettings {
  readonly logs: readonly string[];
  readonly accessLog: string;
  readonly followLinks?: boolean;
  readonly limits: Pick<Limits, "listing">;
}

/** Finds the logs by their names, which are one segment: the first root that has one wins. */
export class LogFiles {
  readonly #opens = new Opens();

  /** Looks nothing up yet: each call does, since what is there may change. */
  constructor(readonly settings: LogSettings) {}

  /** All logs, by name; at most `limits.listing` of them. */
  async list(): Promise<LogInfo[]> {
    const { accessLog, logs, limits } = this.settings;
    const own = basename(accessLog);
    const places = new Map([[own, this.#place(own, accessLog, null)]]);
    const add = (name: string, path: string, root: string | null) => {
      if (places.size >= limits.listing || places.has(name) || !isName(name)) return;
      places.set(name, this.#place(name, path, root));
    };
    for (const path of logs) {
      const root = await realFolder(path);
      if (root === null) {
        add(basename(path), path, null);
        continue;
      }
      for await (const { name, isFile, isSymlink } of entries(root)) {
        if (isFile || isSymlink) add(name, join(root, name), root);
      }
    }
    const list: LogInfo[] = [];
    for (const place of places.values()) {
      const info = await place.stat();
      // The own log is listed before its first line is written.
      if (info === null && place.name !== own) continue;
      list.push({ name: place.name, size: info?.size ?? 0, time: info?.mtime?.toISOString() ?? null });
    }
    return list.sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /**
   * The place of a name. A log that is not there now is waited for when it is known to belong there: it was named as a file,
   * its rotated ones are there, or a client comes back with a cursor of it.
   *
   * @throws HttpError 404: no such name, or hidden, or not a regular file, or one that a symlink leads to from outside
   */
  async find(name: string, after?: string): Promise<LogPlace> {
    const notFound = () => new HttpError(404, `no such log: ${quote(name)}`);
    if (!isName(name)) throw notFound();
    const { accessLog, logs } = this.settings;
    if (name === basename(accessLog)) return this.#place(name, accessLog, null);
    let absent: LogPlace | null = null;
    for (const path of logs) {
      const root = await realFolder(path);
      if (root === null) {
        if (basename(path) === name) return this.#place(name, path, null);
        continue;
      }
      const place = this.#place(name, join(root, name), root);
      if (await place.stat() !== null) return place;
      if (await Deno.lstat(place.path).catch(() => null) !== null) throw notFound();
      if (absent === null && await isExpected(place, after)) absent = place;
    }
    if (absent === null) throw notFound();
    return absent;
  }

  #place(name: string, path: string, root: string | null): LogPlace {
    return new LogPlace(name, path, this.settings.followLinks ? null : root, this.#opens);
  }
}

/** One segment of a path, not hidden, and without line breaks. */
function isName(name: string): boolean {
  return name !== "" && name.length <= 255 && !name.startsWith(".") && !/[/\\\p{Cc}]/u.test(name);
}

/** The real path of a folder; null when there is none. */
async function realFolder(path: string): Promise<string | null> {
  const info = await Deno.stat(path).catch(() => null);
  return info?.isDirectory ? await Deno.realPath(path).catch(() => null) : null;
}

async function isExpected({ folder, base }: LogPlace, after = ""): Promise<boolean> {
  if (parseCursor(after) !== null) return true;
  for await (const { name } of entries(folder)) if (isRotated(base, name)) return true;
  return false;
}
