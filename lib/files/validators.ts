import { ifMatch, ifNoneMatch } from "@std/http/etag";
import { parseHttpDate } from "./http_date.ts";

/** Validators of one version of a file (RFC 9110, 8.8). */
export interface Validators {
  /** Weak while the file is so young that it may change again without a trace; null where the system has no mtime. */
  etag: string | null;
  /** An HTTP-date, never in the future (8.8.2.1); null where the system has no mtime. */
  lastModified: string | null;
  /** Whether the ETag may join parts of different responses. */
  strong: boolean;
  /** Whether Last-Modified may: for a client that received it after that second was over (8.8.2.2). */
  strongDate: boolean;
}

/** Part of a file's state that identifies its version. */
export type FileState = Pick<Deno.FileInfo, "size" | "mtime" | "ctime" | "ino">;

/** Time in which two changes may leave the same mtime, in ms: until then a version is weak (8.8.1). */
const settledMs = 1_000;

/**
 * Validators of a file. Inode, size and mtime identify a version; ctime, which nobody can set back, identifies a copy that
 * was given the size and mtime of what it replaced.
 */
export function validatorsOf(info: FileState, now: number = Date.now()): Validators {
  if (info.mtime === null) return { etag: null, lastModified: null, strong: false, strongDate: false };
  const mtime = info.mtime.getTime();
  const strong = now - mtime >= settledMs;
  const tag = [info.ino ?? 0, info.size, mtime, info.ctime?.getTime() ?? 0].map((n) => n.toString(36)).join(
    "-",
  );
  return {
    etag: `${strong ? "" : "W/"}"${tag}"`,
    lastModified: new Date(Math.min(mtime, now)).toUTCString(),
    strong,
    // What was changed or put in its place since that second has a later ctime, whatever mtime it was given.
    strongDate: strong && info.ctime !== null && secondOf(info.ctime) <= secondOf(info.mtime),
  };
}

function secondOf(time: Date): number {
  return Math.floor(time.getTime() / 1_000);
}

/** Evaluates the preconditions of a GET or HEAD in the order of RFC 9110, 13.2.2: 200 goes on, 304 and 412 are the answer. */
export function checkPreconditions(headers: Headers, { etag, lastModified }: Validators): 200 | 304 | 412 {
  const match = headers.get("if-match");
  if (match !== null) {
    // @std's ifMatch does not let `*` match a weak version; by 13.1.1 it matches any.
    if (match.trim() !== "*" && !ifMatch(match, etag ?? undefined)) return 412;
  } else {
    const since = dateOf(headers, "if-unmodified-since");
    if (since !== null && lastModified !== null && Date.parse(lastModified) > since) return 412;
  }
  const noneMatch = headers.get("if-none-match");
  // An If-None-Match that does not match overrules If-Modified-Since (13.1.3).
  if (noneMatch !== null) return ifNoneMatch(noneMatch, etag ?? undefined) ? 200 : 304;
  const since = dateOf(headers, "if-modified-since");
  return since !== null && lastModified !== null && Date.parse(lastModified) <= since ? 304 : 200;
}

/**
 * Whether If-Range lets a Range apply (13.1.5). Entity tags are compared strongly; a date must equal Last-Modified, which must
 * be strong as well.
 */
export function rangeApplies(
  headers: Headers,
  { etag, lastModified, strong, strongDate }: Validators,
): boolean {
  const condition = headers.get("if-range");
  if (condition === null) return true;
  if (condition.includes('"')) return strong && condition === etag;
  const date = parseHttpDate(condition);
  return strongDate && date !== null && date === Date.parse(lastModified!);
}

function dateOf(headers: Headers, name: string): number | null {
  const value = headers.get(name);
  return value === null ? null : parseHttpDate(value);
}
