import type { LogFile } from "./log_file.ts";

const blockBytes = 65_536;

/**
 * Where the last `count` lines of a file begin, read backwards from its end, so that its size does not matter. A last line
 * without a newline counts only when `unfinished`.
 */
export async function startOfLast(
  file: LogFile,
  count: number,
  { unfinished, signal }: { unfinished: boolean; signal: AbortSignal },
): Promise<number> {
  const { size } = file.stat();
  // The newline that ends the last line is no line's start; the one before the first wanted line is looked for.
  let wanted = unfinished && count > 0 ? count : count + 1;
  const buffer = new Uint8Array(Math.min(size, blockBytes));
  for (let end = size; end > 0;) {
    signal.throwIfAborted();
    const start = Math.max(0, end - blockBytes);
    const read = await file.read(start, buffer.subarray(0, end - start));
    if (end === size && unfinished && buffer[read - 1] === 10) wanted = count + 1;
    for (let at = read; at > 0;) {
      at = buffer.lastIndexOf(10, at - 1);
      if (at === -1) break;
      if (--wanted === 0) return start + at + 1;
      if (at === 0) break;
    }
    end = start;
  }
  return 0;
}
