import { extname } from "node:path";

/** The name that a file had before it was packed: its own when it is not. */
export function unpacked(name: string): string {
  return name.replace(/\.(?:gz|xz|bz2|zst|Z)$/, "");
}

/** What rotation added to `base`, before its extension or at its end; null when `name` is not a rotated one. */
function added(base: string, name: string): string | null {
  name = unpacked(name);
  let part = "";
  if (name.startsWith(base)) part = name.slice(base.length);
  else {
    const extension = extname(base);
    const stem = base.slice(0, base.length - extension.length);
    if (extension === "" || !name.startsWith(stem) || !name.endsWith(extension)) return null;
    part = name.slice(stem.length, -extension.length);
  }
  return /^[.\-_]\d[\d.\-_:T]*$|^\.(?:old|bak)$/.test(part) ? part : null;
}

/** Whether a name is that of a rotated `base`: app.log.1, app.log-20300102, app-20300102.log, packed ones too. */
export function isRotated(base: string, name: string): boolean {
  return added(base, name) !== null;
}

/** The number of `.1`, `.2` …, which grows with age; null for a date. */
export function rotationNumber(base: string, name: string): number | null {
  const number = /^[.\-_](\d{1,3})$/.exec(added(base, name) ?? "")?.[1];
  return number === undefined ? null : Number(number);
}

/**
 * Whether a name has the log's own in it, as a word: `archive-app.log` may be what became of `app.log`, `worker.log` is
 * another log, and its lines must not come under this one's name.
 */
export function isNamedAfter(base: string, name: string): boolean {
  const stem = base.slice(0, base.length - extname(base).length);
  return new RegExp(`(?<![\\p{L}\\p{N}])${RegExp.escape(stem)}(?![\\p{L}\\p{N}])`, "u").test(name);
}
