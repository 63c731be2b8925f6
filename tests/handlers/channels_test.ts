import { assertEquals, assertMatch } from "@std/assert";
import { granted } from "../support/granted.ts";
import { Lines } from "../support/lines.ts";
import { serve, until } from "../support/server.ts";
import { bearer, guardOf, token } from "../support/tokens.ts";

const options = { ignore: !granted.server };

async function post(url: string, body: BodyInit, type = "application/json") {
  const response = await fetch(url, { method: "POST", body, headers: { "Content-Type": type } });
  return { status: response.status, ...await response.json() };
}

Deno.test("what is posted reaches a subscriber as server-sent events", options, async () => {
  await using server = await serve();
  const url = `${server.origin}/channels/demo`;
  await using lines = await Lines.get(url);
  assertEquals(lines.response.headers.get("content-type"), "text/event-stream");
  assertMatch(await lines.next() ?? "", /^id: [0-9a-z]{6}-[0-9a-f]{12}-0$/);
  assertEquals(await lines.next(), "\r");
  assertEquals((await fetch(url, { method: "POST", body: "two\nlines" }).then((r) => r.json())).count, 1);
  assertMatch(await lines.next() ?? "", /^id: [0-9a-z]{6}-[0-9a-f]{12}-1$/);
  assertEquals([await lines.next(), await lines.next(), await lines.next()], [
    "data: two",
    "data: lines",
    "",
  ]);
});

Deno.test("a post that is repeated with its Idempotency-Key is published once", options, async () => {
  await using server = await serve();
  const url = `${server.origin}/channels/demo`;
  const again = async (key: string) => {
    const response = await fetch(url, { method: "POST", body: "1", headers: { "Idempotency-Key": key } });
    return { status: response.status, ...await response.json() };
  };
  const first = await again("a");
  assertEquals(await again("a"), first);
  assertEquals((await again("b")).id, first.id.replace(/1$/, "2"));
  const other = await fetch(url, { method: "POST", body: "2", headers: { "Idempotency-Key": "a" } });
  assertEquals([other.status, (await other.json()).error], [
    422,
    "the Idempotency-Key must be a new one: it was used for other events",
  ]);
  const { status, error } = await again("x".repeat(256));
  assertEquals([status, error.slice(0, 44)], [400, "Idempotency-Key must be 1 to 255 characters "]);
});

Deno.test("each token has Idempotency-Keys of its own", options, async () => {
  await using server = await serve({ guard: guardOf() });
  const url = `${server.origin}/channels/demo`;
  const again = async (secret: string) => {
    const headers = { "Idempotency-Key": "a", ...bearer(secret) };
    return (await (await fetch(url, { method: "POST", body: "1", headers })).json()).id;
  };
  const [first, other] = [await again(token.publisher), await again(token.admin)];
  assertEquals([await again(token.publisher), await again(token.admin)], [first, other]);
  assertEquals(first === other, false);
});

Deno.test("a reader that is cut before the first event has a cursor to come back with", options, async () => {
  await using server = await serve();
  const url = `${server.origin}/channels/demo`;
  let cursor: string;
  {
    await using lines = await Lines.get(url);
    cursor = (await lines.next())!.slice("id: ".length);
  }
  await post(url, '"missed"');
  await using lines = await Lines.get(url, { "Last-Event-ID": cursor });
  assertMatch(await lines.next() ?? "", /^id: [0-9a-z]{6}-[0-9a-f]{12}-1$/);
  assertEquals(await lines.next(), "data: missed");
});

Deno.test("of many events in one request all are taken or none", options, async () => {
  await using server = await serve();
  const url = `${server.origin}/channels/demo`;
  const refused = await post(url, '{"a":1}\n{"a":2\n', "application/x-ndjson");
  assertEquals([refused.status, refused.error], [400, 'line 2 must be JSON: current value is "{\\"a\\":2"']);
  const taken = await post(url, '{"a":1}\n{"a":2}\n', "application/x-ndjson");
  assertEquals([taken.status, taken.count], [201, 2]);
  assertMatch(taken.id, /-2$/);
  await using lines = await Lines.get(`${url}?after=0&format=ndjson`);
  assertEquals([(await lines.json()).data, (await lines.json()).data], [{ a: 1 }, { a: 2 }]);
});

Deno.test("Last-Event-ID wins over after", options, async () => {
  await using server = await serve();
  const url = `${server.origin}/channels/demo`;
  const { id } = await post(url, "1");
  await post(url, "2\n3", "application/jsonl");
  await using lines = await Lines.get(`${url}?after=0&format=ndjson`, { "Last-Event-ID": id });
  assertEquals([(await lines.json()).data, (await lines.json()).data], [2, 3]);
});

Deno.test("an evicted cursor is answered in-band, in text too", options, async () => {
  await using server = await serve({ limits: { channelEvents: 2 } });
  const url = `${server.origin}/channels/demo`;
  const { id } = await post(url, "1");
  for (const body of ["2\n3", "4\n5"]) await post(url, body, "application/jsonl");
  await using lines = await Lines.get(`${url}?format=text&after=${id}`);
  const prefix = id.slice(0, -2);
  assertEquals(await lines.next(), `# gap after="${prefix}-1" next="${prefix}-4" lost=2`);
  assertEquals([await lines.next(), await lines.next()], ["4", "5"]);
});

Deno.test("a wrong post is refused, and nothing of it is published", options, async (test) => {
  await using server = await serve({ limits: { bodyBytes: 1_000, channelBytes: 500 } });
  const at = (name: string) => `${server.origin}/channels/${name}`;
  const table: [name: string, url: string, body: string, type: string, status: number][] = [
    ["the reserved name", at("sensors"), "1", "application/json", 409],
    ["a name with a slash", at("a%2Fb"), "1", "application/json", 400],
    ["a name that is hidden", at(".hidden"), "1", "application/json", 400],
    ["a long name", at("x".repeat(65)), "1", "application/json", 400],
    ["not JSON", at("demo"), "{", "application/json", 400],
    ["another type", at("demo"), "1", "image/png", 415],
    ["an event larger than the history", at("demo"), `"${"x".repeat(500)}"`, "application/json", 413],
    ["a body that is too large", at("demo"), "x".repeat(1_001), "text/plain", 413],
  ];
  for (const [name, url, body, type, status] of table) {
    await test.step(name, async () => assertEquals((await post(url, body, type)).status, status));
  }
  await using lines = await Lines.get(`${at("demo")}?after=0&format=text`);
  await post(at("demo"), '"first"');
  assertEquals(await lines.next(), "first");
});

Deno.test("the channels are listed as JSON", options, async () => {
  await using server = await serve();
  const { id } = await post(`${server.origin}/channels/demo`, "1\n2", "application/x-ndjson");
  const response = await fetch(`${server.origin}/channels`);
  assertEquals(response.headers.get("cache-control"), "no-store");
  assertEquals(await response.json(), [{ name: "demo", events: 2, last: id, readers: 0 }]);
});

Deno.test("a method that a channel does not have is 405", options, async () => {
  await using server = await serve();
  const put = await fetch(`${server.origin}/channels/demo`, { method: "PUT", body: "1" });
  assertEquals([put.status, put.headers.get("allow")], [405, "GET, HEAD, POST, OPTIONS"]);
  await put.body?.cancel();
});

Deno.test("the channel of the readings is elsewhere, with the query that was asked", options, async () => {
  await using server = await serve();
  const response = await fetch(`${server.origin}/channels/sensors?format=text&id=cpu`, {
    redirect: "manual",
  });
  await response.body?.cancel();
  assertEquals([response.status, response.headers.get("location")], [
    308,
    "/sensors/stream?format=text&id=cpu",
  ]);
});

Deno.test("more events than the history holds are refused with both numbers", options, async () => {
  await using server = await serve({ limits: { channelEvents: 2 } });
  assertEquals(await post(`${server.origin}/channels/demo`, "1\n2\n3", "application/jsonl"), {
    status: 413,
    error: "a post must have at most 2 events, which the history holds: current value is 3",
  });
});

Deno.test("a body that stops half-way is answered 408, and no longer counts", options, async () => {
  await using server = await serve({ limits: { bodyMs: 50 } });
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await connection.write(new TextEncoder().encode(
    `POST /channels/demo HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nContent-Length: 100\r\n\r\nhalf`,
  ));
  const buffer = new Uint8Array(4_096);
  const read = await connection.read(buffer);
  assertMatch(new TextDecoder().decode(buffer.subarray(0, read!)), /^HTTP\/1\.1 408 /);
  assertEquals(server.server.requestBodies.held, 0);
});

Deno.test("a subscriber that leaves gives its channel up", options, async () => {
  await using server = await serve({ limits: { channels: 1 } });
  const lines = await Lines.get(`${server.origin}/channels/first`);
  const url = `${server.origin}/channels/second`;
  assertEquals((await post(url, "1")).status, 503);
  await lines[Symbol.asyncDispose]();
  await until(async () => (await post(url, "1")).status === 201);
});

Deno.test("a drained subscriber gets the shutdown in-band", options, async () => {
  await using server = await serve();
  const url = `${server.origin}/channels/demo`;
  await using lines = await Lines.get(`${url}?format=ndjson&after=0`);
  await post(url, "1");
  assertEquals((await lines.json()).data, 1);
  const drained = server.server.drain();
  assertEquals(await lines.json(), { event: "end", data: { reason: "shutdown" } });
  assertEquals(await lines.next(), null);
  await drained;
});

Deno.test("a stalled subscriber holds up no other, and gets a gap that counts", options, async () => {
  await using server = await serve({ limits: { channelEvents: 100, channelBytes: 200_000 } });
  const url = `${server.origin}/channels/demo`;
  // It reads nothing until its socket is full, which is megabytes away.
  using stalled = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await stalled.write(new TextEncoder().encode(
    `GET /channels/demo?format=ndjson HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`,
  ));
  await using reader = await Lines.get(`${url}?format=ndjson`);
  await until(() => server.server.bodies.size === 2);
  const padding = "x".repeat(50_000);
  const total = 400;
  for (let i = 0; i < total; i++) {
    await post(url, JSON.stringify([i, padding]));
    assertEquals((await reader.json()).data[0], i);
  }
  // Now it reads on: event by event, or a gap that counts right.
  let next = 0;
  let gaps = 0;
  let rest = "";
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(1 << 20);
  while (next < total) {
    const read = await stalled.read(buffer);
    rest += decoder.decode(buffer.subarray(0, read ?? 0), { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (!line.startsWith("{")) continue; // the head, and the sizes of the chunks
      const { event, data } = JSON.parse(line);
      if (event === "gap") {
        gaps++;
        next += data.lost;
      } else assertEquals(data[0], next++);
    }
  }
  assertEquals([gaps > 0, next], [true, total]);
});
