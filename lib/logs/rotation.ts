/**
 * Which files of a log come after a reader's, and in what order. Last is the one at the log's path. Of the others with the
 * log's name those count that were last written later (a tie: made later; no file is made after its last write, so what was
 * unpacked or restored keeps its place). Names know better, each among its like: a day rises, a number falls unless the times
 * of all say that it rises. One that was complete before an older one was renamed, with the same content, is a copy of it. A
 * reader that has looked ever since leaves out what was made before its last look. What gzip has packed is read as it was; of
 * other packing, of a name without a number or a day, and beyond a size, it is a gap.
 */
import { identity, sameFile } from "./cursor.ts";
import { FileFingerprint } from "./fingerprint.ts";
import type { LogFile } from "./log_file.ts";
import type { LogPlace } from "./log_place.ts";
import { LogName } from "./rotated_names.ts";
import { born, changed, inOrder, kind, rises, type Sibling, snapshot } from "./siblings.ts";

/** The clock of a file system may be behind by this much, in ms. */
export const clockMs = 20;

/** Its clock ticks at least this often, in ms. */
const tickMs = 10;

/** What comes after a file of a log. */
export interface Newer {
  /** Oldest first, the log itself last. */
  files: Sibling[];
  /** No file between is missing, as far as names and times show. */
  complete: boolean;
  /** The file is a copy that was made before a truncation. */
  copied: boolean;
  /** The file was deleted, or another has replaced it. */
  gone: boolean;
}

/**
 * What is to be read after `file`, which is no longer at the log's path. `seen`: when a reader that has looked ever since
 * last saw it there, in ms since 1970, 0 for never. It has its handle, and no need of names: what came to the path while it
 * looked is what comes next, unless a file of this log shows otherwise.
 */
export async function newer(place: LogPlace, file: LogFile, lineBytes: number, seen = 0): Promise<Newer> {
  const { target, siblings, log } = await snapshot(place);
  const now = file.stat();
  const isOurs = ({ info }: Sibling) => sameFile(info, now);
  // Packing keeps the time, and removes what it has packed.
  const there = siblings.find(isOurs) ??
    siblings.find(({ packed, info }) => packed && changed(info) === changed(now));
  const unknown = { name: "", path: "", rotated: false, number: null, series: "" };
  const ours: Sibling = { ...unknown, packed: false, ...there, readable: true, info: now };
  // What is packed while a reader looks, or copied when the log is there again, is the file that it has.
  const isSince = ({ info }: Sibling) => identity(info).birth >= seen - clockMs;
  const isPacking = (sibling: Sibling) =>
    seen > 0 && sibling.rotated && isSince(sibling) &&
    (sibling.packed || log !== null && born(sibling) > born(log));
  const packing = there?.packed ? undefined : siblings.find((other) => other !== there && isPacking(other));
  const order = inOrder([ours, ...siblings.filter((sibling) => sibling !== there)]);
  const sizes = Map.groupBy(order, ({ info }) => info.size);
  const later = [];
  for (const sibling of order.slice(order.indexOf(ours) + 1)) {
    const isMade = identity(sibling.info).birth === 0 || isSince(sibling);
    if (!isMade || sibling === packing) continue;
    const older = sizes.get(sibling.info.size)!;
    let isCopy = false;
    for (const other of older.slice(0, older.indexOf(sibling))) {
      isCopy ||= await hasSame(place, sibling, other, other === ours ? file : null, lineBytes);
    }
    if (!isCopy) later.push(sibling);
  }
  const isRising = ours.series !== "" && rises(order.filter(({ series }) => series === ours.series));

  // No other log is named so; but of what a link points to, the names may differ in a number.
  const form = (name: string) => name.replace(/\d+/g, "0");
  const isCertain = ({ name, rotated }: Sibling) =>
    rotated && (name.startsWith(target.base) || !target.linked && form(name) === form(ours.name));
  const certain = later.filter(isCertain);
  if (log !== null) certain.push(log);
  const wasCopied = log !== null && born({ ...ours, packed: false }) > born(log);
  // Of the rest, those that were written after the last line of this file and before the next one was made.
  const isBetween = (sibling: Sibling) => {
    if (born(sibling) < Math.max(changed(now), seen) - clockMs) return false;
    const next = certain.filter((other) => born(other) > born(sibling));
    return next.length === 0 ? wasCopied : changed(sibling.info) <= Math.min(...next.map(born)) + clockMs;
  };
  // Of two that are each other's, neither is the log that they are rotated files of.
  const isOf = (name: string, other: string) => new LogName(other).isRotated(name);
  const isAnothers = ({ name, info }: Sibling) =>
    info.size === 0 ||
    siblings.some((other) =>
      !other.rotated && other !== there && isOf(name, other.name) && !isOf(other.name, name)
    );
  const between = later.filter((sibling) =>
    isCertain(sibling) || isBetween(sibling) && (sibling.rotated || !isAnothers(sibling))
  );
  const files = between.filter(({ readable, rotated }) => rotated && readable);
  if (log !== null) files.push(log);
  const isKnown = seen > 0 || there !== undefined && !skips(ours, files[0], log, isRising);
  const isFirst = between.length === 0 || between[0] === files[0];
  return {
    files,
    complete: isKnown && isFirst,
    gone: there === undefined && now.nlink === 0,
    // A file that is younger than the log is a copy of what that had: lines may have come between copy and truncation.
    // When a packed one was made says nothing of that.
    copied: seen === 0 && wasCopied && there !== undefined && isOurs(there) && !there.packed,
  };
}

/**
 * Whether a file is a copy of an older one of its size, which may be open already: complete before that was renamed, and with
 * the same content. Names that are alike tell them apart.
 */
async function hasSame(
  place: LogPlace,
  sibling: Sibling,
  older: Sibling,
  open: LogFile | null,
  lineBytes: number,
): Promise<boolean> {
  const { size, ctime } = older.info;
  // The time of a rename is known in seconds.
  const renamed = (ctime?.getTime() ?? 0) + 1_000;
  if (sibling.packed || older.packed && open === null || size === 0 || changed(sibling.info) >= renamed) {
    return false;
  }
  if (kind(sibling) !== "" && kind(sibling) === kind(older)) return false;
  using copy = await place.openFile(sibling.path, sibling.info);
  using opened = open === null ? await place.openFile(older.path, older.info) : null;
  const file = open ?? opened;
  const end = file && await FileFingerprint.at(file, { offset: size }, lineBytes);
  return copy !== null && end !== null && await FileFingerprint.at(copy, end, lineBytes) !== null;
}

/**
 * Whether numbers show that a file is missing between two. Before the log, whose name has none, a number above 1 does, unless
 * numbers rise, or the log was made with this file's last line: nothing fits in between.
 */
function skips(ours: Sibling, next: Sibling | undefined, log: Sibling | null, rises: boolean): boolean {
  const { number, series } = ours;
  if (number === null || next === undefined) return false;
  if (next.number !== null && next.series === series) return Math.abs(number - next.number) !== 1;
  return next === log && next.number === null && series.length === 1 && number > 1 && !rises &&
    born(next) - changed(ours.info) > tickMs;
}
