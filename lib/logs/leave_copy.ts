import { sameFile } from "./cursor.ts";
import { FileLines } from "./file_lines.ts";
import { handOver } from "./hand_over.ts";
import type { LineBlock } from "./line_block.ts";
import type { LogFile } from "./log_file.ts";
import type { Newer } from "./rotation.ts";

/**
 * Goes on after a copy that was read to its end so far, and may still be made: with `next`, or with the `rest` of the copy;
 * null when all has to be looked at again. `next`, the first of the following files, is disposed of unless it is taken.
 *
 * What comes next is read before the last of the copy is. Where the log was truncated by then, the copy is whole. Where it is
 * truncated once more, nothing at its start tells, but there is another copy: that is looked for afterwards.
 */
export async function leaveCopy(
  lines: FileLines,
  next: LogFile,
  following: Newer,
  look: () => Promise<Newer>,
  signal: AbortSignal,
): Promise<{ next: FileLines; certain: boolean } | { rest: LineBlock | null } | null> {
  using unused = new DisposableStack();
  unused.use(next);
  const isLog = following.files.length === 1;
  const { from, certain } = await handOver(next, lines.at, following, undefined, lines.lineBytes);
  const nextLines = new FileLines(next, from, lines.lineBytes);
  const item = await nextLines.peek(signal);
  const more = await lines.next(signal);
  if (more === "truncated" || more === null && item === "truncated") return null;
  if (more !== null) return { rest: more };
  const [first] = (await look()).files;
  if (first === undefined || !sameFile(first.info, next.info)) return null;
  // Where the log has all of the copy, that may end anywhere.
  const goesOn = from.offset > 0 || isLog && lines.goesOnIn(next);
  const rest = goesOn ? null : lines.unfinished(true);
  if (rest !== null || isLog && next.stat().size === 0) return { rest };
  unused.move();
  return { next: nextLines, certain };
}
