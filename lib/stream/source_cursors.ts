/** Bytes of an id of several sources. */
const idBytes = 4_096;

/** Whether a source's cursor can be part of such an id: its entry there has at most 120 bytes. */
export function isCursor(cursor: string): boolean {
  return /^[\w-]{1,112}$/.test(cursor);
}

/** The cursors by the tags of their sources; null when it is not an id of several sources, or no longer whole. */
export function cursorsIn(after: string | undefined): ReadonlyMap<string, string> | null {
  const cursors = new Map<string, string>();
  if (after === undefined) return cursors;
  if (!after.endsWith(".") || after.length > idBytes) return null;
  for (const entry of after.slice(0, -1).split("~")) {
    const cursor = entry.slice(7);
    if (!/^[0-9a-z]{6}-/.test(entry) || !isCursor(cursor)) return null;
    cursors.set(entry.slice(0, 6), cursor);
  }
  return cursors;
}
