import type { Encoded } from "./event.ts";
import { heads, type SourceFormat } from "./formats/source_format.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();

/** Of each block that several readers share: where its records end, and what it was with the cursors of the last reader. */
const known = new WeakMap<Encoded, { ends: number[]; cursors: string; bytes: Bytes }>();

/**
 * Whole records of a {@linkcode SourceFormat}, with the cursors of the other sources put before the one in each id.
 *
 * In bytes, as the records are shared: what a reader has of its own is these cursors, and encoding each event anew would cost
 * it several times as much. Readers of the same sources mostly have the same ones, and share this too.
 */
export function spliced(block: Encoded, { base }: SourceFormat, cursors: string): Bytes {
  const { bytes: records } = block;
  if (cursors === "" || records.length === 0) return records;
  const before = known.get(block);
  if (before?.cursors === cursors) return before.bytes;
  const isSse = base.name === "sse";
  const ends = before?.ends ?? recordEnds(records, isSse);
  const bytes = splice(records, ends, heads[base.name].length, isSse ? 0 : 2, encoder.encode(cursors));
  known.set(block, { ends, cursors, bytes });
  return bytes;
}

/** `letter`: where a record that has an id, which begins with `head` bytes, has an i; what else may come first has none there. */
function splice(records: Bytes, ends: number[], head: number, letter: number, cursors: Bytes): Bytes {
  const out = new Uint8Array(records.length + ends.length * cursors.length);
  let at = 0;
  let from = 0;
  for (const end of ends) {
    if (records[from + letter] === 105) {
      out.set(records.subarray(from, from + head), at);
      out.set(cursors, at + head);
      at += head + cursors.length;
      from += head;
    }
    out.set(records.subarray(from, end), at);
    at += end - from;
    from = end;
  }
  return out.subarray(0, at);
}

/** Where each record ends: after a line end, in SSE after an empty line. */
function recordEnds(records: Uint8Array, isSse: boolean): number[] {
  const ends: number[] = [];
  for (let at = records.indexOf(10); at !== -1; at = records.indexOf(10, at + 1)) {
    if (!isSse || records[at - 1] === 10) ends.push(at + 1);
  }
  return ends;
}
