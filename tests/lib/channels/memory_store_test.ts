import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { MemoryStore, type MemoryStoreLimits } from "../../../lib/channels/memory_store.ts";
import { valueOf, valueOfJson } from "../../../lib/channels/value.ts";
import { Limits } from "../../../lib/limits.ts";
import { HttpError } from "../../../lib/stream/errors.ts";
import { ndjson } from "../../../lib/stream/formats/ndjson.ts";
import { channelStoreContract, Subscription } from "../../support/channel_store_contract.ts";

channelStoreContract("MemoryStore", {
  make: (limits) => new MemoryStore(new Limits(limits)),
  future: (cursor) => cursor.replace(/\d+$/, (number) => String(Number(number) + 1)),
});

/** A store, and what uses its channels by name. */
function setUp(limits: Partial<MemoryStoreLimits> = {}) {
  const store = new MemoryStore(new Limits(limits));
  const stop = new AbortController();
  const { signal } = stop;
  return {
    post: (name: string, ...values: unknown[]) => store.publish(name, values.map((value) => valueOf(value))),
    postJson: (name: string, json: string) => store.publish(name, [valueOfJson(json)]),
    read: (name: string, after?: string) =>
      new Subscription(store.subscribe(name, { after, format: ndjson, signal })),
    [Symbol.dispose]() {
      stop.abort();
      store.close();
    },
  };
}

Deno.test("an id is a tag of the name, the epoch and a number that grows by one", () => {
  using it = setUp();
  assertMatch(it.post("x", "a"), /^0pn2ue-[0-9a-f]{12}-1$/);
  assertMatch(it.post("x", "b", "c"), /^0pn2ue-[0-9a-f]{12}-3$/);
});

Deno.test("the history is bounded by bytes", async () => {
  using it = setUp({ channelBytes: 100 });
  for (let i = 0; i < 50; i++) it.post("x", String(i).padStart(28, "0"));
  assertEquals((await it.read("x", "0").values(3)).map(Number), [47, 48, 49]);
});

Deno.test("over the bound of all channels the largest history is evicted from", async () => {
  using it = setUp({ channelsBytes: 10_200 });
  it.post("small", "stays");
  for (let i = 0; i < 100; i++) it.post("large", [i, "x".repeat(496)]);
  assertEquals(await it.read("small", "0").values(1), ["stays"]);
  const retained = await it.read("large", "0").values(15) as [number, string][];
  assertEquals(retained.map(([i]) => i), Array.from({ length: 15 }, (_, i) => 85 + i));
});

Deno.test("over the limit of channels the least recently published one without subscribers is evicted", async () => {
  using it = setUp({ channels: 3 });
  it.post("read", 0);
  it.post("first", 1);
  it.post("second", 2);
  it.post("first", 3);
  await it.read("read").joined();
  it.post("new", 4);
  assertEquals(await it.read("first", "0").values(2), [1, 3]);
  assertEquals((await it.read("second", "gone").gap()).next, null);
});

Deno.test("when every channel has subscribers, one more is 503", async () => {
  using it = setUp({ channels: 1 });
  await it.read("x").joined();
  assertEquals((await assertRejects(() => it.read("y").joined(), HttpError)).status, 503);
  assertEquals(assertThrows(() => it.post("y", 1), HttpError).status, 503);
});

Deno.test("a channel without events goes with its last subscriber", async () => {
  using it = setUp({ channels: 2 });
  it.post("full", "retained");
  const reader = await it.read("empty").joined();
  await reader.leave();
  // There is room for one more, so the one with a history is not evicted.
  it.post("new", 1);
  assertEquals(await it.read("full", "0").values(1), ["retained"]);
});

Deno.test("a post that is refused evicts no channel", async () => {
  using it = setUp({ channels: 1, channelBytes: 100 });
  it.post("x", "retained");
  assertThrows(() => it.post("y", "x".repeat(100)), HttpError);
  assertEquals(await it.read("x", "0").values(1), ["retained"]);
});

Deno.test("a channel that was evicted comes back in another epoch", async () => {
  using it = setUp({ channels: 1 });
  const cursor = it.post("x", "gone");
  it.post("y", 1);
  it.post("x", "new");
  assertEquals((await it.read("x", cursor).gap()).lost, null);
});

Deno.test("a small event out of a large body keeps nothing of the rest", async () => {
  using it = setUp();
  const before = Deno.memoryUsage();
  for (let i = 0; i < 200; i++) {
    const body = String(i).padEnd(30, "x") + " ".repeat(1_000_000);
    it.postJson("x", JSON.stringify(body.slice(0, 30)) + body.slice(30));
  }
  // With the bodies it would be 200 MB.
  const after = Deno.memoryUsage();
  assert(after.heapUsed + after.external - before.heapUsed - before.external < 100_000_000);
  assertEquals((await it.read("x", "0").values(200)).length, 200);
});
