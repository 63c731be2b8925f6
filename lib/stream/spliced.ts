import { Encoded } from "./event.ts";
import { heads, type SourceFormat } from "./formats/source_format.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();

/** Of each block that several readers share: where its ids are, and what was made of it for the last reader. */
const known = new WeakMap<Encoded, { ids: number[] | null; cursors: string; made: Encoded }>();

/**
 * A block of a {@linkcode SourceFormat}, with the cursors of the other sources put before the one in each id.
 *
 * In bytes, as the records are shared: what a reader has of its own is these cursors, and encoding each event anew would cost
 * it several times as much. Readers of the same sources mostly have the same ones, and share this too.
 */
export function spliced(block: Encoded, format: SourceFormat, cursors: string): Encoded {
  const before = known.get(block);
  if (before?.cursors === cursors) return before.made;
  let { bytes } = block;
  let ids = before?.ids ?? null;
  if (cursors !== "" && bytes.length > 0) {
    ids ??= idsIn(bytes, encoder.encode(heads[format.base.name]));
    bytes = splice(bytes, ids, encoder.encode(cursors));
  }
  const made = new Encoded(bytes, block.lastId && cursors + format.id(block.lastId), block.events);
  known.set(block, { ids, cursors, made });
  return made;
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

/** Several blocks as one. */
export function joined(blocks: Encoded[]): Encoded {
  if (blocks.length === 1) return blocks[0];
  const bytes = new Uint8Array(blocks.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let at = 0;
  for (const block of blocks) {
    bytes.set(block.bytes, at);
    at += block.bytes.length;
  }
  return new Encoded(bytes, blocks.at(-1)!.lastId, blocks.reduce((sum, { events }) => sum + events, 0));
}
