import { identity, sameFile } from "./cursor.ts";
import type { LogFile } from "./log_file.ts";
import type { LogPlace } from "./log_place.ts";
import { changed, look, type Sibling, snapshot } from "./siblings.ts";

/** What comes after a file: the newer ones in turn, the log's own place last. */
export interface Newer {
  /** Oldest first. */
  files: Sibling[];
  /** Nothing between is missing, as far as names and times can tell. */
  complete: boolean;
  /** The file is a copy that was made before a truncation. */
  copied: boolean;
}

/** What is to be read after `file`, which is at the log's place no more. */
export async function newer(place: LogPlace, file: LogFile): Promise<Newer> {
  const { rotated, log } = await snapshot(place);
  const now = file.stat();
  const isOurs = ({ info }: Sibling) => sameFile(info, now);
  let at = rotated.findIndex(isOurs);
  const last = changed(now);
  // Packing keeps the time, and removes what it has packed.
  if (at === -1) at = rotated.findIndex(({ packed, info }) => packed && changed(info) === last);
  let ours: Sibling | undefined = rotated[at];
  let files = rotated.slice(at + 1);
  if (at === -1) {
    // Renamed to something else, or deleted: then its time tells which ones are newer.
    ours = (await look(place, true)).find(isOurs);
    files = rotated.filter(({ info }) => changed(info) > last);
  }
  const readable = files.filter(({ packed }) => !packed);
  let complete = ours !== undefined && readable.length === files.length;
  let copied = false;
  if (log !== null) readable.push(log);
  if (ours !== undefined && readable.length > 0) {
    const [{ number: next }] = readable;
    if (at !== -1 && ours.number !== null && next !== null && ours.number - next !== 1) complete = false;
    // A file that is younger than the log's own is a copy of what that had: lines may have come between copy and truncation.
    copied = log !== null && isOurs(ours) && identity(ours.info).birth > identity(log.info).birth;
  }
  return { files: readable, complete, copied };
}
