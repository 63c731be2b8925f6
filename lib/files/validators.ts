import { ifMatch, ifNoneMatch } from "@std/http/etag";
import type { Coded } from "./coded.ts";
import { parseHttpDate } from "./http_date.ts";

/** Validators of one version of a file (RFC 9110, 8.8). */
export interface Validators {
  /** Weak while the file is so young that it may change again without a trace. */
  etag: string;
  /** Last-Modified in ms since 1970: a whole second, never in the future (8.8.2.1). */
  lastModified: number;
  /** Whether Last-Modified may join parts of different responses: of a second that was over (8.8.2.2). */
  strongDate: boolean;
}

/** Part of a file's state that identifies its version. */
export type FileState =
  & Pick<Deno.FileInfo, "size" | "mtime" | "ctime" | "ino">
  & Partial<Pick<Coded, "coding" | "varies">>;

/** Time in which two changes may leave the same mtime, in ms: until then a version is weak (8.8.1). */
const settledMs = 1_000;

const wholeSecond = (ms: number) => Math.floor(ms / 1_000) * 1_000;

/**
 * Validators of a file. Inode, size and mtime identify a version; ctime, which nobody can set back, identifies a copy that
 * was given the size and mtime of what it replaced.
 */
export function validatorsOf(info: FileState, now: number = Date.now()): Validators {
  const mtime = info.mtime?.getTime() ?? now;
  const isPast = now - mtime >= settledMs;
  // An mtime may be set to any time, also one to come. ctime has whole seconds: the change can be a second younger.
  const ctime = info.mtime && info.ctime;
  const strong = isPast || ctime !== null && now - ctime.getTime() >= settledMs + 1_000;
  const version = [info.ino ?? 0, info.size, mtime, info.ctime?.getTime() ?? 0];
  const tag = version.map((n) => n.toString(36)).join("-") + (info.coding ?? "");
  return {
    // If-None-Match compares weakly: with the same text, the first of two changes would pass for the second for ever.
    etag: strong ? `"${tag}"` : `W/"${tag}-w"`,
    lastModified: wholeSecond(Math.min(mtime, now)),
    // What was changed or put in its place since that second has a later ctime, whatever mtime it was given.
    // A coding of the file may have the same date.
    strongDate: isPast && !info.varies && info.ctime !== null &&
      wholeSecond(info.ctime.getTime()) <= wholeSecond(mtime),
  };
}

/** Evaluates the preconditions of a GET or HEAD in the order of RFC 9110, 13.2.2: 200 goes on, 304 and 412 are the answer. */
export function checkPreconditions(headers: Headers, { etag, lastModified }: Validators): 200 | 304 | 412 {
  // NaN for a date that is absent or malformed, and so to be ignored: it compares as false.
  const date = (name: string) => parseHttpDate(headers.get(name) ?? "");
  const match = headers.get("if-match");
  // @std's ifMatch does not let `*` match a weak version; by 13.1.1 it matches any.
  const fails = match === null
    ? lastModified > date("if-unmodified-since")
    : match.trim() !== "*" && !ifMatch(match, etag);
  if (fails) return 412;
  const noneMatch = headers.get("if-none-match");
  // An If-None-Match that does not match overrules If-Modified-Since (13.1.3).
  if (noneMatch !== null) return ifNoneMatch(noneMatch, etag) ? 200 : 304;
  return lastModified <= date("if-modified-since") ? 304 : 200;
}

/** Whether If-Range lets a Range apply (13.1.5): it has the strong ETag, or exactly the date, if that is strong as well. */
export function rangeApplies(headers: Headers, { etag, lastModified, strongDate }: Validators): boolean {
  const condition = headers.get("if-range");
  if (condition === null) return true;
  if (condition.startsWith('"')) return condition === etag;
  return strongDate && parseHttpDate(condition) === lastModified;
}
