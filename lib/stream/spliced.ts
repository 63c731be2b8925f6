import type { Encoded } from "./event.ts";
import { heads, type SourceFormat } from "./formats/source_format.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();

/** Of each block that several readers share: where its ids are, and what it was with the cursors of the last reader. */
const known = new WeakMap<Encoded, { ids: number[]; cursors: string; bytes: Bytes }>();

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
  const ids = before?.ids ?? idsIn(records, encoder.encode(heads[base.name]));
  const bytes = splice(records, ids, encoder.encode(cursors));
  known.set(block, { ids, cursors, bytes });
  return bytes;
}

/** Where the ids are: in the lines that begin as a record with an id does. No other line of these formats does. */
function idsIn(records: Bytes, head: Bytes): number[] {
  const ids: number[] = [];
  for (let line = 0; line < records.length; line = records.indexOf(10, line) + 1) {
    if (head.every((byte, at) => records[line + at] === byte)) ids.push(line + head.length);
  }
  return ids;
}

function splice(records: Bytes, ids: number[], cursors: Bytes): Bytes {
  const out = new Uint8Array(records.length + ids.length * cursors.length);
  let [from, at] = [0, 0];
  for (const id of ids) {
    out.set(records.subarray(from, id), at);
    at += id - from;
    out.set(cursors, at);
    at += cursors.length;
    from = id;
  }
  out.set(records.subarray(from), at);
  return out;
}
