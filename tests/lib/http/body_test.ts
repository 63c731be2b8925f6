import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { RequestBodies } from "../../../lib/http/body.ts";
import { HttpError } from "../../../lib/stream/errors.ts";
import { granted } from "../../support/granted.ts";
import { until } from "../../support/server.ts";
import { send } from "../../support/wire.ts";

const limits = { bodyBytes: 10, bodyMs: 10_000, bodiesBytes: 1_000 };

/** A request whose body comes in these pieces; without an end, it stays half. */
function post(pieces: (string | Uint8Array)[], { end = true, headers = {} } = {}) {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) {
        controller.enqueue(typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
      }
      if (end) controller.close();
    },
    cancel() {
      cancelled = true;
    },
  });
  const request = new Request("http://localhost/", { method: "POST", body, headers });
  return { request, cancelled: () => cancelled };
}

async function status(promise: Promise<unknown>): Promise<number> {
  return (await assertRejects(() => promise, HttpError)).status;
}

Deno.test("a body within its limit is read whole, wherever its chunks are cut", async () => {
  const bodies = new RequestBodies(limits);
  const bytes = new TextEncoder().encode("grün");
  assertEquals(await bodies.text(post([bytes.subarray(0, 3), bytes.subarray(3)]).request), "grün");
  assertEquals(await bodies.text(new Request("http://localhost/", { method: "POST" })), "");
  assertEquals(bodies.held, 0);
});

Deno.test("a body whose Content-Length is too large is refused unread", async () => {
  const { request } = post([], { end: false, headers: { "Content-Length": "11" } });
  assertEquals(await status(new RequestBodies(limits).text(request)), 413);
  assertEquals(request.bodyUsed, false);
  await request.body!.cancel();
});

Deno.test("a body that turns out too large is refused and not read on", async () => {
  const bodies = new RequestBodies(limits);
  const { request, cancelled } = post(["123456", "78901", "2"], { end: false });
  assertEquals(await status(bodies.text(request)), 413);
  assertEquals([cancelled(), bodies.held], [true, 0]);
});

Deno.test("a body in chunks of one byte, all there at once, is answered 408 in time", async () => {
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(1)),
  });
  const request = new Request("http://localhost/", { method: "POST", body });
  const bodies = new RequestBodies({ bodyBytes: 1_000_000, bodyMs: 5, bodiesBytes: 10_000_000 });
  assertEquals(await status(bodies.text(request)), 408);
});

for (const headers of [{}, { "Content-Length": "9" }] as const) {
  Deno.test(`a body with ${JSON.stringify(headers)} that stops half-way is answered 408`, async () => {
    const bodies = new RequestBodies({ ...limits, bodyMs: 20 });
    const { request, cancelled } = post(["half"], { end: false, headers });
    assertEquals(await status(bodies.text(request)), 408);
    assertEquals([cancelled(), bodies.held], [true, 0]);
  });
}

Deno.test(
  { name: "a body in chunks of one byte holds less than twice its bytes", ignore: !granted.net },
  async () => {
    const bodies = new RequestBodies({ bodyBytes: 65_536, bodyMs: 10_000, bodiesBytes: 65_536 });
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async (request) => new Response(await bodies.text(request)),
    );
    using client = await send(
      server.addr.port,
      "POST / HTTP/1.1\nHost: localhost\nConnection: close\nTransfer-Encoding: chunked\n\n",
    );
    const write = (text: string) => client.write(new TextEncoder().encode(text));
    for (let i = 0; i < 600; i++) await write("1\r\nx\r\n");
    await until(() => bodies.held >= 600);
    assert(bodies.held < 1_200, `holds ${bodies.held} bytes`);
    await write("0\r\n\r\n");
    assertMatch(await new Response(client.readable).text(), /\r\n\r\nx{600}$/);
    assertEquals(bodies.held, 0);
  },
);

Deno.test("all bodies together have a limit", async () => {
  const bodies = new RequestBodies({ ...limits, bodiesBytes: 12, bodyMs: 30 });
  const slow = bodies.text(post(["1234567"], { end: false }).request);
  assertEquals(await status(bodies.text(post(["1234567"]).request)), 503);
  assertEquals(await status(slow), 408);
  assertEquals(await bodies.text(post(["1234567"]).request), "1234567");
});

Deno.test("a body that is not UTF-8 is refused", async () => {
  assertEquals(
    await status(new RequestBodies(limits).text(post([new Uint8Array([0x61, 0xff])]).request)),
    400,
  );
});

Deno.test("a body in another coding or charset is refused", async () => {
  const bodies = new RequestBodies(limits);
  for (
    const headers of [
      { "Content-Encoding": "br" },
      { "Content-Encoding": "gzip, identity" },
      { "Content-Type": "text/plain; charset=utf-16le" },
      { "Content-Type": 'application/json; x=y; Charset="iso-8859-1"' },
      { "Content-Type": "text/plain; utf-16" },
    ]
  ) assertEquals(await status(bodies.text(post(["x"], { headers }).request)), 415);
});

Deno.test("a body in UTF-8 by any of its names is read", async () => {
  const bodies = new RequestBodies(limits);
  for (
    const headers of [
      { "Content-Encoding": "identity" },
      { "Content-Type": 'text/plain;charset="UTF-8"' },
      { "Content-Type": "text/plain; charset=us-ascii" },
    ]
  ) assertEquals(await bodies.text(post(["x"], { headers }).request), "x");
});

Deno.test("a body that breaks off is the server's fault once it drains", async () => {
  const drain = new AbortController();
  const bodies = new RequestBodies(limits, drain.signal);
  const broken = () =>
    new Request("http://localhost/", {
      method: "POST",
      body: new ReadableStream({ pull: (controller) => controller.error(new Error("broken")) }),
    });
  assertEquals(await status(bodies.text(broken())), 400);
  drain.abort();
  assertEquals(await status(bodies.text(broken())), 503);
});
