import { OpensBusy } from "../opens.ts";
import { HttpError } from "../stream/errors.ts";
import type { Limiter } from "../stream/limiter.ts";
import { absentCursor, absentSince, parseCursor } from "./cursor.ts";
import { isHole } from "./file_lines.ts";
import { FileFingerprint } from "./fingerprint.ts";
import { locate } from "./locate.ts";
import type { LineFilter } from "./line_block.ts";
import type { LogFile } from "./log_file.ts";
import type { LogReader } from "./log_reader.ts";
import { startOfLastWanted } from "./search.ts";

/** Bytes that are read backwards at once: a few lines are near, and a hole of gigabytes is passed in large steps. */
const nearBytes = 65_536;
const farBytes = 1_048_576;

/** Bytes of a hole at the end of a file that are looked through at most. */
const holeBytes = 67_108_864;

/** Where to begin, and whether to go on. */
export interface FollowOptions {
  /** The cursor to go on after, in place of `from`. */
  after?: string;
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
      const all = since !== null || from === "start";
      const unfinished = !follow;
      let offset: number | null = all ? 0 : null;
      if (!all && from > 0 && wanted !== undefined) {
        const search = { count: from, wanted, lineBytes, searchBytes, unfinished, signal };
        using _permit = await searches.acquire({ signal });
        const { offset: found, whole } = await startOfLastWanted(file, search);
        [offset, searched] = [found, !whole];
      }
      offset ??= await startOfLast(file, from === "start" || searched ? 0 : from, { unfinished, signal });
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
    // The open itself has waited for a permit.
    return await begin(reader, options, { searchBytes, searches });
  }
}

/**
 * Where the last `count` lines of a file begin, read backwards from its end, so that its size does not matter. A last line
 * without a newline counts only when `unfinished`. A hole reaches back to the start, and is not walked through.
 */
export async function startOfLast(
  file: LogFile,
  count: number,
  { unfinished, signal }: { unfinished: boolean; signal: AbortSignal },
): Promise<number> {
  const { size } = file.stat();
  // The newline that ends the last line is no line's start; the one before the first wanted line is looked for.
  let wanted = unfinished && count > 0 ? count : count + 1;
  let buffer = new Uint8Array(Math.min(size, nearBytes));
  let isText = false;
  for (let end = size; end > 0;) {
    signal.throwIfAborted();
    const start = Math.max(0, end - buffer.length);
    const read = await file.read(start, buffer.subarray(0, end - start));
    if (end === size && unfinished && buffer[read - 1] === 10) wanted = count + 1;
    if (!isHole(buffer.subarray(0, read))) isText = true;
    else if (isText && read === buffer.length || size - start > holeBytes) return end;
    for (let at = read; at > 0;) {
      at = buffer.lastIndexOf(10, at - 1);
      if (at === -1) break;
      if (--wanted === 0) return start + at + 1;
      if (at === 0) break;
    }
    end = start;
    if (buffer.length < farBytes) buffer = new Uint8Array(farBytes);
  }
  return 0;
}
