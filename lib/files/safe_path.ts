/**
 * Splits a path below the root into segments; null for one that is never served: with hidden names (and so `.` and `..`),
 * empty segments (and so absolute paths), NUL, or a slash or backslash within a segment.
 *
 * @param path slashes between its segments
 * @param encoded whether the segments are percent-encoded
 */
export function pathSegments(path: string, { encoded }: { encoded: boolean }): string[] | null {
  const segments: string[] = [];
  for (const part of path.split("/")) {
    let segment;
    try {
      segment = encoded ? decodeURIComponent(part) : part;
    } catch {
      return null; // not UTF-8
    }
    if (!isVisibleName(segment)) return null;
    segments.push(segment);
  }
  return segments;
}

/** Whether a name in the root can be asked for. NUL ends a name for the system, but not for a check in JavaScript. */
export function isVisibleName(name: string): boolean {
  return name !== "" && !name.startsWith(".") && !/[/\\\0]/.test(name);
}
