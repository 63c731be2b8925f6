import { basename, dirname, join, sep } from "node:path";
import type { Limits } from "../limits.ts";
import { Opens, type OpensOptions } from "../opens.ts";
import type { Permit } from "../stream/limiter.ts";
import { HttpError, quote, type Report } from "../stream/errors.ts";
import { parseCursor } from "./cursor.ts";
import { LogPlace, whyDenied } from "./log_place.ts";
import { asBusy, unless } from "./refused.ts";
import { entries, snapshot } from "./siblings.ts";

/** Wait for the permit to open a file, in ms: then a refusal is known before the response has to begin. */
const permitMs = 20;

/**
 * A log in the list: its size in bytes, its last change in ISO 8601, null while there is no file, and whether it is empty
 * and older lines are in rotated files.
 */
export interface LogInfo {
  name: string;
  size: number;
  time: string | null;
  rotated: boolean;
}

/**
 * Folders or files with logs, and the server's own access log, all absolute; `followLinks` lets links lead out of the folders.
 * `listing` bounds the names in the list.
 */
export interface LogSettings {
  readonly logs: readonly string[];
  readonly accessLog: string;
  readonly followLinks?: boolean;
  readonly limits: Pick<Limits, "listing" | "unpackedBytes">;
}

/** Time between two looks for a log that is not there, in ms. */
export const lookMs = 1_000;

/** A log with the name of its file, and the setting that it was found by, null for the own access log. */
interface Found extends LogInfo {
  file: string;
  from: string | null;
}

/** Finds the logs by their names, which are one segment: FOLDER~NAME where several are called so. */
export class LogFiles {
  readonly #opens: Opens;
  readonly #turns = new Opens(16);
  /** The looks for logs that are waited for, and since when they count. */
  readonly #looks = new Map<string, Promise<LogPlace | null>>();
  #looksAt = -Infinity;

  /** Looks nothing up yet: each call does, since what is there may change. */
  constructor(readonly settings: LogSettings, secrets: OpensOptions["secrets"] = []) {
    this.#opens = new Opens(8, { waitMs: permitMs, secrets });
  }

  /**
   * All logs, by name; at most `limits.listing` of them.
   *
   * @throws HttpError 503 when no file handle is left
   */
  async list(): Promise<LogInfo[]> {
    return (await this.#all().catch(asBusy)).map(({ name, size, time, rotated }) => ({
      name,
      size,
      time,
      rotated,
    }));
  }

  /** Reports what an operator may not expect: a path that is not there yet, logs that clash, and as `wrong` what may not be read. */
  async check(report: Report, wrong: Report = report): Promise<void> {
    const { logs, accessLog } = this.settings;
    for (const path of logs) {
      const denied = await whyDenied(path);
      if (denied !== null) wrong(`--logs ${quote(path)} ${denied}`);
      else if (path !== dirname(accessLog) && !await Deno.stat(path).catch(() => null)) {
        report(`--logs ${quote(path)} is not there yet, and is waited for`);
      }
    }
    const others = (await this.#all()).filter(({ name, file }) => name !== file).map(({ name }) => name);
    const more = others.length > 10 ? ` and ${others.length - 10} more` : "";
    if (others.length > 0) {
      report(`logs whose names clash are listed as FOLDER~NAME: ${others.slice(0, 10).join(", ")}${more}`);
    }
  }

  /**
   * A turn to begin reading what there is now; released once the response has begun.
   *
   * @throws HttpError 503 when none came within a second
   */
  async turn(): Promise<Permit> {
    return await this.#turns.permit().catch(asBusy);
  }

  /** What `list` gives, with where it is from. */
  async #all(): Promise<Found[]> {
    const { accessLog, logs, limits } = this.settings;
    const own = basename(accessLog);
    const found: Found[] = [];
    const paths = new Set<string>();
    const add = async (file: string, from: string | null, path: string, root: string | null) => {
      if (found.length >= limits.listing || paths.has(path) || !isLogName(file)) return;
      paths.add(path);
      const place = this.#place(file, path, root);
      const info = await place.stat();
      // The own log is listed before its first line is written.
      if (info === null && from !== null) return;
      const time = info?.mtime?.toISOString() ?? null;
      const size = info?.size ?? 0;
      const rotated = size === 0 && await hasRotated(place);
      found.push({ name: file, size, time, rotated, file, from });
    };
    await add(own, null, join(await realFolder(dirname(accessLog)) ?? dirname(accessLog), own), null);
    for (const path of logs) {
      const root = await realFolder(path);
      if (root === null) await add(basename(path), path, path, null);
      else {
        for await (const { name, isFile, isSymlink } of entries(root)) {
          if (isFile || isSymlink) await add(name, path, join(root, name), root);
        }
      }
    }
    const labels = await this.#labels();
    const counts = Map.groupBy(found, ({ file }) => file);
    for (const log of found) {
      if (log.from !== null && counts.get(log.file)!.length > 1) {
        log.name = `${labels.get(log.from)}~${log.file}`;
      }
    }
    return found.sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /** What the folder of each path is called in FOLDER~NAME: as many of its last segments as tell it from the others. */
  async #labels(): Promise<Map<string, string>> {
    const folders = new Map<string, string[]>();
    for (const path of this.settings.logs) {
      const info = await Deno.stat(path).catch(() => null);
      folders.set(path, (info?.isFile ? dirname(path) : path).split(sep).filter(Boolean));
    }
    const last = (folder: string[], count: number) => folder.slice(-count).join("~");
    return new Map([...folders].map(([path, folder]) => {
      const others = [...folders.values()].filter((other) => other.join() !== folder.join());
      let count = 1;
      while (count < 100 && others.some((other) => last(other, count) === last(folder, count))) count++;
      return [path, last(folder, count)];
    }));
  }

  /**
   * The place of a name. A log that is not there now is waited for when it is known to belong there: it was named as a file,
   * its rotated ones are there, it may not be read, or a client that follows it comes back with a cursor of it.
   *
   * @throws HttpError 404: no such name, or hidden, or not a regular file, or one that a symlink leads to from outside; 503 when
   * that cannot be known now
   */
  find(name: string, after = "", follow = true): Promise<LogPlace> {
    return this.#find(name, after, follow).catch(asBusy);
  }

  async #find(name: string, after: string, follow: boolean): Promise<LogPlace> {
    const notFound = () => new HttpError(404, `no such log: ${quote(name)}`);
    if (!isLogName(name)) throw notFound();
    const { accessLog, logs } = this.settings;
    if (name === basename(accessLog)) return this.#place(name, accessLog, null);
    const returns = follow && parseCursor(after) !== null;
    let absent: LogPlace | null = null;
    const candidates = [...await this.#labelled(name), ...logs.map((path) => ({ path, file: name }))];
    for (const { path, file } of candidates) {
      const root = await realFolder(path);
      const named = basename(path) === file ? this.#place(name, path, null) : null;
      if (root === null && named !== null) return named;
      if (root === null && await Deno.stat(path).catch(() => null) !== null) continue;
      const place = this.#place(name, join(root ?? path, file), root ?? path);
      if (await place.stat() !== null) return place;
      // It may come back, in place of a folder as well; a device or what a link leads to from outside does not.
      const there = await Deno.stat(place.path).catch(() => null);
      if (there !== null && !there.isDirectory) throw notFound();
      if (returns) absent ??= named ?? place;
      else if (there === null && (await hasRotated(place) || await place.isDenied())) absent ??= place;
    }
    if (absent === null) throw notFound();
    return absent;
  }

  /** What {@linkcode LogFiles.find} finds, looked up once a second however many wait for it; null for none. */
  awaited(name: string): Promise<LogPlace | null> {
    const now = performance.now();
    if (now - this.#looksAt >= lookMs) {
      this.#looks.clear();
      this.#looksAt = now;
    }
    let look = this.#looks.get(name);
    if (look === undefined) this.#looks.set(name, look = this.find(name).catch(unless(404, 503)));
    return look;
  }

  /** Where FOLDER~NAME may be. */
  async #labelled(name: string): Promise<{ path: string; file: string }[]> {
    if (!name.includes("~")) return [];
    return [...await this.#labels()].filter(([, label]) => name.startsWith(`${label}~`))
      .map(([path, label]) => ({ path, file: name.slice(label.length + 1) }))
      .filter(({ file }) => isLogName(file));
  }

  #place(name: string, path: string, root: string | null): LogPlace {
    const { followLinks, limits: { unpackedBytes } } = this.settings;
    return new LogPlace(name, path, followLinks ? null : root, this.#opens, unpackedBytes);
  }
}

/** Whether a log may be called so: one segment of a path, not hidden, and without line breaks; a backslash separates only on Windows. */
export function isLogName(name: string): boolean {
  return name !== "" && name.length <= 255 && !name.startsWith(".") && !name.includes(sep) &&
    !/[/\p{Cc}]/u.test(name);
}

/** The real path of a folder; null when there is none. */
async function realFolder(path: string): Promise<string | null> {
  const info = await Deno.stat(path).catch(() => null);
  return info?.isDirectory ? await Deno.realPath(path).catch(() => null) : null;
}

async function hasRotated(place: LogPlace): Promise<boolean> {
  return (await snapshot(place)).siblings.some(({ rotated }) => rotated);
}
