import { assert, assertEquals, assertRejects } from "@std/assert";
import { Limiter } from "../../../lib/stream/limiter.ts";
import { outbound, type OutboundOptions, type Outcome } from "../../../lib/http/outbound.ts";
import { granted } from "../../support/granted.ts";
import { until } from "../../support/server.ts";

const forever = new AbortController().signal;

/** A peer with this handler, and requests to it, one at a time. */
function setUp(
  handler: (request: Request) => Response | Promise<Response>,
  bounds: Partial<OutboundOptions> = {},
) {
  const peer = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, handler);
  const limiter = new Limiter(1);
  return {
    limiter,
    get: (options: Partial<OutboundOptions> = {}, signal = forever) =>
      outbound(`http://127.0.0.1:${peer.addr.port}/`, signal, {
        limiter,
        timeoutMs: 10_000,
        maxBytes: 10_000,
        ...bounds,
        ...options,
      }),
    [Symbol.asyncDispose]: () => peer.shutdown(),
  };
}

const kind = ({ error }: Outcome) => error;

Deno.test(
  { name: "outbound() gives the status, and the body where it is wanted", ignore: !granted.net },
  async () => {
    await using it = setUp(() => new Response("grün"));
    const { ms, ...outcome } = await it.get();
    assertEquals(outcome, { status: 200 });
    assert(ms > 0);
    assertEquals((await it.get({ body: true }) as { body?: string }).body, "grün");
  },
);

Deno.test(
  { name: "a response without a 2xx, a redirect too, is an error with its status", ignore: !granted.net },
  async () => {
    await using it = setUp(() => new Response(null, { status: 302, headers: { Location: "/elsewhere" } }));
    const outcome = await it.get();
    assertEquals([kind(outcome), (outcome as { status: number }).status], ["status", 302]);
  },
);

Deno.test({ name: "no peer is a connection error", ignore: !granted.net }, async () => {
  const it = setUp(() => new Response());
  await it[Symbol.asyncDispose]();
  assertEquals(kind(await it.get()), "connection");
});

Deno.test(
  { name: "a response, or a body, that does not arrive in time is a timeout", ignore: !granted.net },
  async () => {
    const peer = Promise.withResolvers<Response>();
    await using it = setUp(() => peer.promise, { timeoutMs: 30 });
    assertEquals(kind(await it.get()), "timeout");
    peer.resolve(new Response());
    await using half = setUp(
      () =>
        new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(3)) })),
      { timeoutMs: 30 },
    );
    assertEquals(kind(await half.get()), "timeout");
  },
);

Deno.test({ name: "a body beyond its limit is cancelled", ignore: !granted.net }, async () => {
  let cancelled = false;
  const endless = () =>
    new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1_000)),
      cancel: () => {
        cancelled = true;
      },
    });
  await using it = setUp(() => new Response(endless()));
  assertEquals(kind(await it.get({ body: true })), "size");
  await until(() => cancelled);
});

Deno.test(
  { name: "without a permit a request is not sent", ignore: !granted.net },
  async () => {
    let requests = 0;
    const peer = Promise.withResolvers<void>();
    await using it = setUp(async () => {
      requests++;
      await peer.promise;
      return new Response();
    });
    const first = it.get();
    assertEquals(kind(await it.get()), "busy");
    peer.resolve();
    assertEquals(kind(await first), undefined);
    assertEquals([requests, it.limiter.used], [1, 0]);
  },
);

Deno.test({ name: "an abort rejects with its reason, at once", ignore: !granted.net }, async () => {
  const peer = Promise.withResolvers<Response>();
  await using it = setUp(() => peer.promise);
  const stop = new AbortController();
  const outcome = it.get({}, stop.signal);
  stop.abort(new Error("gone"));
  assertEquals((await assertRejects(() => outcome, Error)).message, "gone");
  assertEquals(it.limiter.used, 0);
  peer.resolve(new Response());
});
