import { assertEquals } from "@std/assert";
import { MemoryChannel } from "../../../lib/channels/memory_channel.ts";
import { Subscriber } from "../../../lib/channels/subscriber.ts";
import { valueOf } from "../../../lib/channels/value.ts";
import { Limits } from "../../../lib/limits.ts";
import { ndjson } from "../../../lib/stream/formats/ndjson.ts";
import { Subscription } from "../../support/channel_store_contract.ts";

/** A channel of four events whose tags are theirs, and a reader of some tags. */
function setUp() {
  const channel = new MemoryChannel(new Limits({ channelEvents: 4 }));
  const stop = new AbortController();
  return {
    post: (tag: string, value: number) => channel.publish([valueOf(value)], tag),
    read: (tag: string, after: string) => {
      const wanted = { after, format: ndjson, signal: stop.signal, tags: new Set([tag]) };
      return new Subscription(new Subscriber(wanted, () => channel, () => {}));
    },
    [Symbol.dispose]() {
      stop.abort();
      channel.close();
    },
  };
}

Deno.test("a reader with tags gets their events alone", async () => {
  using it = setUp();
  it.post("a", 1);
  it.post("b", 2);
  it.post("a", 3);
  const reader = it.read("a", "0");
  assertEquals(await reader.values(2), [1, 3]);
  it.post("b", 4);
  it.post("a", 5);
  assertEquals(await reader.values(1), [5]);
});

Deno.test("evicted events of other tags are no gap", async () => {
  using it = setUp();
  const after = it.post("a", 1);
  for (let i = 2; i < 20; i++) it.post("b", i);
  it.post("a", 20);
  assertEquals(await it.read("a", after).values(1), [20]);
});

Deno.test("evicted events of its own tags are a gap without a count", async () => {
  using it = setUp();
  const after = it.post("a", 1);
  for (let i = 2; i < 20; i++) it.post("b", i);
  const reader = it.read("b", after);
  assertEquals((await reader.gap()).lost, null);
  assertEquals(await reader.values(4), [16, 17, 18, 19]);
});

Deno.test("a reader with tags that is too slow gets a gap", async () => {
  using it = setUp();
  it.post("a", 1);
  const reader = it.read("a", "0");
  assertEquals(await reader.values(1), [1]);
  for (let i = 2; i < 14; i++) it.post(i % 2 === 0 ? "a" : "b", i);
  assertEquals((await reader.gap()).lost, null);
  assertEquals(await reader.values(2), [10, 12]);
});
