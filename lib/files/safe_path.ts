import { decode } from "../http/router.ts";

/**
 * Segments of a path below the root, `encoded` as in a URL or not; null for one that is never served: with hidden names (and
 * so `.` and `..`), empty segments (and so absolute paths), NUL, or a slash or backslash within a segment.
 */
export function pathSegments(path: string, { encoded }: { encoded: boolean }): string[] | null {
  const segments = path.split("/").map((part) => encoded ? decode(part) : part);
  return segments.every(isVisibleName) ? segments : null;
}

/** Whether a name in the root may be asked for. NUL ends a name for the system, but not for a check in JavaScript. */
export function isVisibleName(name: string): boolean {
  return name !== "" && !name.startsWith(".") && !/[/\\\0]/.test(name);
}
