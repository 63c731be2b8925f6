import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { MemoryStore, type StoreLimits } from "../../../lib/channels/memory_store.ts";
import { valueOf, valueOfJson } from "../../../lib/channels/value.ts";
import { endOfTurn } from "../../../lib/stream/clock.ts";
import type { Gap, StreamEvent } from "../../../lib/stream/event.ts";
import { HttpError } from "../../../lib/stream/errors.ts";

const wide: StoreLimits = {
  channels: 1_000,
  channelEvents: 2_000,
  channelBytes: 4_194_304,
  channelsBytes: 67_108_864,
};

/** A store that is closed at the end, and what a subscriber gets: event ids, and gaps as they are. */
function setUp(limits: Partial<StoreLimits> = {}) {
  const store = new MemoryStore({ ...wide, ...limits });
  const stop = new AbortController();
  return {
    store,
    /** A few values are added at once. */
    post: (...values: unknown[]) => store.publish("x", values.map((value) => valueOf(value))) as string,
    read: (after?: string, name = "x") =>
      store.subscribe(name, { after, format: "ndjson", signal: stop.signal })[Symbol.asyncIterator](),
    stop,
    async [Symbol.asyncDispose]() {
      stop.abort();
      store.close();
      // What was due at the end of the turn finds everything closed.
      await new Promise<void>(endOfTurn);
    },
  };
}

type Reader = AsyncIterator<Uint8Array | StreamEvent>;

/** What the next item holds: a gap, or the events of a block; the empty block of a new subscription is passed over. */
async function take(reader: Reader): Promise<Gap | { id: string; data: unknown }[]> {
  const { value, done } = await reader.next();
  assert(!done, "the subscription has ended");
  if (value instanceof Uint8Array && value.length === 0) return await take(reader);
  if (!(value instanceof Uint8Array)) return (value as StreamEvent<Gap>).data;
  return new TextDecoder().decode(value).trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** Joins, and waits for what is not there yet. */
async function join(reader: Reader): Promise<{ next: Promise<IteratorResult<unknown>> }> {
  const { value } = await reader.next();
  assertEquals((value as Uint8Array).length, 0);
  return { next: reader.next() };
}

/** The data of the next `count` events; a gap fails the test. */
async function values(reader: Reader, count: number): Promise<unknown[]> {
  const all: unknown[] = [];
  while (all.length < count) {
    const item = await take(reader);
    assert(Array.isArray(item), `a gap came: ${JSON.stringify(item)}`);
    all.push(...item.map(({ data }) => data));
  }
  return all;
}

Deno.test("a subscriber without a cursor gets what is published from then on", async () => {
  await using it = setUp();
  it.post("before");
  const reader = it.read();
  const next = take(reader);
  const id = it.post("after");
  assertEquals(await next, [{ id, data: "after" }]);
});

Deno.test("a cursor goes on exactly after its event, and 0 is the oldest kept", async () => {
  await using it = setUp();
  const first = it.post("a");
  it.post("b", "c");
  assertEquals(await values(it.read(first), 2), ["b", "c"]);
  assertEquals(await values(it.read("0"), 3), ["a", "b", "c"]);
  const end = it.read(it.post("d"));
  const next = values(end, 1);
  it.post("e");
  assertEquals(await next, ["e"]);
});

Deno.test("ids are the channel's life and a number that grows by one", async () => {
  await using it = setUp();
  assertMatch(it.post("a"), /^[0-9a-f]{12}-1$/);
  assertMatch(it.post("b", "c"), /^[0-9a-f]{12}-3$/);
});

Deno.test("an evicted cursor gets a gap that counts, then the oldest kept", async () => {
  await using it = setUp({ channelEvents: 3 });
  const [life] = it.post("1").split("-");
  it.post("2", "3", "4", "5", "6");
  const reader = it.read(`${life}-1`);
  assertEquals(await take(reader), { after: `${life}-1`, next: `${life}-4`, lost: 2 });
  assertEquals(await values(reader, 3), ["4", "5", "6"]);
});

Deno.test("a cursor that cannot be known gets a gap without a count", async (test) => {
  await using it = setUp();
  const [life] = it.post("kept").split("-");
  for (
    const after of [
      `${life}-2`,
      "000000000000-1",
      "garbage",
      "",
      "1",
      `${life}-`,
      `${life}-1-1`,
      `${life}--1`,
      `${life}-1e0`,
      "x".repeat(500),
    ]
  ) {
    await test.step(after.slice(0, 20), async () => {
      const reader = it.read(after);
      assertEquals(await take(reader), { after: after.slice(0, 128), next: `${life}-1`, lost: null });
      assertEquals(await values(reader, 1), ["kept"]);
    });
  }
});

Deno.test("a gap on an empty channel has no next event, and what comes later is not lost", async () => {
  await using it = setUp();
  const reader = it.read("gone-7");
  assertEquals(await take(reader), { after: "gone-7", next: null, lost: null });
  const next = values(reader, 1);
  it.post("later");
  assertEquals(await next, ["later"]);
});

Deno.test("a reader that is too slow is told how many events it has missed, then goes on", async () => {
  await using it = setUp({ channelEvents: 10 });
  const reader = it.read("0");
  const first = values(reader, 1);
  it.post(0);
  assertEquals(await first, [0]);
  for (let i = 1; i <= 25; i++) it.post(i);
  const gap = await take(reader) as Gap;
  assertEquals(gap.lost, 15);
  assertEquals(gap.after.split("-")[1], "1");
  assertEquals(await values(reader, 10), [16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
});

Deno.test("one post of more events than the history reaches everybody who waits", async () => {
  await using it = setUp({ channelEvents: 10 });
  const reader = it.read();
  const all = values(reader, 5_000);
  const posted = Array.from({ length: 5_000 }, (_, i) => i);
  it.post(...posted);
  assertEquals(await all, posted);
});

Deno.test("replay and live neither lose nor repeat, whenever a reader comes", async () => {
  await using it = setUp({ channelEvents: 500 });
  const total = 3_000;
  /** Reads to the end, and checks every step on the way. */
  async function follow(reader: Reader): Promise<void> {
    let last: number | null = null;
    while (last !== total - 1) {
      const item = await take(reader);
      if (!Array.isArray(item)) {
        if (last !== null) last += item.lost!;
        continue;
      }
      for (const { data } of item) {
        if (last !== null) assertEquals(data, last + 1);
        last = data as number;
      }
    }
  }
  const readers: Promise<void>[] = [];
  let id = "0";
  for (let i = 0; i < total; i++) {
    if (i % 37 === 0) readers.push(follow(it.read("0")), follow(it.read(id)), follow(it.read()));
    id = it.post(i);
    if (i % 11 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  await Promise.all(readers);
});

Deno.test("every format is encoded from the same events", async () => {
  await using it = setUp();
  const id = it.post("two\nlines");
  it.post({ a: 1 });
  const block = async (format: "sse" | "text" | "ndjson") => {
    const reader = it.store.subscribe("x", { after: "0", format, signal: it.stop.signal });
    const { value } = await reader[Symbol.asyncIterator]().next();
    return new TextDecoder().decode(value as Uint8Array).replaceAll(id.split("-")[0], "L");
  };
  assertEquals(await block("text"), 'two\nlines\n{"a":1}\n');
  assertEquals(await block("sse"), 'id: L-1\ndata: two\ndata: lines\n\nid: L-2\ndata: {"a":1}\n\n');
  assertEquals(await block("ndjson"), '{"id":"L-1","data":"two\\nlines"}\n{"id":"L-2","data":{"a":1}}\n');
});

Deno.test("a posted number keeps its digits, and pretty-printed JSON stays on one line", async () => {
  await using it = setUp();
  it.store.publish("x", [valueOfJson('\n{\r\n "n": 12345678901234567890 }\n')]);
  const { value } = await it.read("0").next();
  assertMatch(new TextDecoder().decode(value as Uint8Array), /"data":\{  ?"n": 12345678901234567890 \}\}\n$/);
});

Deno.test("tags choose events; their gaps have no count", async () => {
  await using it = setUp({ channelEvents: 4 });
  const post = (tag: string, value: number) => it.store.publish("x", [valueOf(value, tag)]);
  const tags = new Set(["a"]);
  const reader = it.store.subscribe("x", { after: "0", format: "ndjson", signal: it.stop.signal, tags });
  const first = values(reader[Symbol.asyncIterator](), 2);
  post("a", 1);
  post("b", 2);
  post("a", 3);
  assertEquals(await first, [1, 3]);
  for (let i = 4; i < 14; i++) post(i % 2 === 0 ? "a" : "b", i);
  assertEquals((await take(reader[Symbol.asyncIterator]()) as Gap).lost, null);
  assertEquals(await values(reader[Symbol.asyncIterator](), 2), [10, 12]);
});

Deno.test("what others have pushed out is no gap to who did not want them", async () => {
  await using it = setUp({ channelEvents: 4 });
  const post = (tag: string, value: number) => it.store.publish("x", [valueOf(value, tag)]) as string;
  const after = post("a", 1);
  for (let i = 2; i < 20; i++) post("b", i);
  post("a", 20);
  const wanted = { format: "ndjson", signal: it.stop.signal, tags: new Set(["a"]) } as const;
  const reader = it.store.subscribe("x", { ...wanted, after })[Symbol.asyncIterator]();
  assertEquals(await values(reader, 1), [20]);
  // Of `b` some are gone.
  const other = it.store.subscribe("x", { ...wanted, after, tags: new Set(["b"]) })[Symbol.asyncIterator]();
  assertEquals((await take(other) as Gap).lost, null);
  assertEquals(await values(other, 3), [17, 18, 19]);
});

Deno.test("a gap that nothing follows has the cursor to come back with", async () => {
  await using it = setUp();
  const other = it.read();
  await join(other);
  const { value } = await it.read("0123456789ab-7").next();
  const { id, data } = value as StreamEvent<Gap>;
  assertEquals(data, { after: "0123456789ab-7", next: null, lost: null });
  it.post("first");
  assertEquals(await values(it.read(id!), 1), ["first"]);
});

Deno.test("an empty channel that goes away and comes back is the same to who was there", async () => {
  await using it = setUp();
  const cursorOf = async () => {
    const reader = it.store.subscribe("x", { after: undefined, format: "sse", signal: it.stop.signal })[
      Symbol.asyncIterator
    ]();
    const { value } = await reader.next();
    await reader.return!();
    assertEquals(it.store.size, 0);
    return new TextDecoder().decode(value as Uint8Array).slice("id: ".length, -3);
  };
  const cursor = await cursorOf();
  assertEquals(await cursorOf(), cursor);
  it.post("missed");
  assertEquals(await values(it.read(cursor), 1), ["missed"]);
});

Deno.test("a channel that had events and went away is another one when it comes back", async () => {
  await using it = setUp({ channels: 1 });
  const cursor = it.post("gone");
  it.store.publish("y", [valueOf(1)]);
  it.store.publish("x", [valueOf("new")]);
  assertEquals((await take(it.read(cursor)) as Gap).lost, null);
});

Deno.test("an event larger than the history is refused, with all that came with it", async () => {
  await using it = setUp({ channelBytes: 100 });
  it.post("kept");
  const error = assertThrows(() => it.post("fine", "x".repeat(100)), HttpError);
  assertEquals(error.status, 413);
  assertEquals(await values(it.read("0"), 1), ["kept"]);
});

Deno.test("what is refused makes no channel, and takes nobody's place", async () => {
  await using it = setUp({ channels: 1, channelBytes: 100 });
  it.post("kept");
  assertThrows(() => it.store.publish("new", [valueOf("x".repeat(100))]), HttpError);
  assertEquals(await values(it.read("0"), 1), ["kept"]);
  assertEquals(it.store.size, 1);
});

Deno.test("a small event out of a large body keeps nothing of the rest", async () => {
  await using it = setUp();
  const before = Deno.memoryUsage();
  for (let i = 0; i < 200; i++) {
    const body = String(i).padEnd(30, "x") + " ".repeat(1_000_000);
    it.store.publish("x", [valueOfJson(JSON.stringify(body.slice(0, 30)) + body.slice(30))]);
  }
  // With the bodies it would be 200 MB.
  const after = Deno.memoryUsage();
  assert(after.heapUsed + after.external - before.heapUsed - before.external < 100_000_000);
  assertEquals((await values(it.read("0"), 200)).length, 200);
});

Deno.test("many values in one post are added bit by bit, and no other post comes between", async () => {
  await using it = setUp({ channelEvents: 60_000 });
  const numbers = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => valueOf(from + i));
  const reader = it.read();
  const { next } = await join(reader);
  let turns = 0;
  const count = setInterval(() => turns++, 0);
  const ids = await Promise.all([
    it.store.publish("x", numbers(0, 50_000)),
    it.store.publish("x", numbers(50_000, 50_001)),
    it.store.publish("x", numbers(50_001, 55_000)),
  ]);
  clearInterval(count);
  assert(turns > 10, `others had ${turns} turns`);
  assertEquals(ids.map((id) => id.split("-")[1]), ["50000", "50001", "55000"]);
  const { value } = await next;
  const first = new TextDecoder().decode(value as Uint8Array).trimEnd().split("\n").length;
  assertEquals(
    await values(reader, 55_000 - first),
    Array.from({ length: 55_000 - first }, (_, i) => first + i),
  );
  assertEquals(it.post(0).split("-")[1], "55001");
});

Deno.test("a channel that is being filled does not go away", async () => {
  await using it = setUp({ channels: 1 });
  const filled = it.store.publish("x", Array.from({ length: 5_000 }, (_, i) => valueOf(i)));
  const reader = it.read();
  await reader.next();
  await reader.return!();
  await assertRejects(() => it.read(undefined, "other").next(), HttpError);
  await filled;
  const kept = it.read("0");
  while ((await values(kept, 1)).at(-1) !== 4_999);
});

Deno.test("the history is bounded by bytes", async () => {
  await using it = setUp({ channelBytes: 100 });
  for (let i = 0; i < 50; i++) it.post(String(i).padStart(28, "0"));
  assertEquals((await values(it.read("0"), 3)).map(Number), [47, 48, 49]);
});

Deno.test("beyond the bound of all channels the largest history gives way", async () => {
  await using it = setUp({ channelsBytes: 10_000 });
  it.store.publish("small", [valueOf("stays")]);
  for (let i = 0; i < 100; i++) it.store.publish("large", [valueOf([i, "x".repeat(496)])]);
  assertEquals(await values(it.read("0", "small"), 1), ["stays"]);
  const kept = it.read("0", "large");
  const read: unknown[] = [];
  while (read.at(-1) !== 99) read.push(...(await values(kept, 1) as number[][]).map(([i]) => i));
  assertEquals(read.length, 15);
});

Deno.test("a channel that nobody reads and that has nothing goes away", async () => {
  await using it = setUp();
  const reader = it.read();
  const { next } = await join(reader);
  assertEquals(it.store.size, 1);
  await reader.return!();
  assertEquals((await next).done, true);
  assertEquals(it.store.size, 0);
});

Deno.test("with all channels taken, the one that is unread and longest unpublished gives way", async () => {
  await using it = setUp({ channels: 2 });
  const gone = await it.store.publish("first", [valueOf(1)]);
  it.store.publish("second", [valueOf(2)]);
  it.store.publish("third", [valueOf(3)]);
  assertEquals(it.store.size, 2);
  assertEquals(await values(it.read("0", "second"), 1), [2]);
  // Both are read now or soon: nothing can give way.
  const third = it.read("0", "third");
  await third.next();
  const error = await assertRejects(() => it.read(gone, "first").next(), HttpError);
  assertEquals(error.status, 503);
});

Deno.test("an aborted signal ends a subscription that waits, and leaves nothing", async () => {
  await using it = setUp();
  const { next } = await join(it.read());
  it.stop.abort();
  assertEquals((await next).done, true);
  assertEquals(it.store.size, 0);
});

Deno.test("subscribers that come and go while nothing is published are forgotten", async () => {
  await using it = setUp();
  it.post("kept");
  for (let i = 0; i < 1_000; i++) {
    const reader = it.read();
    const { next } = await join(reader);
    await reader.return!();
    await next;
  }
  const block = await take(it.read("0"));
  assertEquals((block as unknown[]).length, 1);
});
