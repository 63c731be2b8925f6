import { assert, assertEquals } from "@std/assert";
import { type ByteRange, maxRanges, parseRange } from "../../../lib/files/byte_range.ts";

const ignored = null;
const refused: ByteRange[] = [];
const r = (first: number, last: number): ByteRange => ({ first, last });

/** Range field, size of the file, ranges to send. */
const table: [string, number, ByteRange[] | null][] = [
  // One range (RFC 9110, 14.1.2).
  ["bytes=0-0", 10, [r(0, 0)]],
  ["bytes=0-4", 10, [r(0, 4)]],
  ["bytes=2-", 10, [r(2, 9)]],
  ["bytes=0-", 10, [r(0, 9)]],
  ["bytes=9-", 10, [r(9, 9)]],
  ["bytes=5-99", 10, [r(5, 9)]],
  ["bytes=-1", 10, [r(9, 9)]],
  ["bytes=-10", 10, [r(0, 9)]],
  ["bytes=-99", 10, [r(0, 9)]],
  ["bytes=007-008", 10, [r(7, 8)]],
  ["BYTES=0-1", 10, [r(0, 1)]],
  ["bytes=0-99999999999999999999999", 10, [r(0, 9)]],
  ["bytes=-99999999999999999999999", 10, [r(0, 9)]],
  ["bytes=1073741823-", 1073741824, [r(1073741823, 1073741823)]],
  // Several, in their order; those that overlap become one, those that touch do not.
  ["bytes=0-0,-1", 10, [r(0, 0), r(9, 9)]],
  ["bytes=6-7, 0-1", 10, [r(6, 7), r(0, 1)]],
  ["bytes=0-1,2-3", 10, [r(0, 1), r(2, 3)]],
  ["bytes=0-4,4-6", 10, [r(0, 6)]],
  ["bytes=0-4,2-3", 10, [r(0, 4)]],
  ["bytes=8-9,0-1,1-3", 10, [r(8, 9), r(0, 3)]],
  ["bytes=0-2,6-8,1-7", 10, [r(0, 8)]],
  ["bytes=3-,-3", 10, [r(3, 9)]],
  ["bytes=0-1,99-", 10, [r(0, 1)]],
  ["bytes=,0-1,,\t3-4 ,", 10, [r(0, 1), r(3, 4)]],
  // None that can be satisfied (15.5.17).
  ["bytes=10-", 10, refused],
  ["bytes=10-20", 10, refused],
  ["bytes=-0", 10, refused],
  ["bytes=99999999999999999999999-", 10, refused],
  ["bytes=10-,-0", 10, refused],
  ["bytes=0-", 0, refused],
  ["bytes=" + "0-0,".repeat(maxRanges + 1), 10, refused],
  ["bytes=" + Array.from({ length: maxRanges + 1 }, (_, i) => `${2 * i}-${2 * i}`), 10_000, refused],
  // An empty file has no range to send, but a suffix of it is satisfiable.
  ["bytes=-5", 0, ignored],
  // Malformed, or of another unit: as if it were not there (14.2).
  ["bytes=", 10, ignored],
  ["bytes=-", 10, ignored],
  ["bytes=,", 10, ignored],
  ["bytes=4-2", 10, ignored],
  ["bytes=0-1,4-2", 10, ignored],
  ["bytes=9007199254740993-9007199254740992", 10, ignored],
  ["bytes=0-1,x", 10, ignored],
  ["bytes=a-b", 10, ignored],
  ["bytes=1", 10, ignored],
  ["bytes=--1", 10, ignored],
  ["bytes=1--2", 10, ignored],
  ["bytes=+1-2", 10, ignored],
  ["bytes=0x0-1", 10, ignored],
  ["bytes=0 -1", 10, ignored],
  ["bytes=0-1\xa0", 10, ignored],
  ["bytes=0-1,\v2-3", 10, ignored],
  ["bytes=0-1,\ufeff", 10, ignored],
  ["bytes=0-1;2-3", 10, ignored],
  ["bytes=１-２", 10, ignored],
  ["bytes 0-1", 10, ignored],
  ["bytes:0-1", 10, ignored],
  ["items=0-1", 10, ignored],
  ["0-1", 10, ignored],
  ["", 10, ignored],
];

for (const [field, size, expected] of table) {
  const shown = field.length > 40 ? field.slice(0, 40) + "…" : field;
  Deno.test(`parseRange() of ${JSON.stringify(shown)} with ${size} bytes`, () => {
    assertEquals(parseRange(field, size), expected);
  });
}

Deno.test("parseRange() selects exactly the bytes that the ranges name, each once, whatever they are", () => {
  for (let round = 0; round < 3_000; round++) {
    const size = pick(40);
    const specs = Array.from({ length: 1 + pick(6) }, () => {
      const first = pick(50);
      return [`${first}-${first + pick(20)}`, `${first}-`, `-${pick(50)}`][pick(3)];
    });
    const wanted = new Set<number>();
    for (const spec of specs) {
      const [first, last] = spec.split("-");
      for (let i = 0; i < size; i++) {
        if (
          first === "" ? i >= size - Number(last) : i >= Number(first) && (last === "" || i <= Number(last))
        ) {
          wanted.add(i);
        }
      }
    }
    const ranges = parseRange(`bytes=${specs}`, size);
    if (ranges === null) {
      assertEquals(size, 0);
      continue;
    }
    const got: number[] = [];
    for (const { first, last } of ranges) {
      assert(0 <= first && first <= last && last < size, `${specs} of ${size}`);
      for (let i = first; i <= last; i++) got.push(i);
    }
    assertEquals(got.toSorted((a, b) => a - b), [...wanted].sort((a, b) => a - b), `${specs} of ${size}`);
  }
});

Deno.test("parseRange() takes a megabyte of digits in no time to speak of", () => {
  const digits = "9".repeat(1_000_000);
  assertEquals(parseRange(`bytes=${digits}-${digits}`, 10), []);
});

function pick(below: number): number {
  return Math.floor(Math.random() * below);
}
