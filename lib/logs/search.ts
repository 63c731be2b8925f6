import { isHole } from "./file_lines.ts";
import { lineStart } from "./fingerprint.ts";
import { decoder, type LineFilter } from "./line_block.ts";
import type { LogFile } from "./log_file.ts";
import { scans } from "./turns.ts";

/** Bytes that are read backwards at once: a few lines are near. Everything else waits while a block is searched. */
const nearBytes = 65_536;
const blockBytes = 262_144;

/** Bytes of a hole at the end of a file that are looked through at most. */
const holeBytes = 67_108_864;

/** What {@linkcode startOfLast} looks for, and how far. */
export interface Search {
  readonly count: number;
  /** Default: all lines. */
  readonly wanted?: LineFilter;
  /** Bytes of a line; the rest of a longer one is not sent, and not looked at. */
  readonly lineBytes: number;
  /** Bytes of the file's end that are looked through at most for lines that are wanted. */
  readonly searchBytes: number;
  /** Whether a last line without a newline counts. */
  readonly unfinished: boolean;
  readonly signal: AbortSignal;
}

/**
 * Where the last `count` lines begin that are wanted, looked for backwards, so that the file's size does not matter. `whole`:
 * the search has come to the start of the file, or has found them all; otherwise `offset` is how far it came.
 */
export async function startOfLast(
  file: LogFile,
  { count, wanted, lineBytes, searchBytes, unfinished, signal }: Search,
): Promise<{ offset: number; whole: boolean }> {
  const { size } = file.stat();
  let buffer = new Uint8Array(Math.min(size, nearBytes));
  let found = 0;
  let offset: number | null = null;
  let isText = false;
  /** The next line has no newline. */
  let isOpen = false;
  for (let end = size; end > 0;) {
    if (wanted !== undefined && offset !== null && size - end >= searchBytes) return { offset, whole: false };
    await scans.next(signal);
    const start = Math.max(0, end - buffer.length);
    const bytes = buffer.subarray(0, await file.read(start, buffer.subarray(0, end - start)));
    if (end === size) isOpen = bytes.at(-1) !== 10;
    if (count === 0 && !isOpen) return { offset: size, whole: true };
    // A hole reaches back to the start, and is not walked through.
    if (!isHole(bytes)) isText = true;
    else if (isText && bytes.length === buffer.length || size - start > holeBytes) {
      return { offset: end, whole: true };
    }
    if (buffer.length < blockBytes) buffer = new Uint8Array(blockBytes);
    const first = start === 0 ? 0 : bytes.indexOf(10) + 1;
    end = start;
    // Within a line that is longer than a block: its start is still to come.
    if (start > 0 && (first === 0 || first === bytes.length)) continue;
    end = start + first;
    offset = end;
    const lines = wanted && decoder.decode(bytes.subarray(first)).split("\n");
    if (bytes.at(-1) === 10) lines?.pop();
    for (let at = bytes.length; at > first;) {
      const from = Math.max(first, lineStart(bytes, at));
      const line = lines?.pop()?.slice(0, lineBytes);
      const counts = (unfinished || !isOpen) && (wanted === undefined || wanted(line!));
      if (count === 0 || counts && ++found === count) return { offset: start + from, whole: true };
      isOpen = false;
      at = from;
    }
  }
  return { offset: 0, whole: true };
}
