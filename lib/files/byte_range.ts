/** Bytes `first` to `last` of a file, both included, as Content-Range counts them. */
export interface ByteRange {
  /** The first byte, counted from 0. */
  first: number;
  /** The last byte: one less than the size at most. */
  last: number;
}

/** Ranges that a Range field may have: each costs a seek and a part's header. */
export const maxRanges = 100;

/**
 * Parses a Range field (RFC 9110, 14.1 and 14.2): its ranges in their order, those that overlap merged into the first of
 * them. Null when the field has to be ignored, as malformed or in another unit; empty when no range can be satisfied or when
 * there are too many, which is a 416 (15.5.17).
 */
export function parseRange(field: string, size: number): ByteRange[] | null {
  const set = /^bytes=(.*)$/i.exec(field);
  if (set === null) return null;
  // A list may have empty elements, and spaces or tabs around its commas (RFC 9110, 5.6.1.2); `trim` would take more than those.
  const specs = set[1].split(",").filter((spec) => !/^[ \t]*$/.test(spec));
  if (specs.length === 0) return null;
  const ranges: ByteRange[] = [];
  for (const spec of specs) {
    const parts = /^[ \t]*([0-9]*)-([0-9]*)[ \t]*$/.exec(spec);
    if (parts === null) return null;
    const [, first, last] = parts;
    if (first === "" && last === "") return null;
    // As text: whether a range is malformed must not depend on how a double rounds.
    const isBackward = last.padStart(first.length, "0") < first.padStart(last.length, "0");
    if (first !== "" && last !== "" && isBackward) return null;
    // A suffix of an empty file is satisfiable, but no Content-Range can express it: the whole, empty, file is sent.
    if (first === "" && size === 0 && Number(last) > 0) return null;
    const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
    const to = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
    if (from <= to) ranges.push({ first: from, last: to });
  }
  return specs.length > maxRanges ? [] : merge(ranges);
}

/** Merges ranges that overlap. Those that merely touch stay apart: a client that asked for two parts gets two. */
function merge(ranges: ByteRange[]): ByteRange[] {
  const merged: (ByteRange & { place: number })[] = [];
  for (const range of ranges.map((range, place) => ({ ...range, place })).sort((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before === undefined || before.last < range.first) merged.push(range);
    else {
      before.last = Math.max(before.last, range.last);
      before.place = Math.min(before.place, range.place);
    }
  }
  return merged.sort((a, b) => a.place - b.place).map(({ first, last }) => ({ first, last }));
}
