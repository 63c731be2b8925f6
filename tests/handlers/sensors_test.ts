import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseDeclared } from "../../lib/sensors/configured.ts";
import type { DeclaredSensor } from "../../lib/sensors/declared.ts";
import { services } from "../support/sensor_services.ts";
import { granted } from "../support/granted.ts";
import { Lines } from "../support/lines.ts";
import { serve, until } from "../support/server.ts";
import { open } from "../support/wire.ts";

const options = { ignore: !granted.server };

/** Sensors as a file declares them. */
const declare = (...sensors: Record<string, unknown>[]): DeclaredSensor[] =>
  parseDeclared(JSON.stringify({ sensors }), "/", [], services());

/** A push sensor; its interval may be shorter than a file can declare. */
const push = (id: string, interval = 60_000): DeclaredSensor => (
  { id, unit: "K", description: "", interval, push: true }
);

async function post(url: string, body: string) {
  const response = await fetch(url, { method: "POST", body });
  return { status: response.status, ...await response.json() };
}

Deno.test("the host's own readings come, each with its id, unit, time and value", options, async () => {
  const before = Date.now();
  await using server = await serve();
  const expected = ["cpu", "memory", "disk", "server-memory", "requests", "sent", "event-loop-delay"];
  let readings: { id: string; unit: string; time: string; value: number; state: string }[] = [];
  await until(async () => {
    readings = await (await fetch(`${server.origin}/sensors`)).json();
    const ok = readings.filter(({ state }) => state === "ok").map(({ id }) => id);
    return expected.every((id) => ok.includes(id));
  });
  for (const { id, unit, time, value } of readings.filter(({ state }) => state === "ok")) {
    assert(
      Number.isFinite(value) && value >= 0 && (unit !== "%" || value <= 100),
      `${id} is ${value} ${unit}`,
    );
    assert(Date.parse(time) >= before && Date.parse(time) <= Date.now(), time);
  }
});

Deno.test("a reader gets the last reading of each sensor it chose, then what comes", options, async () => {
  await using server = await serve({ declared: [push("a"), push("b"), push("c")] });
  const at = (id: string) => `${server.origin}/sensors/${id}`;
  await post(at("b"), "1");
  await post(at("a"), "2");
  await post(at("c"), "3");
  await post(at("b"), '{"value":4}');
  await using lines = await Lines.get(`${server.origin}/sensors/stream?id=a&id=b&format=ndjson`);
  const [first, second] = [await lines.json(), await lines.json()];
  assertEquals([first.data.id, first.data.value, second.data.id, second.data.value], ["a", 2, "b", 4]);
  await post(at("c"), "5");
  const { id } = await post(at("a"), "6");
  assertEquals(await lines.json(), {
    id,
    data: { id: "a", time: lastTime(server), value: 6, unit: "K", state: "ok" },
  });

  await post(at("c"), "7");
  await post(at("b"), "8");
  // A reader that comes back goes on behind its last id, with its own sensors only.
  await using again = await Lines.get(
    `${server.origin}/sensors/stream?id=a&id=b&format=ndjson&after=${id}`,
  );
  assertEquals((await again.json()).data.value, 8);
});

Deno.test(
  "readings of others that were evicted are no gap to a reader that does not want them",
  options,
  async () => {
    await using server = await serve({ declared: [push("a"), push("b")], limits: { channelEvents: 20 } });
    const { id } = await post(`${server.origin}/sensors/a`, "1");
    const pushB = server.app.sensors.pusher("b");
    for (let i = 0; i < 50; i++) pushB(i);
    await using back = await Lines.get(`${server.origin}/sensors/stream?id=a&format=ndjson&after=${id}`);
    await post(`${server.origin}/sensors/a`, "2");
    assertEquals((await back.json()).data.value, 2);
  },
);

Deno.test(
  "after a gap comes the last reading of each sensor in it, though it is no longer retained",
  options,
  async () => {
    const declared = [push("a"), push("b"), push("c")];
    await using server = await serve({ declared, limits: { channelEvents: 20 } });
    await post(`${server.origin}/sensors/c`, "0");
    const { id } = await post(`${server.origin}/sensors/a`, "1");
    const second = await post(`${server.origin}/sensors/a`, "2");
    const pushB = server.app.sensors.pusher("b");
    for (let i = 0; i < 50; i++) pushB(i);
    const url = `${server.origin}/sensors/stream?id=a&id=c&format=ndjson`;
    await using back = await Lines.get(`${url}&after=${id}`);
    const { event, data } = await back.json();
    assertEquals([event, data.after, data.lost], ["gap", id, null]);
    assertEquals((await back.json()).id, second.id);
    await using stranger = await Lines.get(`${url}&after=000000000000-7`);
    assertEquals((await stranger.json()).event, "gap");
    assertEquals([(await stranger.json()).data.value, (await stranger.json()).data.value], [0, 2]);
    await post(`${server.origin}/sensors/a`, "3");
    assertEquals([(await back.json()).data.value, (await stranger.json()).data.value], [3, 3]);
  },
);

function lastTime(server: Awaited<ReturnType<typeof serve>>): string {
  return server.app.sensors.list().find(({ id }) => id === "a")!.time!;
}

Deno.test("a text line is readable", options, async () => {
  await using server = await serve({ declared: [push("a")] });
  await post(`${server.origin}/sensors/a`, "1.5");
  await using lines = await Lines.get(`${server.origin}/sensors/stream?id=a&format=text`);
  assertMatch(await lines.next() ?? "", /^\d{4}-\d\d-\d\dT[\d:.]+Z a 1\.5 K$/);
  await post(`${server.origin}/sensors/a`, "-2");
  assertMatch(await lines.next() ?? "", / a -2 K$/);
});

Deno.test("a value goes to a push sensor only, and has to be a number", options, async (test) => {
  await using server = await serve({ declared: [push("a")] });
  const table: [id: string, body: string, status: number][] = [
    ["a", "1e3", 201],
    ["a", '{"value": 1, "at": 2}', 201],
    ["a", '"1"', 400],
    ["a", "1e999", 400],
    ["a", "{}", 400],
    ["a", "null", 400],
    ["a", "", 400],
    ["nope", "1", 404],
    ["cpu", "1", 409],
  ];
  for (const [id, body, status] of table) {
    await test.step(`${id} ${body}`, async () => {
      assertEquals((await post(`${server.origin}/sensors/${id}`, body)).status, status);
    });
  }
});

Deno.test(
  "a push sensor is stale after three intervals without a value, until one comes",
  options,
  async () => {
    await using server = await serve({ declared: [push("a", 20)] });
    await using lines = await Lines.get(`${server.origin}/sensors/stream?id=a&format=ndjson`);
    const stale = (await lines.json()).data;
    assertEquals([stale.state, stale.value, stale.reason], ["stale", null, "no value for 60 ms"]);
    await post(`${server.origin}/sensors/a`, "1");
    assertEquals((await lines.json()).data.state, "ok");
    assertEquals((await lines.json()).data.state, "stale");
  },
);

Deno.test("one sensor's latest reading is what the list has of it", options, async () => {
  await using server = await serve({ declared: [push("a"), push("b")] });
  await post(`${server.origin}/sensors/a`, "1");
  const get = async (path: string) => {
    const response = await fetch(server.origin + path);
    return [response.status, response.headers.get("cache-control"), await response.json()];
  };
  const [, , list] = await get("/sensors");
  const a = list.find(({ id }: { id: string }) => id === "a");
  assertEquals([a.value, await get("/sensors/a")], [1, [200, "no-store", a]]);
  assertEquals((await get("/sensors/nope"))[0], 404);
});

Deno.test("the history of a sensor is pairs that a chart can take", options, async () => {
  await using server = await serve({ declared: [push("a")] });
  const before = Date.now();
  await post(`${server.origin}/sensors/a`, "1");
  await post(`${server.origin}/sensors/a`, "2.5");
  const { readings: pairs } = await (await fetch(`${server.origin}/sensors/a/history`)).json();
  assertEquals(pairs.map(([, value]: number[]) => value), [1, 2.5]);
  const newest = await (await fetch(`${server.origin}/sensors/a/history?last=1`)).json();
  assertEquals(newest.readings, [pairs[1]]);
  assert(pairs.every(([time]: number[]) => time >= before && time <= Date.now()));
  const missing = await fetch(`${server.origin}/sensors/nope/history`);
  assertEquals([missing.status, await missing.json()], [404, {
    error: 'the id must be a sensor\'s: current value is "nope"',
  }]);
});

Deno.test("a history and the stream after its cursor have each reading once", options, async () => {
  await using server = await serve({ declared: [push("a"), push("b")] });
  const pushA = server.app.sensors.pusher("a");
  const history = async () => await (await fetch(`${server.origin}/sensors/a/history`)).json();
  const { cursor: start, readings: none } = await history();
  await post(`${server.origin}/sensors/b`, "0");
  pushA(1);
  const { cursor, readings } = await history();
  pushA(2);
  const url = `${server.origin}/sensors/stream?id=a&format=ndjson&after=`;
  await using lines = await Lines.get(url + cursor);
  await using all = await Lines.get(url + start);
  pushA(3);
  const next = async (of: Lines) => (await of.json()).data.value;
  assertEquals([none, readings.map(([, value]: number[]) => value)], [[], [1]]);
  assertEquals([await next(lines), await next(lines)], [2, 3]);
  assertEquals([await next(all), await next(all), await next(all)], [1, 2, 3]);
});

Deno.test("a reading that fails has its reason, and stops no other sensor", options, async () => {
  let answer = () => Promise.resolve(Response.json({ a: [{ b: 21.5 }] }));
  await using peer = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => answer());
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, " 100\n");
  const url = `http://127.0.0.1:${peer.addr.port}/`;
  await using server = await serve({
    declared: declare(
      { id: "web", type: "http", url, pointer: "/a/0/b", interval: 200, timeout: 150 },
      { id: "file", type: "file", path: file, scale: 0.5, offset: -1, interval: 100 },
    ),
  });
  const state = (id: string) => {
    const { state, value, reason } = server.app.sensors.list().find((sensor) => sensor.id === id)!;
    return [state, reason ?? value];
  };
  const becomes = (id: string, expected: unknown[]) =>
    until(() => JSON.stringify(state(id)) === JSON.stringify(expected));
  await becomes("web", ["ok", 21.5]);
  await becomes("file", ["ok", 49]);
  answer = () => Promise.resolve(Response.json({ a: [{ b: " -2.5e1" }] }));
  await becomes("web", ["ok", -25]);
  for (const b of ["", " ", "12,5", "0x1f", "1 2", "Infinity"]) {
    answer = () => Promise.resolve(Response.json({ a: [{ b }] }));
    await becomes("web", ["failed", 'there is no number at "/a/0/b"']);
    answer = () => Promise.resolve(Response.json({ a: [{ b: "7" }] }));
    await becomes("web", ["ok", 7]);
  }
  answer = () => Promise.resolve(Response.json({ a: "none" }));
  await becomes("web", ["failed", 'there is no number at "/a/0/b"']);
  answer = () => Promise.resolve(new Response("secret", { status: 500 }));
  await becomes("web", ["failed", "HTTP status 500"]);
  const hang = Promise.withResolvers<void>();
  answer = () => hang.promise.then(() => Response.json({}));
  await becomes("web", ["timeout", "no value within 150 ms"]);
  await Deno.writeTextFile(file, "warm");
  await becomes("file", ["failed", "the file does not begin with a number"]);
  await Deno.remove(file);
  await becomes("file", ["failed", "there is no such file"]);
  hang.resolve();
});

/** A peer that answers as told, or with `hang` not before the end, and what declares an http sensor of it. */
function peerOf(answer: (hang: Promise<Response>) => Response | Promise<Response>) {
  const hang = Promise.withResolvers<Response>();
  const onListen = () => {};
  const peer = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, () => answer(hang.promise));
  const url = `http://127.0.0.1:${peer.addr.port}/`;
  return {
    http: (id: string, interval: number) =>
      declare({ id, type: "http", url, interval, timeout: interval })[0],
    async [Symbol.asyncDispose]() {
      hang.resolve(new Response());
      await peer.shutdown();
    },
  };
}

/** The state and reason, or value, of the next readings of a sensor. */
async function readings(origin: string, id: string, count: number): Promise<unknown[]> {
  await using lines = await Lines.get(`${origin}/sensors/stream?id=${id}&format=ndjson`);
  const all: unknown[] = [];
  while (all.length < count) {
    const { state, value, reason } = (await lines.json()).data;
    all.push(`${state} ${reason ?? value}`);
  }
  return all;
}

Deno.test("a request that hangs costs its own interval and no other", options, async () => {
  let requests = 0;
  await using peer = peerOf((hang) => ++requests % 3 === 0 ? hang : Response.json(requests));
  await using server = await serve({ declared: [peer.http("web", 200)] });
  const late = "timeout no value within 200 ms";
  assertEquals(await readings(server.origin, "web", 7), ["ok 1", "ok 2", late, "ok 4", "ok 5", late, "ok 7"]);
});

Deno.test("http sensors that hang keep no other, and no stream, from its request", options, async () => {
  await using hanging = peerOf((hang) => hang);
  await using peer = peerOf(() => Response.json(1));
  const three = [1, 2, 3];
  const declared = three.flatMap((n) => [hanging.http(`hangs${n}`, 60_000), peer.http(`web${n}`, 200)]);
  await using server = await serve({ declared, limits: { outbound: 1 } });
  const all = await Promise.all(three.map((n) => readings(server.origin, `web${n}`, 3)));
  assertEquals(all.flat(), Array(9).fill("ok 1"));
  const stream = await (await fetch(`${server.origin}/stream?count=1&format=ndjson`)).text();
  assertEquals(JSON.parse(stream.split("\n")[0]).data.request.status, 200);
});

Deno.test("the timeout of other outbound requests is not a sensor's", options, async () => {
  await using peer = peerOf(() => Response.json(1));
  await using server = await serve({ declared: [peer.http("web", 200)], limits: { outboundMs: 0 } });
  assertEquals(await readings(server.origin, "web", 1), ["ok 1"]);
});

Deno.test("what a download has sent counts while it goes on, and once", options, async () => {
  await using server = await serve();
  const size = 32 * 1024 * 1024;
  await Deno.writeFile(`${server.folder}/files/large`, new Uint8Array(size));
  const reader = (await fetch(`${server.origin}/files/large`)).body!.getReader();
  await using _ = { [Symbol.asyncDispose]: () => reader.cancel() };
  let read = (await reader.read()).value!.length;
  await until(() => server.app.sensors.list().find(({ id }) => id === "sent")!.value! > 0);
  assertEquals(server.app.limits.downloads.used, 1);
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) read += chunk.value.length;
  assertEquals(read, size);
  await until(() => server.app.limits.downloads.used === 0);
  assertEquals(server.app.traffic, { requests: 1, bytes: size });
});

Deno.test("a stream that begins before the first reading has an id to come back with", options, async () => {
  await using server = await serve({ declared: [push("a")] });
  const reading = await open(`${server.origin}/sensors/stream?id=a`);
  await post(`${server.origin}/sensors/a`, "1");
  const id = /^id: (.*)\n\r\nid: /.exec(await reading.until("data: "))?.[1];
  reading.leave();
  const url = `${server.origin}/sensors/stream?id=a&format=ndjson&after=${id}`;
  await using back = await Lines.get(url);
  assertEquals((await back.json()).data.value, 1);
});

Deno.test("a stream of an unknown sensor is refused before it starts", options, async () => {
  await using server = await serve();
  const response = await fetch(`${server.origin}/sensors/stream?id=nope`);
  assertEquals([response.status, await response.json()], [
    400,
    { error: 'id must be a sensor\'s: current value is "nope"' },
  ]);
  const head = await fetch(`${server.origin}/sensors/stream?id=nope`, { method: "HEAD" });
  assertEquals(head.status, 400);
});
