import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { concurrentStreamOf } from "../../handlers/concurrent_stream.ts";
import { granted } from "../support/granted.ts";
import { serve, until } from "../support/server.ts";
import { open, route } from "../support/wire.ts";

const ignore = !granted.server;

interface Progress {
  task: string;
  step: number;
  steps: number;
}

async function progress(url: string): Promise<Progress[]> {
  const response = await fetch(`${url}&format=ndjson`);
  assertEquals(response.status, 200);
  const records = (await response.text()).trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(records.pop(), { event: "end", data: { reason: "complete" } });
  for (const record of records) assertEquals(Object.keys(record), ["data"]);
  return records.map(({ data }) => data);
}

Deno.test({
  name: "/concurrent_stream merges tasks as they happen, one event a step, and ends with the last",
  ignore,
  async fn() {
    await using server = await serve();
    const events = await progress(`${server.origin}/concurrent_stream?task=slow:2:200&task=quick:4:10`);
    assertEquals(events.filter(({ task }) => task === "slow").map(({ step, steps }) => [step, steps]), [[
      1,
      2,
    ], [2, 2]]);
    assertEquals(events.filter(({ task }) => task === "quick").map(({ step }) => step), [1, 2, 3, 4]);
    assertEquals(events.at(-1), { task: "slow", step: 2, steps: 2 });
    assertEquals(
      await (await fetch(`${server.origin}/concurrent_stream?task=a:b:1:0`)).text(),
      "task a:b: step 1 of 1\n",
    );
  },
});

Deno.test({
  name: "/concurrent_stream runs the default tasks when it is given none",
  ignore,
  async fn() {
    const handler = concurrentStreamOf([
      { name: "1", steps: 3, interval: 10 },
      { name: "2", steps: 3, interval: 100 },
    ]);
    await using server = await serve({ routes: [route("/", handler)] });
    const lines = (await (await fetch(server.origin)).text()).trimEnd().split("\n");
    assertEquals(
      lines.toSorted(),
      [1, 2].flatMap((task) => [1, 2, 3].map((n) => `task ${task}: step ${n} of 3`)),
    );
    assertEquals(lines.at(-1), "task 2: step 3 of 3");
  },
});

Deno.test({
  name: "by default /concurrent_stream begins two tasks of three steps at once, and then waits",
  ignore,
  async fn() {
    await using server = await serve();
    const reading = await open(`${server.origin}/concurrent_stream`);
    const first = ["task 1: step 1 of 3\n", "task 2: step 1 of 3\n"];
    await reading.until(first[0]);
    const begun = await reading.until(first[1]);
    assertEquals(begun.split(/(?<=\n)/).toSorted(), first);
    reading.leave();
    await until(() => server.server.bodies.size === 0);
  },
});

Deno.test({
  name: "/concurrent_stream runs 1,000 tasks, at most 50 at once, the others in their order",
  ignore,
  async fn() {
    await using server = await serve();
    const tasks = Array.from({ length: 1_000 }, (_, n) => `task=worker-${n + 1}:2:1`).join("&");
    const events = await progress(`${server.origin}/concurrent_stream?${tasks}`);
    assertEquals(events.length, 2_000);
    const begun = new Set<string>();
    let running = 0, most = 0;
    for (const { task, step } of events) {
      begun.add(task);
      if (step === 1) most = Math.max(most, ++running);
      else running--;
    }
    assertEquals(begun.size, 1_000);
    assert(most <= 50, `${most} at once`);
    assertEquals([...begun].slice(0, 50), Array.from({ length: 50 }, (_, n) => `worker-${n + 1}`));
  },
});

Deno.test({
  name: "steps without a wait are all there, too",
  ignore,
  async fn() {
    await using server = await serve();
    const events = await progress(`${server.origin}/concurrent_stream?task=a:20000:0&task=b:1:0`);
    assertEquals(
      events.filter(({ task }) => task === "a").map(({ step }) => step),
      Array.from({ length: 20_000 }, (_, n) => n + 1),
    );
    assert(events.findIndex(({ task }) => task === "b") < 100);
  },
});

const bad: [task: string, parts: string[]][] = [
  ["a", ["task must be NAME:STEPS:INTERVAL_MS", '"a"']],
  ["", ["task must be NAME:STEPS:INTERVAL_MS", '""']],
  ["a:1", ["task must be NAME:STEPS:INTERVAL_MS", '"a:1"']],
  ["a%0Ab:1:1", ["task must be NAME:STEPS:INTERVAL_MS", "no control characters"]],
  [":1:1", ["task must be NAME:STEPS:INTERVAL_MS", '":1:1"']],
  ["a:0:1", ["task must", "STEPS a whole number from 1 to 1000000", '"a:0:1"']],
  ["a:1000001:1", ["task must", "STEPS a whole number from 1 to 1000000", '"a:1000001:1"']],
  ["a:x:1", ["task must", "STEPS a whole number from 1 to 1000000", '"a:x:1"']],
  ["a:1:60001", ["task must", "INTERVAL_MS a whole number from 0 to 60000", '"a:1:60001"']],
  ["a:1:-1", ["task must", "INTERVAL_MS a whole number from 0 to 60000", '"a:1:-1"']],
  ["a:1:", ["task must", "INTERVAL_MS a whole number from 0 to 60000", '"a:1:"']],
];

Deno.test({
  name: "/concurrent_stream refuses a bad task with the rule and the value, and too many",
  ignore,
  async fn() {
    await using server = await serve();
    for (const [task, parts] of bad) {
      const response = await fetch(`${server.origin}/concurrent_stream?task=good:1:0&task=${task}`);
      assertEquals(response.status, 400);
      const { error } = await response.json();
      for (const part of parts) assertStringIncludes(error, part);
    }
    const many = await fetch(`${server.origin}/concurrent_stream?${"task=a:1:0&".repeat(1_001)}`);
    assertEquals([many.status, await many.json()], [400, {
      error: "task must be given at most 1000 times: current value is 1001",
    }]);
  },
});

Deno.test({
  name: "a client that leaves /concurrent_stream ends its tasks, those that wait for a permit as well",
  ignore,
  async fn() {
    await using server = await serve({ limits: { tasks: 2 } });
    const tasks = Array.from({ length: 10 }, (_, n) => `task=${n}:9:60000`).join("&");
    const reading = await open(`${server.origin}/concurrent_stream?${tasks}`);
    await reading.until("task 1");
    reading.leave();
    await until(() => server.app.limits.streams.used === 0 && server.server.bodies.size === 0);
  },
});
