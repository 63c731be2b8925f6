import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { granted } from "../support/granted.ts";
import { askFrom, serve, until } from "../support/server.ts";
import { open } from "../support/wire.ts";

const ignore = !granted.server;

/** An upstream that answers with what its path says: a status, `hang`, or `big`. */
function upstream(): AsyncDisposable & { origin: string } {
  const hung: (() => void)[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/hang") await new Promise<void>((resolve) => hung.push(resolve));
    if (pathname === "/big") return new Response("x".repeat(100_000));
    const status = Number(pathname.slice(1)) || 200;
    return new Response(null, { status, headers: status === 302 ? { location: "/200" } : {} });
  });
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      for (const answer of hung) answer();
      await server.shutdown();
    },
  };
}

interface Record {
  id?: string;
  event?: string;
  data: { step: number; result: number; request?: { status?: number; error?: string; ms: number } };
}

async function records(url: string, headers: HeadersInit = {}): Promise<Record[]> {
  const response = await fetch(url, { headers: { accept: "application/x-ndjson", ...headers } });
  assertEquals(response.status, 200);
  return (await response.text()).trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test({
  name: "/stream makes its first step at once, and the next after the interval",
  ignore,
  async fn() {
    await using server = await serve();
    const reading = await open(`${server.origin}/stream?interval=60000&request=false`);
    assertEquals(await reading.until("\n"), "step 1: 1 x 2 = 2\n");
    reading.leave();
    await until(() => server.server.bodies.size === 0);
  },
});

Deno.test({
  name: "each step of /stream has its result and a real request",
  ignore,
  async fn() {
    await using server = await serve();
    assertMatch(
      await (await fetch(`${server.origin}/stream?count=3&interval=1`)).text(),
      /^(step (\d): \2 x 2 = \d, upstream answered 200 after [\d.]+ ms\n){3}$/,
    );
    const steps = await records(`${server.origin}/stream?count=2&interval=0`);
    assertEquals(
      steps.map(({ id, event, data }) => [id, event, data.step, data.result, data.request?.status]),
      [
        ["1", undefined, 1, 2, 200],
        ["2", undefined, 2, 4, 200],
        [undefined, "end", undefined, undefined, undefined],
      ],
    );
  },
});

Deno.test({
  name: "a failing upstream is told by kind, and never ends the stream",
  ignore,
  async fn() {
    await using other = upstream();
    // A port where nothing listens any more.
    const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = closed.addr;
    closed.close();
    const cases: [url: string, request: Record["data"]["request"] | { error: string }, text: RegExp][] = [
      [`${other.origin}/200`, { status: 200, ms: 0 }, /upstream answered 200 after/],
      [`${other.origin}/204`, { status: 204, ms: 0 }, /upstream answered 204 after/],
      [
        `${other.origin}/500`,
        { error: "status", status: 500, ms: 0 },
        /upstream failed with status 500 after/,
      ],
      [
        `${other.origin}/302`,
        { error: "status", status: 302, ms: 0 },
        /upstream failed with status 302 after/,
      ],
      [`${other.origin}/hang`, { error: "timeout", ms: 0 }, /upstream failed: timeout after/],
      [`${other.origin}/big`, { error: "size", ms: 0 }, /upstream failed: size after/],
      [`http://127.0.0.1:${port}/`, { error: "connection", ms: 0 }, /upstream failed: connection after/],
    ];
    for (const [url, request, text] of cases) {
      await using server = await serve({ upstream: url, limits: { outboundMs: 150, outboundBytes: 10_000 } });
      const steps = await records(`${server.origin}/stream?count=2&interval=0`);
      assertEquals(steps.length, 3);
      for (const { data } of steps.slice(0, 2)) {
        assert(typeof data.request!.ms === "number");
        assertEquals({ ...data.request, ms: 0 }, request as typeof data.request);
      }
      assertMatch(await (await fetch(`${server.origin}/stream?count=1`)).text(), text);
      assertEquals(server.app.limits.outbound.used, 0);
    }
  },
});

Deno.test({
  name: "/stream without requests makes a million steps in order, and does not wait",
  ignore,
  async fn() {
    await using server = await serve();
    const text = await (await fetch(`${server.origin}/stream?count=1000000&interval=0&request=false`)).text();
    const lines = text.split("\n");
    assertEquals(lines.length, 1_000_001);
    assert(lines.slice(0, -1).every((line, n) => line === `step ${n + 1}: ${n + 1} x 2 = ${2 * n + 2}`));
  },
});

Deno.test({
  name: "a reader that comes back to /stream goes on exactly after its last step",
  ignore,
  async fn() {
    await using server = await serve();
    const url = `${server.origin}/stream?count=5&interval=0&request=false`;
    const ids = async (query: string, headers = {}) =>
      (await records(url + query, headers)).map(({ id, event, data }) =>
        event === "gap" ? data : id ?? event
      );
    assertEquals(await ids(""), ["1", "2", "3", "4", "5", "end"]);
    for (let last = 0; last <= 5; last++) {
      const rest = ["1", "2", "3", "4", "5", "end"].slice(last);
      assertEquals(await ids(`&after=${last}`), rest);
      assertEquals(await ids("", { "last-event-id": String(last) }), rest);
    }
    assertEquals(await ids("&after=1", { "last-event-id": "4" }), ["5", "end"]);
    assertEquals(await ids("&after="), await ids(""));
    const all = ["1", "2", "3", "4", "5", "end"];
    for (const after of ["6", "-1", "1.5", "x", "9".repeat(20)]) {
      assertEquals(await ids(`&after=${after}`), [{ after, next: "1", lost: null } as never, ...all]);
    }
    assertEquals(await ids(`&after=${"x".repeat(300)}`), [
      { after: "x".repeat(128), next: "1", lost: null } as never,
      ...all,
    ]);
    assertMatch(await (await fetch(`${url}&after=x`)).text(), /^# gap after="x" next="1" lost=null\n/);
  },
});

Deno.test({
  name: "an EventSource that lost /stream in the middle misses nothing and gets nothing twice",
  ignore,
  async fn() {
    await using server = await serve();
    const url = `${server.origin}/stream?count=40&interval=2&request=false&format=sse`;
    const seen: number[] = [];
    let last: string | undefined;
    while (last !== "end") {
      const reading = await open(url, last === undefined ? {} : { "last-event-id": last });
      const text = seen.length < 30 ? await reading.until(`id: ${seen.length + 5}\n`) : await reading.rest();
      reading.leave();
      // An event counts once its empty line has come.
      for (const record of text.split("\n\n").slice(0, -1)) {
        last = /^id: (.*)$/m.exec(record)?.[1] ?? last;
        if (last !== "end") seen.push(Number(last));
      }
    }
    assertEquals(seen, Array.from({ length: 40 }, (_, n) => n + 1));
    assertEquals((await fetch(url, { headers: { "last-event-id": last } })).status, 204);
    await until(() => server.server.bodies.size === 0);
  },
});

const bad: [query: string, error: string][] = [
  ["count=0", 'count must be a whole number from 1 to 1000000: current value is "0"'],
  ["count=1000001", 'count must be a whole number from 1 to 1000000: current value is "1000001"'],
  ["count=-1", 'count must be a whole number from 1 to 1000000: current value is "-1"'],
  ["count=five", 'count must be a whole number from 1 to 1000000: current value is "five"'],
  ["count=", 'count must be a whole number from 1 to 1000000: current value is ""'],
  ["count=1.5", 'count must be a whole number from 1 to 1000000: current value is "1.5"'],
  ["interval=-1", 'interval must be a whole number from 0 to 60000: current value is "-1"'],
  ["interval=60001", 'interval must be a whole number from 0 to 60000: current value is "60001"'],
  ["interval=1s", 'interval must be a whole number from 0 to 60000: current value is "1s"'],
  ["request=no", 'request must be true or false: current value is "no"'],
  ["format=xml", 'format must be text, ndjson or sse: current value is "xml"'],
];

Deno.test({
  name: "/stream refuses each bad parameter with its name, the rule and the value",
  ignore,
  async fn() {
    await using server = await serve();
    for (const [query, error] of bad) {
      for (const method of ["GET", "HEAD"]) {
        const response = await fetch(`${server.origin}/stream?${query}`, { method });
        assertEquals(response.status, 400);
        if (method === "GET") assertEquals(await response.json(), { error });
      }
    }
    assertEquals(server.app.limits.streams.used, 0);
  },
});

Deno.test({
  name: "a client that leaves /stream in the middle of an upstream request or a wait ends both",
  ignore,
  async fn() {
    await using other = upstream();
    await using server = await serve({ upstream: `${other.origin}/hang`, limits: { outboundMs: 60_000 } });
    const { limits } = server.app;
    const waits = await open(`${server.origin}/stream?interval=60000&request=false`);
    await waits.until("step 1");
    const asks = open(`${server.origin}/stream`);
    await until(() => limits.outbound.used === 1);
    waits.leave();
    (await asks).leave();
    await until(() => limits.outbound.used === 0 && limits.streams.used === 0);
    assertEquals(server.server.bodies.size, 0);
  },
});

Deno.test({
  name: "beyond the limit of outbound requests a step says that the server is busy",
  ignore,
  async fn() {
    await using other = upstream();
    await using server = await serve({
      upstream: `${other.origin}/hang`,
      limits: { outbound: 1, outboundMs: 60_000 },
    });
    const first = open(`${server.origin}/stream`);
    await until(() => server.app.limits.outbound.used === 1);
    const steps = await records(`${server.origin}/stream?count=1`);
    assertEquals(steps[0].data.request, { error: "busy", ms: 0 });
    (await first).leave();
    await until(() => server.app.limits.streams.used === 0);
  },
});

Deno.test({
  name: "a text reader of /stream cannot take a drain for the end",
  ignore,
  async fn() {
    await using server = await serve();
    const reading = await open(`${server.origin}/stream?interval=60000&request=false`);
    await reading.until("step 1");
    const reset = assertRejects(() => reading.rest());
    await server.server.drain();
    await reset;
  },
});

Deno.test({ name: "with --client-share one client leaves streams to others", ignore }, async () => {
  await using server = await serve({ clientShare: 25, limits: { streams: 4 } });
  const path = "/stream?count=2&interval=60000&request=false";
  const ask = (hostname: string) => askFrom(hostname, server, path);
  const greedy = [await ask("2001:db8::1"), await ask("2001:db8::2"), await ask("2001:db8::3")];
  const other = await ask("2001:db8:0:1::1");
  assertEquals([...greedy, other].map(({ status }) => status), [200, 200, 503, 200]);
  assertMatch(await greedy[2].text(), /too many streams for one client: at most 1/);
  for (const response of [greedy[0], greedy[1], other]) await response.body!.cancel();
  await until(() => server.app.limits.streams.used === 0);
});
