import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { Limits } from "../../../lib/limits.ts";
import { Run } from "../../../lib/runs/run.ts";
import { share, type ShareOptions } from "../../../lib/runs/share.ts";
import { Runs } from "../../../lib/runs/runs.ts";
import type { RunsLimits, RunsOptions } from "../../../lib/runs/runs_options.ts";
import { afterOthers, endOfTurn } from "../../../lib/stream/clock.ts";
import { printReport, StreamEnd } from "../../../lib/stream/errors.ts";
import { cursorAt, Encoded, gap } from "../../../lib/stream/event.ts";
import { exchange } from "../../../lib/stream/exchange.ts";
import { ndjson } from "../../../lib/stream/formats/ndjson.ts";
import type { Source } from "../../../lib/stream/source.ts";
import { FakeClock } from "../../support/fake_clock.ts";

import { until } from "../../support/server.ts";
import { turns } from "../../support/turns.ts";

/** Runs, and requests for them as a `Deno.serve` of one's own would make them. */
function setUp(limits: Partial<RunsLimits> = {}, options: RunsOptions = {}) {
  const reports: string[] = [];
  const drain = new AbortController();
  const clock = new FakeClock();
  const report = (message: string, error?: unknown) => void reports.push(`${message}: ${error}`);
  const runs = new Runs(new Limits(limits), { report, clock, ...options });
  const responses: Response[] = [];
  const ask = async (name: string, source: Source, query = "format=ndjson", options?: ShareOptions) => {
    const request = new Request(`http://localhost/job?${query}`);
    const context = exchange(request, undefined, { draining: drain.signal, report });
    const response = await share(Object.assign(context, { runs }), name, source, options);
    responses.push(response);
    return response;
  };
  /** Stops the runs, and leaves the responses that were not read. */
  const stop = async () => {
    await runs.close();
    for (const { body, bodyUsed } of responses) if (!bodyUsed) await body?.cancel();
  };
  return {
    runs,
    reports,
    drain,
    clock,
    ask,
    text: async (...asked: Parameters<typeof ask>) => await (await ask(...asked)).text(),
    status: async (...asked: Parameters<typeof ask>) => {
      const response = await ask(...asked);
      await response.body?.cancel();
      return response.status;
    },
    data: async (...asked: Parameters<typeof ask>) =>
      (await (await ask(...asked)).text()).trim().split("\n").map((line) => JSON.parse(line).data),
    states: async () => Object.fromEntries((await runs.list()).map(({ name, state }) => [name, state])),
    [Symbol.asyncDispose]: stop,
  };
}

/** A source of these values, which counts how often it was started. */
function counted(...values: unknown[]) {
  const source = async function* () {
    source.starts++;
    yield* values;
  };
  source.starts = 0;
  return source;
}

/** A source of one event that then waits for its signal. */
const waiting: Source = async function* ({ signal }) {
  yield "begun";
  await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
};

const complete = { reason: "complete" };

Deno.test("two requests in the same turn make one run", async () => {
  await using it = setUp();
  const source = counted("a", "b");
  const both = [it.data("x", source), it.data("x", source)];
  assertEquals(await Promise.all(both), [["a", "b", complete], ["a", "b", complete]]);
  assertEquals(source.starts, 1);
});

Deno.test("the ids of a run are its own, and the names of its events the source's", async () => {
  await using it = setUp();
  const source = counted({ id: "7", event: "step", data: { n: 1 } }, cursorAt("8"), 2);
  const [first, second] = (await it.text("x", source)).split("\n").map((line) => JSON.parse(line || "null"));
  assertMatch(first.id, /^0pn2ue-[0-9a-f]{12}-1$/);
  assertEquals([first.event, first.data, second.data], ["step", { n: 1 }, 2]);
  assertEquals(second.id, first.id.replace(/1$/, "2"));
});

Deno.test("what a source changes after it has yielded it is not changed in its run", async () => {
  await using it = setUp();
  const source = async function* () {
    const value = { n: 1 };
    yield value;
    value.n++;
    yield value;
  };
  assertEquals(await it.data("x", source), [{ n: 1 }, { n: 2 }, complete]);
});

Deno.test("a piece of a longer text keeps nothing of the rest", async () => {
  await using it = setUp();
  const long = (i: number) => String(i).padEnd(100_000, "x");
  const before = Deno.memoryUsage().heapUsed;
  await it.text("x", async function* () {
    for (let i = 0; i < 1_000; i++) yield { event: long(i).slice(0, 30), data: long(i).slice(0, 30) };
  });
  // With the texts it would be 200 MB.
  assert(Deno.memoryUsage().heapUsed - before < 100_000_000);
  assertEquals((await it.runs.find("x")).events, 1_000);
});

Deno.test("a gap that a run's source yields is a gap in text", async () => {
  await using it = setUp();
  assertEquals(
    await it.text("x", counted(gap("a", null, 2), "b"), ""),
    '# gap after="a" next=null lost=2\nb\n',
  );
});

Deno.test("a run that has ended can be followed for its time, and is then forgotten", async () => {
  await using it = setUp({}, { keepRuns: 5 });
  const source = counted("a");
  await it.text("x", source);
  await it.clock.advance(4_999);
  assertEquals(await it.data("x", source), ["a", complete]);
  await it.clock.advance(1);
  assertEquals(await it.runs.list(), []);
  await it.text("x", source);
  assertEquals(source.starts, 2);
});

Deno.test("a run whose time is over stays until its last reader has left", async () => {
  await using it = setUp({}, { keepRuns: 0 });
  const response = await it.ask("x", counted("a"));
  await it.clock.advance(0);
  assertEquals(await it.states(), { x: "complete" });
  assertStringIncludes(await response.text(), '"data":"a"');
  await turns();
  assertEquals(await it.states(), {});
});

Deno.test("over the limit of runs the one that ended first gives way", async () => {
  await using it = setUp({ runs: 3 });
  await it.ask("live", waiting);
  await it.text("first", counted());
  await it.text("second", counted());
  await it.text("third", counted());
  assertEquals(await it.states(), { live: "running", second: "complete", third: "complete" });
});

Deno.test("when as many runs go on as may, one more is 503 with Retry-After, and starts nothing", async () => {
  await using it = setUp({ runs: 1 });
  await it.ask("x", waiting);
  const source = counted("a");
  const response = await it.ask("y", source);
  assertEquals([response.status, response.headers.get("retry-after")], [503, "1"]);
  await response.body?.cancel();
  assertEquals([source.starts, Object.keys(await it.states())], [0, ["x"]]);
  assertEquals(it.runs.running, 1);
});

Deno.test("over the bound of all runs those that have ended give way, the first before the others", async () => {
  await using it = setUp({ runsBytes: 2_000 });
  for (const name of ["a", "b", "c", "d"]) await it.text(name, counted("x".repeat(400)));
  assertEquals(Object.keys(await it.states()), ["b", "c", "d"]);
});

Deno.test("over the bound of all runs with none to give way, the largest loses its oldest events", async () => {
  await using it = setUp({ runsBytes: 3_000 });
  const going = (...values: unknown[]): Source =>
    async function* (wanted) {
      yield* values;
      yield* waiting(wanted);
    };
  await it.ask("small", going("stays"));
  await it.ask("large", going(...Array.from({ length: 100 }, (_, i) => [i, "x".repeat(100)])));
  await until(async () => (await it.runs.find("large")).events === 101);
  it.runs.delete("small");
  it.runs.delete("large");
  assertEquals(await it.data("small", waiting), ["stays", "begun", { reason: "cancelled" }]);
  const [{ lost }, [first]] = await it.data("large", waiting);
  assertEquals(first, lost);
  assert(lost > 80 && lost < 95);
});

Deno.test("a reader that comes too late for the first events of a long run gets a gap that counts", async () => {
  await using it = setUp({ runEvents: 10 });
  await it.text("x", counted(...Array(25).keys()));
  const [{ lost }, ...rest] = await it.data("x", counted());
  assertEquals([lost, rest], [15, [...Array(25).keys()].slice(15).concat(complete as never)]);
});

Deno.test("a reader of a run that is forgotten gets a gap, and its end", async () => {
  await using it = setUp();
  const response = await it.ask("x", counted("a", "b"));
  await turns();
  it.runs.delete("x");
  const [{ lost }, end] = (await response.text()).trim().split("\n").map((line) => JSON.parse(line).data);
  assertEquals([lost, end], [2, complete]);
});

Deno.test("a source that never waits leaves turns to others", async () => {
  await using it = setUp({ runEvents: 10 });
  let count = 0;
  await it.ask("x", async function* ({ signal }) {
    while (!signal.aborted) yield count++;
  });
  await turns();
  assert(count > 0);
  it.runs.delete("x");
  await new Promise<void>(afterOthers);
});

Deno.test("a run rests until the sockets have had a turn, however many turns of its own go by", async () => {
  let values = 0;
  const source: Source = async function* () {
    for (;;) yield values++;
  };
  const hooks = { report: printReport, grew() {}, hadShare: () => true, ended() {} };
  const run = new Run("x", { route: "/", params: {} }, source, { runEvents: 10, runBytes: 1_000 }, hooks);
  run.start();
  // Some sixty of these come before each look at the sockets.
  for (let turn = 0; turn < 1_000; turn++) await new Promise<void>(endOfTurn);
  assert(values > 0 && values < 200, String(values));
  run.cancel();
  await new Promise<void>(afterOthers);
});

Deno.test("a run that fails ends its readers with an error, and is reported once, by its name", async () => {
  await using it = setUp();
  let aborted = false;
  const source: Source = async function* ({ signal }) {
    signal.addEventListener("abort", () => aborted = true);
    yield "a";
    await turns();
    throw new Error("secret");
  };
  const error = { reason: "error" };
  assertEquals(await Promise.all([it.data("x", source), it.data("x", source)]), [["a", error], ["a", error]]);
  assertEquals(await it.data("x", source), ["a", error]);
  assertEquals([await it.states(), it.reports], [{ x: "failed" }, [
    "run x: its source failed: Error: secret",
  ]]);
  assertEquals(aborted, true);
});

for (
  const [what, value, message] of [
    ["bytes", new Uint8Array(1), "Cannot send bytes as JSON"],
    ["a block of records", new Encoded(new Uint8Array(1)), "Cannot share blocks of records"],
    ["a name with a line end", { event: "a\nb", data: 1 }, "holds a CR, LF or NUL"],
  ] as const
) {
  Deno.test(`a run that yields ${what} fails, with the reason`, async () => {
    await using it = setUp();
    assertEquals(await it.data("x", counted(value)), [{ reason: "error" }]);
    assertStringIncludes(it.reports.join(), message);
    assertEquals(it.reports.length, 1);
  });
}

Deno.test("a source that cannot be made fails its run", async () => {
  await using it = setUp();
  const source = () => {
    throw new Error("secret");
  };
  assertEquals(await it.data("x", source), [{ reason: "error" }]);
  assertEquals(await it.states(), { x: "failed" });
});

Deno.test("the end of a source's own stream is the run's", async () => {
  await using it = setUp();
  // deno-lint-ignore require-yield -- it ends before
  const source = async function* () {
    throw new StreamEnd("lost");
  };
  assertEquals(await it.data("x", source), [{ reason: "lost" }]);
  assertEquals([await it.states(), it.reports], [{ x: "failed" }, []]);
});

Deno.test("a cursor of an earlier run of the same name is lost", async () => {
  await using it = setUp();
  const { id } = JSON.parse((await it.text("x", counted("a", "b"))).split("\n")[0]);
  assertEquals(await it.data("x", counted(), `format=ndjson&after=${id}`), ["b", complete]);
  it.runs.delete("x");
  await it.text("x", counted("c"));
  assertEquals(await it.data("x", counted(), `format=ndjson&after=${id}`), [{ reason: "lost" }]);
});

Deno.test("a reader that has had everything but the end gets the end alone", async () => {
  await using it = setUp();
  const { id } = JSON.parse((await it.text("x", counted("a"))).split("\n")[0]);
  assertEquals(await it.data("x", counted(), `format=ndjson&after=${id}`), [complete]);
});

Deno.test("what is refused for its format or its name starts no run", async () => {
  await using it = setUp();
  const source = counted("a");
  assertEquals(await it.status("x", source, "format=xml"), 400);
  assertEquals(await it.status("a b", source), 400);
  assertEquals([source.starts, await it.runs.list()], [0, []]);
});

Deno.test("parameters that a request leaves out are the run's own", async () => {
  await using it = setUp();
  await it.text("x", counted("a"), "format=ndjson&n=3", { params: { n: 3, m: 1 } });
  const again = (query: string, n: number) => it.status("x", counted(), query, { params: { n, m: 1 } });
  assertEquals([await again("", 9), await again("n=3", 3), await again("n=9", 9)], [200, 200, 409]);
});

Deno.test("a run that is followed without a response ends with it", async () => {
  await using it = setUp();
  await it.text("x", counted("a"));
  const { signal } = new AbortController();
  const blocks = await Array.fromAsync(it.runs.follow("x")({ format: ndjson, signal }));
  assertEquals([blocks.length, (await it.runs.list())[0].readers], [2, 0]);
});

Deno.test("a run that is cancelled ends who follows it without a response by a StreamEnd", async () => {
  await using it = setUp();
  await it.ask("x", waiting);
  it.runs.delete("x");
  const { signal } = new AbortController();
  const end = await assertRejects(
    () => Array.fromAsync(it.runs.follow("x")({ format: ndjson, signal })),
    StreamEnd,
  );
  assertEquals([end.reason, (await it.runs.list())[0].readers], ["cancelled", 1]);
});

Deno.test("at the drain a run is told by its signal", async () => {
  await using it = setUp();
  let aborted = false;
  await it.ask("x", async function* ({ signal }) {
    signal.addEventListener("abort", () => aborted = true);
    yield* waiting({ format: ndjson, signal });
  });
  it.drain.abort();
  assertEquals([aborted, await it.states()], [true, { x: "cancelled" }]);
});

Deno.test("closing waits until each run has cleaned up", async () => {
  await using it = setUp();
  let clean = false;
  await it.ask("x", async function* (wanted) {
    try {
      yield* waiting(wanted);
    } finally {
      await turns();
      clean = true;
    }
  });
  await it.runs.close();
  assertEquals([clean, it.runs.running, it.reports], [true, 0, []]);
});
