import { assertEquals } from "@std/assert";
import { type Counts, type Listed, Overview } from "../../lib/overview.ts";
import { HttpError } from "../../lib/stream/errors.ts";
import { ndjson } from "../../lib/stream/formats/ndjson.ts";
import { Subscription } from "../support/channel_store_contract.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { turns } from "../support/turns.ts";

interface Seen {
  counts: Counts;
  lists: Record<string, Listed[]>;
}

/** A server that is as the test says, by a clock that stands still. */
function server() {
  const clock = new FakeClock();
  const reports: string[] = [];
  let looks = 0;
  let counts: Counts = { streams: 1 };
  let lists: Seen["lists"] | Error | Promise<never> = { channels: [{ name: "a" }], runs: [] };
  const list = async (name: string) => {
    const now = await lists;
    if (now instanceof Error) throw now;
    return now[name];
  };
  const overview = new Overview(
    () => counts,
    { channels: () => (looks++, list("channels")), runs: () => list("runs") },
    (message) => reports.push(message),
    clock,
  );
  const read = (after?: string) => {
    const stop = new AbortController();
    const items = overview.source({ after, format: ndjson, signal: stop.signal });
    const reader = new Subscription(items as ConstructorParameters<typeof Subscription>[0]);
    const leave = async () => {
      stop.abort();
      await turns();
    };
    return { next: () => reader.next(), leave };
  };
  return {
    clock,
    overview,
    read,
    reports,
    become(change: { counts?: Counts; lists?: Seen["lists"] | Error | Promise<never> }) {
      counts = change.counts ?? counts;
      lists = change.lists ?? lists;
    },
    get looks() {
      return looks;
    },
  };
}

Deno.test("a reader of the server gets its lists and counts, then a count that has changed", async () => {
  const { read, become, clock } = server();
  const { next, leave } = read();
  const lists = await next();
  assertEquals([lists.event, lists.data], ["lists", { channels: [{ name: "a" }], runs: [] }]);
  const counts = await next();
  assertEquals([counts.event, counts.data], ["counts", { streams: 1 }]);
  become({ counts: { streams: 2 } });
  await clock.advance(1_000);
  const { event, data } = await next();
  assertEquals([event, data], ["counts", { streams: 2 }]);
  await leave();
});

Deno.test("what has changed in the lists comes by itself: what is new, other or gone", async () => {
  const { read, become, clock } = server();
  const { next, leave } = read();
  await next(), await next();
  become({ lists: { channels: [{ name: "b" }], runs: [{ name: "r" }] } });
  await clock.advance(1_000);
  assertEquals((await next()).data, {
    channels: { added: [{ name: "b" }], removed: ["a"] },
    runs: { added: [{ name: "r" }], removed: [] },
  });
  const ended = { name: "r", state: "complete" };
  become({ lists: { channels: [{ name: "b" }], runs: [ended] } });
  await clock.advance(1_000);
  const { event, data } = await next();
  assertEquals([event, data], ["changes", { runs: { added: [ended], removed: [] } }]);
  await leave();
});

Deno.test("nothing comes where nothing has changed", async () => {
  const { read, become, clock } = server();
  const { next, leave } = read();
  await next(), await next();
  await clock.advance(5_000);
  become({ counts: { streams: 3 } });
  await clock.advance(1_000);
  assertEquals((await next()).data, { streams: 3 });
  await leave();
});

Deno.test("the server is looked at once a second for all readers, and not when there are none", async () => {
  const it = server();
  const readers = [it.read(), it.read(), it.read()];
  for (const { next } of readers) await next(), await next();
  assertEquals(it.looks, 1);
  await it.clock.advance(3_000);
  assertEquals(it.looks, 4);
  for (const reader of readers) {
    const waits = reader.next().catch(() => {});
    await turns();
    await reader.leave();
    await waits;
  }
  await it.clock.advance(3_000);
  assertEquals([it.looks, it.clock.waiting], [4, 0]);
});

Deno.test("a reader that comes back gets what has changed meanwhile", async () => {
  const { read, become, clock } = server();
  const { next, leave } = read();
  await next();
  const { id } = await next() as { id?: string };
  const waits = next().catch(() => {});
  await turns();
  await leave();
  await waits;
  become({ counts: { streams: 9 } });
  const again = read(id);
  const { event, data } = await again.next();
  assertEquals([event, data], ["counts", { streams: 9 }]);
  await clock.advance(0);
  await again.leave();
});

Deno.test("a cursor of another server's is answered with all there is", async () => {
  const { read } = server();
  const { next, leave } = read("abcdef-0123456789ab-7");
  assertEquals([(await next()).event, (await next()).event], ["lists", "counts"]);
  await leave();
});

Deno.test("a look that fails is reported once, and the next one goes on", async () => {
  const { read, become, clock, reports } = server();
  const { next, leave } = read();
  await next(), await next();
  become({ lists: new Error("inside") });
  await clock.advance(3_000);
  assertEquals(reports, ["looking at the server failed"]);
  become({ counts: { streams: 4 }, lists: { channels: [{ name: "a" }], runs: [] } });
  await clock.advance(1_000);
  assertEquals((await next()).data, { streams: 4 });
  await leave();
});

Deno.test("counts come while the lists cannot be had, and these a second after they can, unreported", async () => {
  const { read, become, clock, reports } = server();
  const { next, leave } = read();
  await next(), await next();
  const away = Promise.withResolvers<never>();
  become({ counts: { streams: 2 }, lists: away.promise });
  await clock.advance(1_000);
  assertEquals((await next()).data, { streams: 2 });
  become({ counts: { streams: 3 } });
  await clock.advance(8_000);
  assertEquals((await next()).data, { streams: 3 });
  become({ lists: { channels: [{ name: "b" }], runs: [] } });
  away.reject(new HttpError(503, "the store of channels is away"));
  await clock.advance(1_000);
  assertEquals((await next()).data, { channels: { added: [{ name: "b" }], removed: ["a"] } });
  assertEquals(reports, []);
  await leave();
});

Deno.test("a look that has waited is followed by no long rest", async () => {
  const { read, become, clock } = server();
  const { next, leave } = read();
  await next(), await next();
  const late = Promise.withResolvers<never>();
  become({ lists: late.promise });
  await clock.advance(3_000);
  late.resolve({ channels: [], runs: [] } as never);
  await clock.advance(0);
  assertEquals((await next()).data, { channels: { added: [], removed: ["a"] } });
  become({ lists: { channels: [{ name: "b" }], runs: [] } });
  await clock.advance(1_000);
  assertEquals((await next()).data, { channels: { added: [{ name: "b" }], removed: [] } });
  await leave();
});

Deno.test("a list that cannot be had at first is left out, and comes as a change", async () => {
  const { read, become, clock } = server();
  become({ lists: new HttpError(503, "away") });
  const { next, leave } = read();
  assertEquals([(await next()).data, (await next()).data], [{}, { streams: 1 }]);
  become({ lists: { channels: [{ name: "a" }], runs: [] } });
  await clock.advance(1_000);
  assertEquals((await next()).data, { channels: { added: [{ name: "a" }], removed: [] } });
  await leave();
});

Deno.test("readers hear that the server drains", async () => {
  const { overview, read } = server();
  const { next, leave } = read();
  await next(), await next();
  await overview.drain();
  assertEquals((await next()).data, { streams: 1, draining: true });
  await leave();
});
