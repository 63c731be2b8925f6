import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Pages } from "../../../lib/channels/pages.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Everything from `from` to the last event, block by block. */
function rest(pages: Pages, from: number, last: number): string {
  let all = "";
  while (from <= last) {
    const block = pages.block(from);
    all += text(block.encoded.bytes);
    from = block.next;
  }
  return all;
}

Deno.test("a page gives exactly the records from an event on, wherever it starts", () => {
  const pages = new Pages(String);
  const records = Array.from({ length: 5_000 }, (_, i) => `event ${i + 7} ${"ü".repeat(i % 20)}\n`);
  records.forEach((record, i) => pages.add(i + 7, record));
  for (const from of [7, 8, 100, 2_345, 5_005, 5_006]) {
    assertEquals(rest(pages, from, 5_006), records.slice(from - 7).join(""));
  }
});

Deno.test("readers at the same event share one block until more is added", () => {
  const pages = new Pages(String);
  pages.add(1, "a\n");
  const block = pages.block(1);
  assertStrictEquals(pages.block(1).encoded.bytes, block.encoded.bytes);
  pages.add(2, "b\n");
  assertEquals(text(block.encoded.bytes), "a\n");
  assertEquals(text(pages.block(1).encoded.bytes), "a\nb\n");
});

Deno.test("a record larger than a page is a block of its own", () => {
  const pages = new Pages(String);
  const large = "x".repeat(100_000) + "\n";
  pages.add(1, "small\n");
  pages.add(2, large);
  pages.add(3, "small again\n");
  const { encoded, next } = pages.block(2);
  assertEquals([text(encoded.bytes), next], [large, 3]);
  assertEquals(rest(pages, 1, 3), `small\n${large}small again\n`);
});

Deno.test("evicting keeps every page that still holds a retained event", () => {
  const pages = new Pages(String);
  for (let i = 1; i <= 3_000; i++) pages.add(i, `event ${i}\n`);
  pages.evict(2_999);
  assert(text(pages.block(2_999).encoded.bytes).startsWith("event 2999\n"));
});
