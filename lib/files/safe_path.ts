import { decode } from "../http/router.ts";

/**
 * Segments of a path below the root, `encoded` as in a URL or not; null for one that is never served: with hidden names (and
 * so `.` and `..`), empty segments (and so absolute paths), NUL, or a slash within a segment.
 */
export function pathSegments(path: string, { encoded }: { encoded: boolean }): string[] | null {
  const segments = path.split("/").map((part) => encoded ? decode(part) : part);
  return segments.every(isVisibleName) ? segments : null;
}

/** NUL ends a name for the system, but not for a check in JavaScript; a backslash is part of a name but on Windows. */
const separators = Deno.build.os === "windows" ? /[/\\\0]/ : /[/\0]/;

/** Whether a name in the root may be asked for. */
export function isVisibleName(name: string): boolean {
  return name !== "" && !name.startsWith(".") && !separators.test(name);
}
