import { basename, join } from "node:path";
import type { Limits } from "../limits.ts";
import { Opens } from "../opens.ts";
import { HttpError, quote } from "../stream/errors.ts";
import { parseCursor } from "./cursor.ts";
import { LogPlace } from "./log_place.ts";
import { isRotated } from "./rotated_names.ts";

/** One log as the list tells it. */
export interface LogInfo {
  /** As in `/logs/NAME`. */
  name: string;
  /** Bytes. */
  size: number;
  /** Its last change, ISO 8601; null while there is no file. */
  time: string | null;
}

/** What is set for the logs. */
export interface LogSettings {
  /** Folders or files, absolute. */
  readonly logs: readonly string[];
  /** The server's own access log, absolute. */
  readonly accessLog: string;
  /** `listing`: names in the list. */
  readonly limits: Pick<Limits, "listing">;
}

/** Finds the logs by their names, which are one segment: the first root that has one wins. */
export class LogFiles {
  readonly #opens = new Opens();

  /** Looks nothing up yet: each call does, since what is there may change. */
  constructor(readonly settings: LogSettings) {}

  #place(name: string, path: string, root: string | null): LogPlace {
    return new LogPlace(name, path, root, this.#opens);
  }

  /** All logs, by name; at most `limits.listing` of them. */
  async list(): Promise<LogInfo[]> {
    const { accessLog, logs, limits } = this.settings;
    const own = basename(accessLog);
    const places = new Map([[own, this.#place(own, accessLog, null)]]);
    const add = (place: LogPlace) => {
      if (places.size < limits.listing && !places.has(place.name)) places.set(place.name, place);
    };
    for (const path of logs) {
      const root = await realFolder(path);
      if (root === null) {
        if (isName(basename(path))) add(this.#place(basename(path), path, null));
        continue;
      }
      try {
        for await (const { name, isFile, isSymlink } of Deno.readDir(root)) {
          if ((isFile || isSymlink) && isName(name)) add(this.#place(name, join(root, name), root));
        }
      } catch {
        // A folder that may not be read shows nothing; the others still do.
      }
    }
    const list: LogInfo[] = [];
    for (const place of places.values()) {
      const info = await place.stat();
      // The own log is there by name before its first line is.
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
    if (!isName(name)) throw notFound(name);
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
      if (await isThere(place.path)) throw notFound(name);
      if (absent === null && await isExpected(place, after)) absent = place;
    }
    if (absent === null) throw notFound(name);
    return absent;
  }
}

function notFound(name: string): HttpError {
  return new HttpError(404, `no such log: ${quote(name)}`);
}

/** One segment of a path, not a hidden file, and one line wherever it is told. */
function isName(name: string): boolean {
  return name !== "" && name.length <= 255 && !name.startsWith(".") && !/[/\\\p{Cc}]/u.test(name);
}

async function realFolder(path: string): Promise<string | null> {
  try {
    const real = await Deno.realPath(path);
    return (await Deno.stat(real)).isDirectory ? real : null;
  } catch {
    return null;
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    return false;
  }
}

async function isExpected(place: LogPlace, after: string | undefined): Promise<boolean> {
  if (after !== undefined && parseCursor(after) !== null) return true;
  try {
    for await (const { name } of Deno.readDir(place.folder)) if (isRotated(place.base, name)) return true;
  } catch {
    // As if it were empty.
  }
  return false;
}
