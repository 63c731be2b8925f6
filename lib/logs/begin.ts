import { OpensBusy } from "../opens.ts";
import { sleep } from "../stream/clock.ts";
import { HttpError } from "../stream/errors.ts";
import type { Limiter } from "../stream/limiter.ts";
import { absentCursor, absentSince, parseCursor } from "./cursor.ts";
import { FileFingerprint } from "./fingerprint.ts";
import { locate } from "./locate.ts";
import type { LineFilter } from "./line_block.ts";
import type { LogReader } from "./log_reader.ts";
import { startOfLast } from "./search.ts";

/** Rest before a log that could not be opened is tried again, in ms. */
const retryMs = 100;

/** Where to begin, and whether to go on. */
export interface FollowOptions {
  /** The cursor to go on after, in place of `from`. */
  after?: string;
  /** The cursor to end at, in place of the log's end: then nothing is followed. */
  before?: string;
  /** Number of last lines to begin with, or "start" for all of them. */
  from: number | "start";
  /** Which lines `from` counts. Default: all. */
  wanted?: LineFilter;
  /** Wait for new lines; otherwise it ends with the last one that is there. */
  follow: boolean;
  /** Called once, with the cursor that it begins at. */
  begun?: (cursor: string) => void;
  /** Ends it at once, also in the middle of a wait. */
  signal: AbortSignal;
}

/**
 * Opens the reader where the options say. `lost`: a cursor that led nowhere; `searched`: the last lines that are wanted were
 * looked for no further back than to where it begins.
 */
export async function begin(
  reader: LogReader,
  options: FollowOptions,
  { searchBytes, searches }: { searchBytes: number; searches: Limiter },
): Promise<{ lost: string | null; searched: boolean }> {
  const { place, lineBytes } = reader;
  const { after, from, follow, signal, wanted } = options;
  let searched = false;
  try {
    const cursor = after === undefined ? null : parseCursor(after);
    reader.awaited = cursor === null ? absentCursor(Date.now()) : after!;
    const found = cursor && await locate(place, cursor, lineBytes);
    if (found) {
      reader.begin(found.file, found.at, found.copied);
      return { lost: found.complete ? null : after!, searched };
    }
    const since = cursor && absentSince(cursor);
    const file = await place.open();
    if (file !== null) {
      reader.begin(file, FileFingerprint.start(file.info));
      let offset = 0;
      if (since === null && from !== "start") {
        const search = { count: from, wanted, lineBytes, searchBytes, unfinished: !follow, signal };
        using _permit = wanted && await searches.acquire({ signal });
        const { offset: found, whole } = await startOfLast(file, search);
        [offset, searched] = [found, !whole];
      }
      const at = await FileFingerprint.at(file, { offset }, lineBytes);
      if (at !== null) reader.begin(file, at);
    } else if (follow && cursor !== null) {
      // It may be away, or not to be read, for now.
      return { lost: null, searched };
    } else if (await place.isDenied()) {
      throw new HttpError(403, `the log ${place.name} may not be read`);
    }
    return { lost: since === null ? after ?? null : null, searched };
  } catch (error) {
    if (!follow || !(error instanceof OpensBusy)) throw error;
    signal.throwIfAborted();
    await sleep(retryMs, signal);
    return await begin(reader, options, { searchBytes, searches });
  }
}
