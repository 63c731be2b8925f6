import { identity, sameFile } from "./cursor.ts";
import type { LogFile } from "./log_file.ts";
import type { LogPlace } from "./log_place.ts";
import { changed, look, type Sibling, snapshot } from "./siblings.ts";

/** What comes after a file of a log. */
export interface Newer {
  /** Oldest first, the log itself last. */
  files: Sibling[];
  /** No file between is missing, as far as names and times can tell. */
  complete: boolean;
  /** The file is a copy that was made before a truncation. */
  copied: boolean;
}

/** What is to be read after `file`, which is no longer at the log's path. */
export async function newer(place: LogPlace, file: LogFile): Promise<Newer> {
  const { rotated, log } = await snapshot(place);
  const now = file.stat();
  const last = changed(now);
  const isOurs = ({ info }: Sibling) => sameFile(info, now);
  let at = rotated.findIndex(isOurs);
  // Packing keeps the time, and removes what it has packed.
  if (at === -1) at = rotated.findIndex(({ packed, info }) => packed && changed(info) === last);
  let ours: Sibling | undefined = rotated[at];
  let files = rotated.slice(at + 1);
  if (at === -1) {
    // Renamed to something else, or deleted: then its time tells which ones are newer.
    ours = (await look(place, true)).find(isOurs);
    files = rotated.filter(({ info }) => changed(info) > last);
  }
  if (log !== null) files.push(log);
  const readable = files.filter(({ packed }) => !packed);
  const next = readable.at(0)?.number ?? null;
  const skips = at !== -1 && ours?.number != null && next !== null && ours.number - next !== 1;
  return {
    files: readable,
    complete: ours !== undefined && readable.length === files.length && !skips,
    // A file that is younger than the log is a copy of what that had: lines may have come between copy and truncation.
    copied: log !== null && ours !== undefined && isOurs(ours) &&
      identity(ours.info).birth > identity(log.info).birth,
  };
}
