import { assertEquals } from "@std/assert";
import { granted } from "./support/granted.ts";
import { pair } from "./support/pair.ts";
import type { ServerProcess } from "./support/process.ts";
import { RedisServer, withoutRedis } from "./support/redis.ts";
import { until } from "./support/server.ts";
import { open } from "./support/wire.ts";

const ignore = !granted.run || withoutRedis;

/** A run of `count` steps, one each `ms`, in a process. */
const runOf = ({ origin }: ServerProcess, name: string, count: number, ms: number) =>
  `${origin}/concurrent_stream?task=a:${count}:${ms}&run=${name}&format=ndjson`;

const endOf = (text: string) => JSON.parse(text.trimEnd().split("\n").at(-1)!);

async function list({ origin }: ServerProcess): Promise<Record<string, unknown>[]> {
  return await (await fetch(`${origin}/runs`)).json();
}

async function remove({ origin }: ServerProcess, name: string): Promise<Record<string, unknown>> {
  return await (await fetch(`${origin}/runs/${name}`, { method: "DELETE" })).json();
}

/** Waits until a process knows that a run of another has ended. */
async function hasEnded(process: ServerProcess, name: string): Promise<void> {
  await until(async () => (await list(process)).some((run) => run.name === name && run.state === "complete"));
}

type Test = (first: ServerProcess, second: ServerProcess, redis: RedisServer) => Promise<void>;

/** A test of two processes with one Redis. */
function test(name: string, fn: Test): void {
  Deno.test({
    name,
    ignore,
    async fn() {
      await using redis = await RedisServer.start();
      await using processes = await pair(["--redis", redis.url]);
      await fn(...processes.both, redis);
    },
  });
}

test("a run is followed in another process, by the same ids, and ends as it ends", async (first, second) => {
  const here = await open(runOf(first, "a", 5, 100));
  await here.until("\n");
  const there = await open(runOf(second, "a", 5, 100));
  const [one, other] = await Promise.all([here.rest(), there.rest()]);
  assertEquals(other, one);
  assertEquals(endOf(other).data, { reason: "complete" });
});

test("two starts at once in two processes make one run", async (first, second) => {
  const names = Array.from({ length: 20 }, (_, n) => `r${n}`);
  const text = async (process: ServerProcess, name: string) =>
    await (await fetch(runOf(process, name, 2, 20))).text();
  const read = await Promise.all(
    names.map((name) => Promise.all([text(first, name), text(second, name)])),
  );
  // The ids have the epoch of the run.
  for (const [one, other] of read) assertEquals(one, other);
  assertEquals((await list(first)).length, names.length);
});

test("of two starts at once with other parameters in two processes one is 409", async (first, second) => {
  const status = async (process: ServerProcess, name: string, count: number) => {
    const response = await fetch(runOf(process, name, count, 20));
    const text = await response.text();
    return response.ok ? endOf(text).data.reason : response.status;
  };
  for (let n = 0; n < 20; n++) {
    const both = [status(first, `r${n}`, 1), status(second, `r${n}`, 2)];
    assertEquals(new Set(await Promise.all(both)), new Set(["complete", 409]));
  }
});

test("a cursor of one process resumes in another, exactly", async (first, second) => {
  const here = await open(runOf(first, "a", 100, 5));
  const [line] = (await here.until("\n")).split("\n");
  here.leave();
  const all = await (await fetch(runOf(first, "a", 100, 5))).text();
  const rest = await (await fetch(`${runOf(second, "a", 100, 5)}&after=${JSON.parse(line).id}`)).text();
  assertEquals(line + "\n" + rest, all);
});

test(
  "DELETE in another process stops a run, and its readers everywhere get the end",
  async (first, second) => {
    const readers = [await open(runOf(first, "a", 9, 60_000)), await open(runOf(second, "a", 9, 60_000))];
    assertEquals((await remove(second, "a")).state, "cancelled");
    for (const reader of readers) assertEquals(endOf(await reader.rest()).data, { reason: "cancelled" });
  },
);

test(
  "DELETE in another process forgets a run that has ended, and its name is free",
  async (first, second) => {
    const before = await (await fetch(runOf(first, "a", 1, 0))).text();
    await remove(second, "a");
    for (const process of [first, second]) assertEquals(await list(process), []);
    const after = await (await fetch(runOf(second, "a", 1, 0))).text();
    assertEquals(before === after, false);
  },
);

test("each process lists the runs of all", async (first, second) => {
  for (const [name, process] of [["a", first], ["b", second], ["c", first]] as const) {
    await (await fetch(runOf(process, name, 1, 0))).text();
    for (const each of [first, second]) await hasEnded(each, name);
  }
  for (const process of [first, second]) {
    const all = (await list(process)).map(({ name, state, events }) => ({ name, state, events }));
    assertEquals(all, ["a", "b", "c"].map((name) => ({ name, state: "complete", events: 1 })));
  }
});

test("a run of another process is shown with what it was started with", async (first, second) => {
  await (await fetch(runOf(first, "a", 1, 0))).text();
  await hasEnded(second, "a");
  const [here, there] = await Promise.all(
    [first, second].map(async ({ origin }) => await (await fetch(`${origin}/runs/a`)).json()),
  );
  assertEquals(there, here);
});

test("other parameters than those of a run in another process are 409", async (first, second) => {
  await (await fetch(runOf(first, "a", 1, 0))).text();
  const response = await fetch(runOf(second, "a", 2, 0));
  const text = await response.text();
  assertEquals(response.status, 409);
  assertEquals(JSON.parse(text).error.startsWith("task must be"), true);
});

test(
  "while Redis hangs no run can be started, however long it takes to know that",
  async (first, second, redis) => {
    await redis.kill("SIGSTOP");
    for (let n = 0; n < 4; n++) {
      for (const format of ["text", "ndjson"]) {
        const response = await fetch(`${first.origin}/stream?request=false&run=r${n}&format=${format}`);
        assertEquals([response.status, await response.json()], [503, {
          error: "the store of channels is away",
        }]);
      }
    }
    assertEquals([first.stderr(), second.stderr()].join().includes("a stream failed"), false);
  },
);

test(
  "a killed process' run ends for its readers elsewhere as lost, within ten seconds",
  async (first, second) => {
    const here = await open(runOf(first, "a", 9, 60_000));
    await here.until("\n");
    const there = await open(runOf(second, "a", 9, 60_000));
    await there.until("\n");
    first.kill("SIGKILL");
    await here.rest().catch(() => {});
    let end: unknown;
    void there.rest().then((text) => end = endOf(text));
    await until(() => end !== undefined);
    assertEquals(end, { event: "end", data: { reason: "lost" } });
    assertEquals((await list(second)).map(({ state }) => state), ["lost"]);
  },
);

test(
  "a killed process' run that nobody follows is listed as lost, and its name can be freed",
  async (first, second) => {
    const here = await open(runOf(first, "a", 9, 60_000));
    await until(async () => (await list(second))[0]?.events === 1);
    first.kill("SIGKILL");
    await here.rest().catch(() => {});
    await until(async () => (await list(second))[0].state === "lost");
    assertEquals((await list(second))[0].events, 1);
    await remove(second, "a");
    assertEquals(await list(second), []);
  },
);

test("what is no run's name is 404, whatever Redis has there", async (first, second) => {
  await (await fetch(runOf(first, "a", 1, 0))).text();
  for (const name of ["a:lease", "b"]) {
    const response = await fetch(`${second.origin}/runs/${name}`);
    await response.body!.cancel();
    assertEquals(response.status, 404);
  }
});

test("a process that was stopped for longer than its lease ends its run, too", async (first, second) => {
  const here = await open(runOf(first, "a", 9, 60_000));
  await here.until("\n");
  const there = await open(runOf(second, "a", 9, 60_000));
  first.kill("SIGSTOP");
  assertEquals(endOf(await there.rest()).data, { reason: "lost" });
  first.kill("SIGCONT");
  assertEquals(endOf(await here.rest()).data, { reason: "lost" });
});

test(
  "while Redis is away a run goes on, and readers elsewhere get the rest when it is back",
  async (first, second, redis) => {
    const here = await open(runOf(first, "a", 40, 50));
    await here.until("\n");
    const there = await open(runOf(second, "a", 40, 50));
    await there.until("\n");
    await redis.kill();
    const whole = await here.rest();
    await redis.start();
    assertEquals(await there.rest(), whole);
  },
);

test(
  "a reader that comes to another process with a cursor while Redis is away waits for it",
  async (first, second, redis) => {
    const here = await open(runOf(first, "a", 30, 50));
    const [line] = (await here.until("\n")).split("\n");
    await redis.kill();
    const health = async () => (await (await fetch(`${second.origin}/healthz`)).json()).status;
    await until(async () => await health() === "degraded");
    const there = await open(`${runOf(second, "a", 30, 50)}&after=${JSON.parse(line).id}`);
    assertEquals(there.response.status, 200);
    await redis.start();
    assertEquals(`${line}\n${await there.rest()}`, await here.rest());
  },
);

test("a run whose keys are gone from Redis is written there again", async (first, second, redis) => {
  const here = await open(runOf(first, "a", 60, 50));
  await here.until("\n");
  await redis.ask("FLUSHALL");
  const whole = await here.rest();
  assertEquals(await (await fetch(runOf(second, "a", 60, 50))).text(), whole);
});

test("at the drain readers in another process get the end of what was cancelled", async (first, second) => {
  const here = await open(runOf(first, "a", 9, 60_000));
  await here.until("\n");
  const there = await open(runOf(second, "a", 9, 60_000));
  await there.until("\n");
  first.kill("SIGTERM");
  assertEquals(endOf(await there.rest()).data, { reason: "cancelled" });
  await here.rest();
});

test("/events waits for a run, and finds the one that another process starts", async (first, second) => {
  const events = await open(`${second.origin}/events?run=a&format=ndjson`);
  await events.until("absent");
  await (await fetch(runOf(first, "a", 2, 0))).text();
  assertEquals((await events.rest()).includes('"step":2'), true);
});

Deno.test({
  name: "the README's ACL line is enough for runs",
  ignore,
  async fn() {
    const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
    await using redis = await RedisServer.start();
    await redis.ask(/^ACL SETUSER weir .*$/m.exec(readme)![0].replace("PASSWORD", "secret"));
    const url = redis.url.replace("//", "//weir:secret@");
    await using processes = await pair(["--keep-runs", "0", "--redis", url]);
    const [first, second] = processes.both;
    const here = await open(runOf(first, "a", 9, 60_000));
    const there = await open(runOf(second, "a", 9, 60_000));
    await there.until("\n");
    assertEquals((await remove(second, "a")).state, "cancelled");
    await Promise.all([here.rest(), there.rest()]);
    // Forgotten, and so out of the list.
    await until(async () => (await list(second)).length === 0);
    assertEquals([first.stderr(), second.stderr()], ["", ""]);
  },
});

test("a run of twenty thousand events is the same in another process", async (first, second) => {
  const tasks = Array.from({ length: 50 }, (_, n) => `task=t${n}:400:0`).join("&");
  const url = ({ origin }: ServerProcess) => `${origin}/concurrent_stream?${tasks}&run=big&format=ndjson`;
  const whole = await (await fetch(url(first))).text();
  assertEquals(await (await fetch(url(second))).text() === whole, true);
});
