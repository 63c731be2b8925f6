import { isHole } from "./file_lines.ts";
import { decoder, type LineFilter } from "./line_block.ts";
import type { LogFile } from "./log_file.ts";
import { scans } from "./turns.ts";

/** Bytes searched in one turn of the event loop: everything else waits for them. */
const blockBytes = 262_144;
const headBytes = 64;

/** What a {@linkcode startOfLastWanted} looks for, and how far. */
export interface Search {
  readonly count: number;
  readonly wanted: LineFilter;
  /** Bytes of a line; the rest of a longer one is not sent, and not looked at. */
  readonly lineBytes: number;
  /** Bytes of the file's end that are looked through at most. */
  readonly searchBytes: number;
  /** Whether a last line without a newline counts. */
  readonly unfinished: boolean;
  readonly signal: AbortSignal;
}

/**
 * Where the last `count` lines begin that are wanted, looked for backwards. `whole`: the search has come to the start of the
 * file, or has found them all; otherwise `offset` is how far it came, null when no line begins in what was looked through.
 */
export async function startOfLastWanted(
  file: LogFile,
  { count, wanted, lineBytes, searchBytes, unfinished, signal }: Search,
): Promise<{ offset: number | null; whole: boolean }> {
  const { size } = file.stat();
  const buffer = new Uint8Array(Math.min(size, blockBytes));
  let found = 0;
  let offset: number | null = null;
  for (let end = size; end > 0;) {
    if (size - end >= searchBytes) return { offset, whole: false };
    await scans.next(signal);
    const start = Math.max(0, end - buffer.length);
    const bytes = buffer.subarray(0, await file.read(start, buffer.subarray(0, end - start)));
    // A hole reaches back to the start.
    const head = bytes.subarray(0, headBytes);
    const isFirst = start === 0 || isHole(head) && file.has(0, head);
    const first = isFirst ? 0 : bytes.indexOf(10) + 1;
    const isLast = end === size;
    end = isFirst ? 0 : start;
    // Within a line that is longer than a block: its start is still to come.
    if (!isFirst && (first === 0 || first === bytes.length)) continue;
    offset = start + first;
    if (!isFirst) end = offset;
    const lines = decoder.decode(bytes.subarray(first)).split("\n");
    if (lines.at(-1) === "" || isLast && !unfinished) lines.pop();
    for (let i = lines.length - 1; i >= 0; i--) {
      if (!wanted(lines[i].slice(0, lineBytes)) || ++found < count) continue;
      return { offset: start + first + startOfLine(bytes.subarray(first), i), whole: true };
    }
  }
  return { offset: 0, whole: true };
}

/** Where a line begins, by its number from 0. */
function startOfLine(bytes: Uint8Array, number: number): number {
  let at = 0;
  for (let n = 0; n < number; n++) at = bytes.indexOf(10, at) + 1;
  return at;
}
