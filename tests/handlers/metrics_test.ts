import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Metrics } from "../../lib/metrics.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { granted } from "../support/granted.ts";
import { find } from "../support/programs.ts";
import { serve, type TestServer, until } from "../support/server.ts";
import { connect, leave } from "../support/socket_client.ts";
import { exchange, open } from "../support/wire.ts";
import { turns } from "../support/turns.ts";

const ignore = !granted.server;

async function metrics({ origin }: TestServer): Promise<string> {
  return await (await fetch(`${origin}/metrics`)).text();
}

/** The value of one series, as it is written; 0 when it is not there. */
function valueOf(text: string, series: string): number {
  const line = text.split("\n").find((line) => line.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? 0);
}

function test(name: string, run: (server: TestServer) => Promise<void>): void {
  Deno.test({
    name,
    ignore,
    async fn() {
      await using server = await serve();
      await run(server);
    },
  });
}

Deno.test({
  name: "promtool accepts /metrics",
  ignore: !granted.run || find("promtool") === undefined,
  async fn() {
    await using server = await serve();
    await (await fetch(`${server.origin}/stream?count=3&interval=0&request=false&after=9`)).text();
    const stream = await open(`${server.origin}/channels/demo`);
    const tool = new Deno.Command(find("promtool")!, {
      args: ["check", "metrics"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = tool.stdin.getWriter();
    await writer.write(new TextEncoder().encode(await metrics(server)));
    await writer.close();
    const { code, stdout, stderr } = await tool.output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assertEquals([code, said], [0, ""]);
    stream.leave();
    await until(() => server.server.bodies.size === 0);
  },
});

test("a request is counted under its route's pattern, its method and its status", async (server) => {
  const { origin, port } = server;
  for (const path of ["/sensors/cpu/history", "/sensors/nothing/history", "/secret", "/healthz"]) {
    await (await fetch(origin + path)).text();
  }
  await (await fetch(`${origin}/healthz`, { method: "HEAD" })).text();
  await exchange(port, `BREW /healthz HTTP/1.1\nHost: 127.0.0.1:${port}\nConnection: close\n\n`);
  const text = await metrics(server);
  const requests = text.split("\n").filter((line) => line.startsWith("weir_requests_total")).sort();
  assertEquals(requests, [
    'weir_requests_total{route="/healthz",method="GET",status="200"} 1',
    'weir_requests_total{route="/healthz",method="HEAD",status="200"} 1',
    'weir_requests_total{route="/sensors/:id/history",method="GET",status="200"} 1',
    'weir_requests_total{route="/sensors/:id/history",method="GET",status="404"} 1',
    'weir_requests_total{route="none",method="GET",status="404"} 1',
    'weir_requests_total{route="none",method="other",status="405"} 1',
  ]);
});

test("a stream is open in its format until its reader has left", async (server) => {
  const reading = await open(`${server.origin}/channels/demo?format=ndjson`);
  const series = 'weir_streams_open{route="/channels/:name",format="ndjson"}';
  assertEquals(valueOf(await metrics(server), series), 1);
  reading.leave();
  await until(() => server.server.bodies.size === 0);
  const text = await metrics(server);
  assertEquals(valueOf(text, series), 0);
  assertEquals(valueOf(text, 'weir_streams_ended_total{route="/channels/:name",reason="left"}'), 1);
});

test("a stream that ends has its events, its reason and its duration", async (server) => {
  await (await fetch(`${server.origin}/stream?count=7&interval=0&request=false`)).text();
  const text = await metrics(server);
  assertEquals(valueOf(text, 'weir_events_sent_total{route="/stream"}'), 7);
  assertEquals(valueOf(text, 'weir_streams_ended_total{route="/stream",reason="complete"}'), 1);
  assertEquals(valueOf(text, "weir_stream_duration_seconds_count"), 1);
  assertEquals(valueOf(text, 'weir_stream_duration_seconds_bucket{le="86400"}'), 1);
});

test("a source that fails before its first event is a request, and no stream", async (server) => {
  await (await fetch(`${server.origin}/runs/nothing`)).text();
  const text = await metrics(server);
  assertEquals(valueOf(text, 'weir_requests_total{route="/runs/:name",method="GET",status="404"}'), 1);
  assertEquals(valueOf(text, "weir_stream_duration_seconds_count"), 0);
});

test("events that subscribers share count for each of them", async (server) => {
  const readings = await Promise.all([1, 2].map(() => open(`${server.origin}/channels/demo`)));
  const body = '{"n":1}\n{"n":2}\n{"n":3}\n';
  const headers = { "content-type": "application/x-ndjson" };
  await (await fetch(`${server.origin}/channels/demo`, { method: "POST", body, headers })).text();
  for (const reading of readings) await reading.until('{"n":3}');
  assertEquals(valueOf(await metrics(server), 'weir_events_sent_total{route="/channels/:name"}'), 6);
  for (const reading of readings) reading.leave();
  await until(() => server.server.bodies.size === 0);
});

test("each line of a log counts, in blocks too", async (server) => {
  await Deno.writeTextFile(`${server.folder}/logs/app.log`, "one\ntwo\nthree\n");
  for (const format of ["text", "ndjson"]) {
    await (await fetch(`${server.origin}/logs/app.log?follow=false&from=start&format=${format}`)).text();
  }
  assertEquals(valueOf(await metrics(server), 'weir_events_sent_total{route="/logs/:name"}'), 6);
});

test("the lines of a large block count, too", async (server) => {
  await Deno.writeTextFile(`${server.folder}/logs/app.log`, "a line of 20 letters\n".repeat(50_000));
  await (await fetch(`${server.origin}/logs/app.log?follow=false&from=start`)).text();
  const count = valueOf(await metrics(server), 'weir_events_sent_total{route="/logs/:name"}');
  assert(Math.abs(count - 50_000) < 500, `${count}`);
});

Deno.test({
  name: "a gap counts with what it stands for, and a stream by how it came back",
  ignore,
  async fn() {
    await using server = await serve({ limits: { channelEvents: 2 } });
    const channel = `${server.origin}/channels/demo`;
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) {
      ids.push((await (await fetch(channel, { method: "POST", body: "x" })).json()).id);
    }
    for (const after of [ids[0], ids[4]]) {
      (await open(`${channel}?after=${after}`)).leave();
      await until(() => server.server.bodies.size === 0);
    }
    assertEquals((await fetch(`${channel}?after=end`)).status, 204);
    const text = await metrics(server);
    const counts = ["resumes", "gaps", "events_lost"].flatMap((name) =>
      text.split("\n").filter((line) => line.startsWith(`weir_${name}_total{`))
    );
    assertEquals(counts.toSorted(), [
      'weir_events_lost_total{route="/channels/:name"} 2',
      'weir_gaps_total{route="/channels/:name"} 1',
      'weir_resumes_total{route="/channels/:name",result="complete"} 1',
      'weir_resumes_total{route="/channels/:name",result="exact"} 1',
      'weir_resumes_total{route="/channels/:name",result="gap"} 1',
    ]);
  },
});

test('a gap of any source counts a resume as one with a gap, also by "since"', async (server) => {
  const { origin } = server;
  await (await fetch(`${origin}/channels/demo`, { method: "POST", body: "x" })).text();
  const { cursor } = await (await fetch(`${origin}/sensors/cpu/history`)).json();
  const asked: [path: string, result: string][] = [
    [`sensors/stream?id=cpu&after=${cursor}`, "exact"],
    ["sensors/stream?id=cpu&after=sensors-other-1", "gap"],
    ["events?channel=demo&sensor=cpu&since=sensor:cpu=sensors-other-1", "gap"],
    ["events?channel=demo&server&since=channel:demo=0", "exact"],
    ["events?server&channel=demo&since=channel:demo=", "none"],
  ];
  for (const [path, result] of asked) {
    const before = await metrics(server);
    (await open(`${origin}/${path}`)).leave();
    await until(() => server.server.bodies.size === 0);
    const after = await metrics(server);
    const route = `/${path.split("?")[0]}`;
    const counted = ["exact", "gap"].filter((result) => {
      const series = `weir_resumes_total{route="${route}",result="${result}"}`;
      return valueOf(after, series) > valueOf(before, series);
    });
    assertEquals(counted, result === "none" ? [] : [result], path);
  }
});

test("open sockets, and bytes that were sent", async (server) => {
  const client = await connect(`${server.origin}/ws`);
  const text = await metrics(server);
  assertEquals(valueOf(text, "weir_sockets_open"), 1);
  const { length } = text;
  assert(valueOf(await metrics(server), "weir_sent_bytes_total") >= length);
  await leave(client);
});

Deno.test("a late timer is a delay of the event loop", async () => {
  const clock = new FakeClock();
  const zero = { sentBytes: 0, sockets: 0, runs: 0, accessLogLost: 0 };
  const metrics = new Metrics(() => zero, clock);
  const stop = new AbortController();
  const running = metrics.start(stop.signal);
  await clock.advance(100);
  await turns();
  stop.abort();
  await running;
  assertStringIncludes(metrics.text(), "weir_event_loop_delay_seconds_count 1\n");
});
