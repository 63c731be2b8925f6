import { assertEquals, assertRejects } from "@std/assert";
import { Bodies } from "../../../lib/http/body.ts";
import { HttpError } from "../../../lib/stream/errors.ts";

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

Deno.test("a body within its bound is read whole, wherever it is cut", async () => {
  const bodies = new Bodies(limits);
  const bytes = new TextEncoder().encode("grün");
  assertEquals(await bodies.text(post([bytes.subarray(0, 3), bytes.subarray(3)]).request), "grün");
  assertEquals(await bodies.text(new Request("http://localhost/", { method: "POST" })), "");
  assertEquals(bodies.held, 0);
});

Deno.test("a body that says it is too large is refused before it is read", async () => {
  const { request } = post([], { end: false, headers: { "Content-Length": "11" } });
  assertEquals(await status(new Bodies(limits).text(request)), 413);
  assertEquals(request.bodyUsed, false);
  await request.body!.cancel();
});

Deno.test("a body that turns out too large is refused and not read on", async () => {
  const bodies = new Bodies(limits);
  const { request, cancelled } = post(["123456", "78901", "2"], { end: false });
  assertEquals(await status(bodies.text(request)), 413);
  assertEquals([cancelled(), bodies.held], [true, 0]);
});

Deno.test("a body that stops half-way is given up in time", async () => {
  const bodies = new Bodies({ ...limits, bodyMs: 20 });
  const { request, cancelled } = post(["half"], { end: false });
  assertEquals(await status(bodies.text(request)), 408);
  assertEquals([cancelled(), bodies.held], [true, 0]);
});

Deno.test("all bodies together have a bound", async () => {
  const bodies = new Bodies({ ...limits, bodiesBytes: 12, bodyMs: 30 });
  const slow = bodies.text(post(["1234567"], { end: false }).request);
  assertEquals(await status(bodies.text(post(["1234567"]).request)), 503);
  assertEquals(await status(slow), 408);
  assertEquals(await bodies.text(post(["1234567"]).request), "1234567");
});

Deno.test("a body that is not UTF-8 is refused", async () => {
  assertEquals(await status(new Bodies(limits).text(post([new Uint8Array([0x61, 0xff])]).request)), 400);
});

Deno.test("a body in another coding or charset is refused, not misread", async () => {
  const bodies = new Bodies(limits);
  for (
    const headers of [
      { "Content-Encoding": "br" },
      { "Content-Encoding": "gzip, identity" },
      { "Content-Type": "text/plain; charset=utf-16le" },
      { "Content-Type": 'application/json; x=y; Charset="iso-8859-1"' },
    ]
  ) assertEquals(await status(bodies.text(post(["x"], { headers }).request)), 415);
  for (
    const headers of [
      { "Content-Encoding": "identity" },
      { "Content-Type": 'text/plain;charset="UTF-8"' },
      { "Content-Type": "text/plain; charset=us-ascii" },
    ]
  ) assertEquals(await bodies.text(post(["x"], { headers }).request), "x");
});

Deno.test("a body that breaks off as the server goes away is the server's fault", async () => {
  let draining = false;
  const bodies = new Bodies(limits, () => draining);
  const broken = () =>
    new Request("http://localhost/", {
      method: "POST",
      body: new ReadableStream({ pull: (controller) => controller.error(new Error("broken")) }),
    });
  assertEquals(await status(bodies.text(broken())), 400);
  draining = true;
  assertEquals(await status(bodies.text(broken())), 503);
});
