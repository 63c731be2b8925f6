import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { ChannelStore } from "../../lib/channels/channel_store.ts";
import { valueOf, valueOfJson } from "../../lib/channels/value.ts";
import type { Limits } from "../../lib/limits.ts";
import { endOfTurn } from "../../lib/stream/clock.ts";
import { HttpError } from "../../lib/stream/errors.ts";
import { CursorAt, Encoded, type Gap } from "../../lib/stream/event.ts";
import type { Format } from "../../lib/stream/formats/format.ts";
import { ndjson } from "../../lib/stream/formats/ndjson.ts";
import { sse } from "../../lib/stream/formats/sse.ts";
import { text } from "../../lib/stream/formats/text.ts";
import type { StreamItem } from "../../lib/stream/source.ts";

/** The bounds of a channel's history. */
export type HistoryLimits = Pick<Limits, "channelEvents" | "channelBytes">;

/** A store to test. */
export interface StoreUnderTest {
  /** Makes a store whose channels have these bounds. */
  make(limits: HistoryLimits): ChannelStore | Promise<ChannelStore>;
  /** Makes of a channel's cursor one of an event that it will have later. */
  future(cursor: string): string;
  /** Whether what the store needs is missing here. */
  ignore?: boolean;
}

interface Record {
  id?: string;
  event?: string;
  data: unknown;
}

/** What one subscriber reads, record by record; its format is NDJSON. */
export class Subscription {
  readonly #items: AsyncIterator<StreamItem>;
  #records: Record[] = [];

  constructor(items: AsyncIterable<StreamItem>) {
    this.#items = items[Symbol.asyncIterator]();
  }

  /** Takes the first item, which comes as soon as the subscriber takes part. */
  async joined(): Promise<this> {
    assert(await this.#more(), "the subscription has ended");
    return this;
  }

  /** The next record. */
  async next(): Promise<Record> {
    while (this.#records.length === 0) assert(await this.#more(), "the subscription has ended");
    return this.#records.shift()!;
  }

  /** The data of the next `count` events; a gap fails the test. */
  async values(count: number): Promise<unknown[]> {
    const values: unknown[] = [];
    while (values.length < count) {
      const { event, data } = await this.next();
      assertEquals(event, undefined, `a gap came: ${JSON.stringify(data)}`);
      values.push(data);
    }
    return values;
  }

  /** The next record, which has to be a gap. */
  async gap(): Promise<Gap> {
    const { event, data } = await this.next();
    assertEquals(event, "gap", `an event came: ${JSON.stringify(data)}`);
    return data as Gap;
  }

  /**
   * Reads numbers up to `last`, each one more than the one before unless a gap counts what is missing; returns how many
   * gaps came.
   */
  async follow(last: number): Promise<number> {
    let at: number | null = null;
    let gaps = 0;
    while (at !== last) {
      const { event, data } = await this.next();
      if (event === "gap") {
        gaps++;
        if (at !== null) at += (data as Gap).lost!;
      } else {
        if (at !== null) assertEquals(data, at + 1);
        at = data as number;
      }
    }
    return gaps;
  }

  /** Whether the subscription ends; it must have nothing more to read. */
  async ends(): Promise<boolean> {
    return !await this.#more();
  }

  /** Leaves. */
  async leave(): Promise<void> {
    await this.#items.return!();
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#items.next();
    if (done) return false;
    const lines = textOf(value, ndjson).split("\n").slice(0, -1);
    this.#records.push(...lines.map((line) => JSON.parse(line)));
    return true;
  }
}

/** An item as it is written. */
function textOf(item: StreamItem, format: Format): string {
  if (item instanceof CursorAt) return format.start(item.id);
  return item instanceof Encoded ? new TextDecoder().decode(item.bytes) : format.event(item);
}

/** Everything in a channel up to and with the event of cursor `last`, as it is written in the format. */
async function written(store: ChannelStore, name: string, format: Format, last: string): Promise<string> {
  const { signal } = new AbortController();
  let all = "";
  for await (const item of store.subscribe(name, { after: "0", format, signal })) {
    all += textOf(item, format);
    if (all.endsWith(last)) break;
  }
  return all;
}

const wide: HistoryLimits = { channelEvents: 2_000, channelBytes: 4_194_304 };
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** Tests that a store does what {@linkcode ChannelStore} says. */
export function channelStoreContract(name: string, { make, future, ignore = false }: StoreUnderTest): void {
  /** A store, and a channel of it that nobody else uses; closed at the end. */
  async function setUp(limits: Partial<HistoryLimits> = {}) {
    const store = await make({ ...wide, ...limits });
    const stop = new AbortController();
    const { signal } = stop;
    const channel = `test-${crypto.randomUUID()}`;
    return {
      store,
      channel,
      stop,
      post: async (...values: unknown[]) =>
        await store.publish(channel, values.map((value) => valueOf(value))),
      read: (after?: string, from = channel) =>
        new Subscription(store.subscribe(from, { after, format: ndjson, signal })),
      async [Symbol.asyncDispose]() {
        stop.abort();
        await store.close();
        // What was due at the end of the turn finds everything closed.
        await new Promise<void>(endOfTurn);
      },
    };
  }
  type SetUp = Awaited<ReturnType<typeof setUp>>;

  const test = (
    sentence: string,
    limits: Partial<HistoryLimits>,
    run: (it: SetUp, step: Deno.TestContext) => Promise<void>,
  ) =>
    Deno.test(`${name}: ${sentence}`, { ignore }, async (step) => {
      await using it = await setUp(limits);
      await run(it, step);
    });

  test("the list has each channel with what it retains, by name", { channelEvents: 2 }, async (it) => {
    const { store, channel, post } = it;
    await post(1);
    const last = await post(2, 3);
    await store.publish(`${channel}-0`, [valueOf(1)]);
    const listed = (await store.list()).filter(({ name }) => name.startsWith(channel));
    assertEquals(listed.map(({ name, events }) => [name, events]), [[channel, 2], [`${channel}-0`, 1]]);
    assertEquals(listed[0].last, last);
  });

  test(
    "a channel that has only a subscriber has no last event in the list, and this reader where that is known",
    {},
    async ({ store, channel, read }) => {
      await read().joined();
      const listed = (await store.list()).filter(({ name }) => name === channel);
      const readers = listed[0].readers === null ? null : 1;
      assertEquals(listed, [{ name: channel, events: 0, last: null, readers }]);
    },
  );

  test(
    "a post with a key that the channel has had is published once, and gets the same id",
    {},
    async (it) => {
      const { store, channel, post, read } = it;
      const value = [valueOf("once")];
      const ids = await Promise.all([1, 2].map(() => store.publish(channel, value, "key")));
      await post("between");
      ids.push(await store.publish(channel, value, "key"));
      assertEquals(new Set(ids).size, 1);
      await store.publish(channel, [valueOf("other")], "another key");
      await store.publish(`${channel}-0`, value, "key");
      assertEquals(await read("0").values(3), ["once", "between", "other"]);
      assertEquals(await read("0", `${channel}-0`).values(1), ["once"]);
    },
  );

  test("a key that came with other values is 422, and nothing is published", {}, async (it) => {
    const { store, channel, post, read } = it;
    await store.publish(channel, [valueOf(1), valueOf(2)], "key");
    for (const values of [[1], [1, 3], [1, 2, 3], ["1\n2"]]) {
      const repeated = async () => await store.publish(channel, values.map((value) => valueOf(value)), "key");
      assertEquals((await assertRejects(repeated, HttpError)).status, 422);
    }
    await post("after");
    assertEquals(await read("0").values(3), [1, 2, "after"]);
    assertEquals(store.fault, null);
  });

  test(
    "a post that is refused does not use up its key",
    { channelEvents: 2 },
    async ({ store, channel, read }) => {
      const values = [1, 2, 3].map(valueOf);
      await assertRejects(async () => await store.publish(channel, values, "key"), HttpError);
      await store.publish(channel, values.slice(1), "key");
      assertEquals(await read("0").values(2), [2, 3]);
    },
  );

  test("a subscriber gets what is published after it has joined", {}, async ({ post, read }) => {
    await post("before");
    const reader = await read().joined();
    const id = await post("after");
    assertEquals(await reader.next(), { id, data: "after" });
  });

  test("a subscriber may come before the first event", {}, async ({ post, read }) => {
    const reader = await read().joined();
    await post("first");
    assertEquals(await reader.values(1), ["first"]);
  });

  test("events come in order, each once", {}, async ({ post, read }) => {
    const reader = await read().joined();
    const all = reader.values(1_500);
    for (let n = 0; n < 1_500; n += 3) await post(n, n + 1, n + 2);
    assertEquals(await all, numbers(0, 1_500));
  });

  test("posts under way at once do not mix", {}, async ({ post, read }) => {
    await Promise.all(numbers(0, 20).map((n) => post(...Array(10).fill(n))));
    const values = await read("0").values(200);
    for (const n of numbers(0, 20)) assertEquals(new Set(values.slice(n * 10, n * 10 + 10)).size, 1);
  });

  test("a cursor goes on exactly after its event", {}, async ({ post, read }) => {
    const first = await post("a");
    const last = await post("b", "c");
    assertEquals(await read(first).values(2), ["b", "c"]);
    const end = await read(last).joined();
    await post("d");
    assertEquals(await end.values(1), ["d"]);
  });

  test('"0" is before the oldest retained event', { channelEvents: 3 }, async ({ post, read }) => {
    for (const n of numbers(0, 10)) await post(n);
    assertEquals(await read("0").values(3), [7, 8, 9]);
  });

  test("an evicted cursor gets a gap that counts", { channelEvents: 3 }, async ({ post, read }) => {
    const after = await post(0);
    for (const n of numbers(1, 6)) await post(n);
    const reader = read(after);
    const { next, ...gap } = await reader.gap();
    assertEquals(gap, { after, lost: 2 });
    const { id, data } = await reader.next();
    assertEquals([id, data], [next!, 3]);
    assertEquals(await reader.values(2), [4, 5]);
  });

  test("a cursor that cannot be followed gets a gap without a count", {}, async (it, step) => {
    await using other = await setUp();
    const id = await it.post("retained");
    const sibling = await it.store.publish(`${it.channel}-other`, [valueOf("there")]);
    const table = ["garbage", "", "1", "x".repeat(500), `${id}-1`, future(id), await other.post("elsewhere")]
      .concat(sibling);
    for (const after of table) {
      await step.step(after.slice(0, 40), async () => {
        const reader = it.read(after);
        assertEquals(await reader.gap(), { after: after.slice(0, 128), next: id, lost: null });
        assertEquals(await reader.values(1), ["retained"]);
      });
    }
  });

  test("after a gap on an empty channel nothing is lost", {}, async ({ post, read }) => {
    const reader = read("gone");
    assertEquals(await reader.gap(), { after: "gone", next: null, lost: null });
    await post("first");
    assertEquals(await reader.values(1), ["first"]);
  });

  test("a gap that nothing follows has a cursor to come back with", {}, async ({ post, read }) => {
    const stays = await read().joined();
    const reader = read("gone");
    const { id, event } = await reader.next();
    assertEquals(event, "gap");
    await reader.leave();
    await post("missed");
    assertEquals(await read(id).values(1), ["missed"]);
    await stays.leave();
  });

  test("a start record has a cursor to come back with", {}, async ({ store, channel, post, read, stop }) => {
    let start = "";
    for await (const item of store.subscribe(channel, { format: sse, signal: stop.signal })) {
      start = textOf(item, sse);
      break;
    }
    const cursor = /^id: (.+)\n/.exec(start)![1];
    assertEquals(start, sse.start(cursor));
    await post("missed");
    assertEquals(await read(cursor).values(1), ["missed"]);
  });

  test("a reader that is too slow gets gaps that count", { channelEvents: 10 }, async ({ post, read }) => {
    await post(0);
    const reader = await read("0").joined();
    for (const n of numbers(1, 501)) await post(n);
    assert(await reader.follow(500) > 0);
  });

  test(
    "replay and live neither lose nor repeat, whenever a reader joins",
    { channelEvents: 200 },
    async (it) => {
      const readers: Promise<number>[] = [];
      const last = 1_199;
      let id = "0";
      for (const n of numbers(0, last + 1)) {
        if (n % 37 === 0) readers.push(...["0", id, undefined].map((after) => it.read(after).follow(last)));
        id = await it.post(n);
        if (n % 11 === 0) await new Promise<void>(endOfTurn);
      }
      await Promise.all(readers);
    },
  );

  test("many subscribers in every format get the same events", {}, async ({ store, channel, post }) => {
    const first = await post("two\nlines", 1);
    const readers = numbers(0, 60).map((i) => {
      const format = [text, ndjson, sse][i % 3];
      return written(store, channel, format, format.event({ data: "end" }).slice(-8));
    });
    const second = await post({ a: 1 });
    const third = await post("end");
    const events = [{ id: first, data: 1 }, { id: second, data: { a: 1 } }, { id: third, data: "end" }];
    for (const [i, all] of (await Promise.all(readers)).entries()) {
      const format = [text, ndjson, sse][i % 3];
      assertStringIncludes(all, events.map((event) => format.event(event)).join(""));
    }
  });

  test("a posted number keeps its digits", {}, async ({ store, channel }) => {
    await store.publish(channel, [valueOfJson('{"n": 12345678901234567890}'), valueOf("end")]);
    assertStringIncludes(await written(store, channel, text, "end\n"), '{"n": 12345678901234567890}\nend\n');
  });

  test("one channel has nothing of another", {}, async ({ store, channel, post, read }) => {
    const reader = await read().joined();
    await store.publish(`${channel}-other`, [valueOf("there")]);
    await post("here");
    assertEquals(await reader.values(1), ["here"]);
  });

  test("a subscriber that leaves takes no other along", {}, async ({ post, read }) => {
    const [stays, leaves] = await Promise.all([read().joined(), read().joined()]);
    await leaves.leave();
    assert(await leaves.ends());
    await post("after");
    assertEquals(await stays.values(1), ["after"]);
  });

  test("an abort ends a subscription that waits", {}, async ({ read, stop }) => {
    const reader = await read().joined();
    const ends = reader.ends();
    stop.abort();
    assert(await ends);
  });

  test("after close() an abort ends a subscription that waits", {}, async ({ store, post, read, stop }) => {
    const reader = await read().joined();
    await post("last");
    await reader.values(1);
    const ends = reader.ends();
    await store.close();
    stop.abort();
    assert(await ends);
  });

  test(
    "as many values as the history holds are taken at once",
    { channelEvents: 10 },
    async ({ post, read }) => {
      const reader = await read().joined();
      await post(...numbers(0, 10));
      assertEquals(await reader.values(10), numbers(0, 10));
    },
  );

  const refused = (
    sentence: string,
    limits: Partial<HistoryLimits>,
    values: unknown[],
    figures: number[],
  ) =>
    test(`${sentence} get 413 with both numbers, and none is published`, limits, async ({ post, read }) => {
      await post("retained");
      const error = await assertRejects(() => post(...values), HttpError);
      assertEquals(error.status, 413);
      assertEquals(error.message.match(/\d+/g)?.map(Number), figures);
      const reader = read("0");
      await post("next");
      assertEquals(await reader.values(2), ["retained", "next"]);
    });
  refused("more values than the history holds", { channelEvents: 10 }, numbers(0, 11), [10, 11]);
  refused("more bytes than the history holds", { channelBytes: 100 }, ["fine", "ü".repeat(48)], [100, 104]);
}
