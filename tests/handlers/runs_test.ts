import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Route } from "../../lib/handler.ts";
import { share } from "../../lib/runs/share.ts";
import type { Source } from "../../lib/stream/source.ts";
import { weirRoutes as routes } from "../../handlers/routes.ts";
import { granted } from "../support/granted.ts";
import { Lines } from "../support/lines.ts";
import { askFrom, serve, type TestServer, until } from "../support/server.ts";

const options = { ignore: !granted.server };
const killing = { ignore: !granted.server || !granted.run };

/** Steps without an outbound request, none of which waits. */
const quick = "count=3&interval=0&request=false";

async function list({ origin }: TestServer) {
  return await (await fetch(`${origin}/runs`)).json();
}

/** The data of the events of an NDJSON stream, from the start to its end. */
async function data(url: string, headers: Record<string, string> = {}): Promise<unknown[]> {
  const body = await (await fetch(url, { headers: { accept: "application/x-ndjson", ...headers } })).text();
  return body.trim().split("\n").map((line) => JSON.parse(line).data);
}

/** A job that says each word as the test says it, at `/job?run=NAME`. */
function job() {
  const waiting: (string | Error)[] = [];
  let more = () => {};
  let aborted = false;
  const source: Source = async function* ({ signal }) {
    signal.addEventListener("abort", () => (aborted = true, more()));
    while (!aborted) {
      const next = waiting.shift();
      if (next === undefined) await new Promise<void>((resolve) => more = resolve);
      else if (next instanceof Error) throw next;
      else if (next === "") return;
      else yield { word: next };
    }
  };
  const line = ({ data }: { data: { word: string } }) => `it says ${data.word}`;
  const route: Route = {
    method: "GET",
    path: "/job",
    handler: (_request, context) => share(context, context.query.get("run")!, source, { line }),
    description: "",
    example: "/job",
  };
  return {
    routes: [...routes, route],
    /** "" ends it. */
    say(word: string | Error) {
      waiting.push(word);
      more();
    },
    get aborted() {
      return aborted;
    },
  };
}

Deno.test("a run goes on when its first reader is killed, and the next gets all of it", killing, async () => {
  const { routes, say } = job();
  await using server = await serve({ routes });
  const url = `${server.origin}/job?run=x`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", `for await (const chunk of (await fetch("${url}")).body) Deno.stdout.write(chunk)`],
    stdout: "piped",
  }).spawn();
  const output = child.stdout.getReader();
  say("one");
  assertEquals(new TextDecoder().decode((await output.read()).value), "it says one\n");
  child.kill("SIGKILL");
  await child.status;
  await output.cancel();
  await until(async () => (await list(server))[0].readers === 0);
  for (const word of ["two", "three"]) say(word);
  await until(async () => (await list(server))[0].events === 3);
  say("");
  assertEquals(await (await fetch(url)).text(), "it says one\nit says two\nit says three\n");
});

Deno.test("two readers in two formats get everything from the start", options, async () => {
  const { routes, say } = job();
  await using server = await serve({ routes });
  const url = `${server.origin}/job?run=x`;
  await using text = await Lines.get(url);
  say("one");
  assertEquals(await text.next(), "it says one");
  await using sse = await Lines.get(`${url}&format=sse`);
  const start = (await sse.next())!;
  assertMatch(start, /^id: [0-9a-z]{6}-[0-9a-f]{12}-0$/);
  const prefix = start.slice(0, -1);
  say("two");
  say("");
  const rest = [];
  for (let line = await sse.next(); line !== null; line = await sse.next()) rest.push(line);
  assertEquals(rest, [
    "\r",
    `${prefix}1`,
    'data: {"word":"one"}',
    "",
    `${prefix}2`,
    'data: {"word":"two"}',
    "",
    "id: end",
    "event: end",
    'data: {"reason":"complete"}',
    "",
  ]);
  assertEquals([await text.next(), await text.next()], ["it says two", null]);
});

Deno.test("a run that has ended is replayed, from the start or after a cursor", options, async () => {
  await using server = await serve();
  const url = `${server.origin}/stream?run=x`;
  await data(`${url}&${quick}`);
  const steps = [1, 2, 3].map((step) => ({ step, result: step * 2 }));
  assertEquals(await data(url), [...steps, { reason: "complete" }]);
  const [{ id }] = (await (await fetch(`${url}&format=ndjson`)).text()).split("\n", 1).map((line) =>
    JSON.parse(line)
  );
  assertEquals(await data(url, { "Last-Event-ID": id }), [...steps.slice(1), { reason: "complete" }]);
  assertEquals((await list(server)).length, 1);
});

Deno.test("DELETE aborts the signal of a run, and its readers get the end", options, async () => {
  const it = job();
  await using server = await serve({ routes: it.routes });
  const url = `${server.origin}/job?run=x`;
  const readers = await Promise.all(
    ["text", "ndjson", "sse"].map((format) => fetch(`${url}&format=${format}`)),
  );
  const deleted = await fetch(`${server.origin}/runs/x`, { method: "DELETE" });
  assertEquals((await deleted.json()).state, "cancelled");
  const [text, ndjson, sse] = await Promise.all(
    readers.map((response) => response.text().catch(() => "cut")),
  );
  assertEquals(text, "cut");
  assertEquals(ndjson, '{"event":"end","data":{"reason":"cancelled"}}\n');
  assertStringIncludes(sse, 'id: end\nevent: end\ndata: {"reason":"cancelled"}\n\n');
  assertEquals(it.aborted, true);
  assertEquals(await data(url), [{ reason: "cancelled" }]);
});

Deno.test("DELETE forgets a run that has ended, and another can have its name", options, async () => {
  await using server = await serve();
  const url = `${server.origin}/stream?run=x`;
  await data(`${url}&${quick}`);
  const remove = () => fetch(`${server.origin}/runs/x`, { method: "DELETE" });
  assertEquals((await (await remove()).json()).state, "complete");
  assertEquals(await list(server), []);
  const again = await remove();
  assertEquals([again.status, (await again.json()).error], [
    404,
    'there is no run of this name: current value is "x"',
  ]);
  assertEquals((await data(`${url}&count=1&interval=0&request=false`)).length, 2);
});

Deno.test("a page of another site cannot stop a run", options, async () => {
  await using server = await serve();
  await data(`${server.origin}/stream?run=x&${quick}`);
  const headers = { origin: "https://other.example", "sec-fetch-site": "cross-site" };
  const response = await fetch(`${server.origin}/runs/x`, { method: "DELETE", headers });
  await response.body?.cancel();
  assertEquals([response.status, (await list(server)).length], [403, 1]);
});

Deno.test("after a restart a cursor is lost, and starts nothing", options, async (test) => {
  let id: string;
  {
    await using before = await serve();
    const body = await (await fetch(`${before.origin}/stream?run=x&format=ndjson&${quick}`)).text();
    id = JSON.parse(body.split("\n")[0]).id;
  }
  await using server = await serve();
  const url = `${server.origin}/stream?run=x&${quick}`;
  const headers = { "Last-Event-ID": id };
  for (
    const [format, expected] of [
      ["text", "cut"],
      ["ndjson", '{"event":"end","data":{"reason":"lost"}}\n'],
      ["sse", 'id: end\nevent: end\ndata: {"reason":"lost"}\n\n'],
    ]
  ) {
    await test.step(format, async () => {
      const response = await fetch(`${url}&format=${format}`, { headers });
      assertEquals([response.status, await response.text().catch(() => "cut")], [200, expected]);
    });
  }
  const after = await fetch(`${url}&format=ndjson&after=${id}`);
  assertStringIncludes(await after.text(), "lost");
  assertEquals(await list(server), []);
});

Deno.test("a HEAD, and what a page of another origin leads to, start no run", options, async () => {
  await using server = await serve();
  const url = `${server.origin}/stream?run=x&${quick}`;
  assertEquals((await fetch(url, { method: "HEAD" })).status, 200);
  const link = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  // What the page to sign in does by itself has no user: it may have been led to by a link.
  for (const site of ["cross-site", "same-site", "same-origin"]) {
    const refused = await fetch(url, { headers: { ...link, "sec-fetch-site": site } });
    const rule = "a page of another origin must not start a run";
    assertEquals([refused.status, (await refused.json()).error], [403, rule]);
  }
  assertEquals(await list(server), []);
  await data(url);
  assertEquals((await data(url, link)).length, 4);
});

Deno.test("a link on the server's own page starts a run", options, async () => {
  await using server = await serve();
  const link = { "sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate", "sec-fetch-user": "?1" };
  assertEquals((await data(`${server.origin}/stream?run=x&${quick}`, link)).length, 4);
});

Deno.test("a page of an allowed origin starts a run", options, async () => {
  await using server = await serve({ allowOrigins: ["https://app.example"] });
  const headers = { origin: "https://app.example", "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors" };
  assertEquals((await data(`${server.origin}/stream?run=x&${quick}`, headers)).length, 4);
});

Deno.test("other parameters than the run's own are 409, and name both", options, async (test) => {
  await using server = await serve();
  const at = (path: string) => `${server.origin}${path}`;
  await data(at(`/stream?run=x&${quick}`));
  await data(at("/concurrent_stream?run=y&task=a:1:0"));
  const table: [path: string, error: string][] = [
    ["/stream?run=x&count=4", "count must be 3, which the run x was started with: current value is 4"],
    [
      "/stream?run=x&request=1",
      "request must be false, which the run x was started with: current value is true",
    ],
    [
      "/concurrent_stream?run=y&task=a:1:0&task=b:1:0",
      'task must be ["a:1:0"], which the run y was started with: current value is ["a:1:0","b:1:0"]',
    ],
    [
      "/concurrent_stream?run=x",
      "the path must be /stream, which the run x was started with: current value is /concurrent_stream",
    ],
  ];
  for (const [path, error] of table) {
    await test.step(path, async () => {
      const response = await fetch(at(path));
      assertEquals([response.status, await response.json()], [409, { error }]);
    });
  }
  for (const path of [`/stream?run=x&${quick}`, "/stream?run=x&count=3", "/concurrent_stream?run=y"]) {
    await test.step(path, async () => {
      const response = await fetch(at(path));
      await response.body?.cancel();
      assertEquals(response.status, 200);
    });
  }
});

Deno.test("a run of tasks has their words in text", options, async () => {
  await using server = await serve();
  const response = await fetch(`${server.origin}/concurrent_stream?run=x&task=a:2:0`);
  assertEquals(await response.text(), "task a: step 1 of 2\ntask a: step 2 of 2\n");
});

Deno.test("a run's name is checked as a channel's is", options, async () => {
  await using server = await serve();
  for (const name of ["", "a%2Fb", ".hidden", "x".repeat(65)]) {
    const response = await fetch(`${server.origin}/stream?run=${name}&${quick}`);
    assertEquals(response.status, 400);
    assertStringIncludes((await response.json()).error, "a run's name must be 1 to 64 letters");
  }
});

Deno.test("with --client-share one client leaves runs to others", options, async () => {
  await using server = await serve({ clientShare: 25, limits: { runs: 4 } });
  const statuses = [];
  for (const [name, client] of [["a", "10.0.0.1"], ["b", "10.0.0.2"], ["c", "10.0.0.1"], ["d", "10.0.0.3"]]) {
    const response = await askFrom(
      client,
      server,
      `/stream?run=${name}&count=2&interval=60000&request=false`,
    );
    statuses.push(response.status);
    await response.body!.cancel();
  }
  assertEquals(statuses, [200, 200, 503, 200]);
});

Deno.test("the runs are listed with their state and readers, and counted", options, async () => {
  const it = job();
  await using server = await serve({ routes: it.routes });
  await data(`${server.origin}/stream?run=done&${quick}`);
  await using lines = await Lines.get(`${server.origin}/job?run=now`);
  it.say("one");
  await lines.next();
  const response = await fetch(`${server.origin}/runs`);
  assertEquals(response.headers.get("cache-control"), "no-store");
  const [done, now] = await response.json();
  assertMatch(done.started, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assertEquals(done, {
    name: "done",
    route: "/stream",
    state: "complete",
    started: done.started,
    events: 3,
    readers: 0,
  });
  assertEquals([now.state, now.events, now.readers], ["running", 1, 1]);
  assertEquals(await (await fetch(`${server.origin}/runs/now`)).json(), { ...now, params: {} });
  const { params } = await (await fetch(`${server.origin}/runs/done`)).json();
  assertEquals(params, { count: 3, interval: 0, request: false });
  assertEquals((await (await fetch(`${server.origin}/healthz`)).json()).runs, 1);
  it.say("");
});

Deno.test(
  "a run that fails ends its readers with an error, and is reported by its name",
  options,
  async () => {
    const it = job();
    await using server = await serve({ routes: it.routes });
    const url = `${server.origin}/job?run=x`;
    const readers = [data(url), data(url)];
    it.say("one");
    it.say(new Error("secret"));
    const expected = [{ word: "one" }, { reason: "error" }];
    assertEquals([...await Promise.all(readers), await data(url)], [expected, expected, expected]);
    assertEquals((await list(server))[0].state, "failed");
    assertEquals(server.reports().match(/run x: its source failed: Error: secret/g)?.length, 1);
    assertEquals(server.reports().includes("a stream failed"), false);
  },
);

Deno.test("at the drain a run is told by its signal, and its readers get the shutdown", options, async () => {
  const it = job();
  await using server = await serve({ routes: it.routes });
  const reader = data(`${server.origin}/job?run=x`);
  await until(async () => (await list(server))[0]?.readers === 1);
  const drained = server.server.drain();
  assertEquals(it.aborted, true);
  assertEquals(await reader, [{ reason: "shutdown" }]);
  await drained;
});
