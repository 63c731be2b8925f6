import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ChannelHistory } from "../../../lib/channels/channel_history.ts";
import { type Block, Pages } from "../../../lib/channels/pages.ts";
import type { Format } from "../../../lib/stream/formats/format.ts";
import { text } from "../../../lib/stream/formats/text.ts";

const textOf = ({ encoded: { bytes } }: Block) => new TextDecoder().decode(bytes);

/** Pages of a history with these events, in text: each is a line. */
function setUp(...events: string[]) {
  const history = new ChannelHistory<string>("x");
  for (const event of events) history.add(event);
  const encoded: unknown[] = [];
  const format: Format = { ...text, event: (event) => (encoded.push(event.data), text.event(event)) };
  return { history, pages: new Pages(history, format), encoded };
}

/** Everything from `from` to the last event, block by block. */
function rest({ history, pages }: ReturnType<typeof setUp>, from: number): string {
  let all = "";
  while (from <= history.last) {
    const block = pages.block(from);
    all += textOf(block);
    from = block.next;
  }
  return all;
}

const lines = (events: string[]) => events.map((event) => event + "\n").join("");
const many = Array.from({ length: 5_000 }, (_, i) => `event ${i + 1} ${"ü".repeat(i % 20)}`);

Deno.test("a page gives exactly the records from an event on, wherever it starts and whoever reads first", () => {
  for (const order of [[1, 2, 100, 2_345, 4_999, 5_000], [5_000, 2_345, 2_300, 1, 100, 4_999]]) {
    const it = setUp(...many);
    for (const from of order) assertEquals(rest(it, from), lines(many.slice(from - 1)));
  }
});

Deno.test("each event is encoded once for all readers, and only when one reads that far", () => {
  const it = setUp(...many);
  rest(it, 4_000);
  assertEquals(it.encoded.length, 1_001);
  for (const from of [4_500, 3_000, 1, 1]) rest(it, from);
  assertEquals(it.encoded.length, 5_000);
});

Deno.test("readers at the same event share one block until more is added", () => {
  const { history, pages } = setUp("a");
  const block = pages.block(1);
  assertStrictEquals(pages.block(1).encoded.bytes, block.encoded.bytes);
  history.add("b");
  assertEquals(textOf(block), "a\n");
  assertEquals(textOf(pages.block(1)), "a\nb\n");
});

Deno.test("a record larger than a page is a block of its own", () => {
  const large = "x".repeat(100_000);
  const it = setUp("small", large, "small again");
  const block = it.pages.block(2);
  assertEquals([textOf(block), block.next], [large + "\n", 3]);
  assertEquals(rest(it, 1), lines(["small", large, "small again"]));
  assertEquals(it.encoded.length, 3);
});

Deno.test("of a long history the pages that were read last are kept, and the others encoded again", () => {
  const it = setUp(...Array.from({ length: 600 }, (_, i) => `${i}`.padEnd(10_000)));
  const all = rest(it, 1);
  assertEquals(it.encoded.length, 600);
  rest(it, 400);
  assertEquals(it.encoded.length, 600);
  assertEquals(rest(it, 1), all);
  assert(it.encoded.length > 700);
});

Deno.test("evicting keeps every page that still holds a retained event", () => {
  const { pages } = setUp(...many);
  for (let from = 1; from <= 4_999;) from = pages.block(from).next;
  pages.evict(4_999);
  assert(textOf(pages.block(4_999)).startsWith("event 4999 "));
});
