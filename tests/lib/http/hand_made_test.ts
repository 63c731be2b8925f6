import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { sleep } from "../../../lib/stream/clock.ts";
import type { Handler } from "../../../lib/handler.ts";
import { granted } from "../../support/granted.ts";
import { serve, type TestServer, until } from "../../support/server.ts";
import { open, route } from "../../support/wire.ts";
import { turns } from "../../support/turns.ts";

const ignore = !granted.server;
const long = 1_000_000;
const bytes = (text: string) => new TextEncoder().encode(text);

/** A stream made by hand, that goes on until `signal` aborts, or for good. */
function ticking(signal?: AbortSignal): ReadableStream {
  let first = true;
  return new ReadableStream({
    async pull(controller) {
      if (first) controller.enqueue(bytes("x"));
      else {
        await (signal === undefined ? new Promise(() => {}) : sleep(long, signal).catch(() => {}));
        controller.close();
      }
      first = false;
    },
  });
}

/** The end and the bytes of each line in the access log. */
async function logged({ app, folder }: TestServer): Promise<[end: string, bytes: number | null][]> {
  await app.accessLog.close();
  const lines = (await Deno.readTextFile(`${folder}/logs/access.log`)).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line)).map(({ end, bytes }) => [end, bytes]);
}

async function health({ origin }: TestServer): Promise<Record<string, number>> {
  return await (await fetch(`${origin}/healthz`)).json();
}

const healthz = route("/healthz", (await import("../../../handlers/health.ts")).health);

Deno.test({
  name: "a stream made by hand counts as open from its return to its end",
  ignore,
  async fn() {
    await using server = await serve({ routes: [healthz, route("/", () => new Response(ticking()))] });
    const reading = await open(server.origin);
    await reading.until("x");
    assertEquals([server.server.open, (await health(server)).hand_made], [1, 1]);
    reading.leave();
    await until(() => server.server.open === 0);
    assertEquals((await health(server)).hand_made, 0);
  },
});

/** Handlers that read `context.signal` before their response, and only when it is read. */
const signalled: Record<string, (seen: (signal: AbortSignal) => void) => Handler> = {
  "before its response": (seen) => (_request, context) => {
    const { signal } = context;
    seen(signal);
    return new Response(ticking(signal));
  },
  "within its stream": (seen) => (_request, context) =>
    new Response(
      ReadableStream.from((async function* () {
        await turns();
        seen(context.signal);
        yield bytes("x");
        await sleep(long, context.signal).catch(() => {});
      })()),
    ),
};
for (const [when, make] of Object.entries(signalled)) {
  Deno.test({
    name: `context.signal, read ${when}, aborts when the client of a stream made by hand leaves`,
    ignore,
    async fn() {
      let signal: AbortSignal | undefined;
      await using server = await serve({ routes: [route("/", make((given) => signal = given))] });
      const reading = await open(server.origin);
      await reading.until("x");
      assertEquals(signal?.aborted, false);
      reading.leave();
      await until(() => signal!.aborted);
      await until(() => server.server.open === 0);
    },
  });

  Deno.test({
    name: `context.signal, read ${when}, aborts when the server drains under a stream made by hand`,
    ignore,
    async fn() {
      let signal: AbortSignal | undefined;
      await using server = await serve({ routes: [route("/", make((given) => signal = given))] });
      const reading = await open(server.origin);
      await reading.until("x");
      await server.server.drain();
      assertEquals(signal?.aborted, true);
      await reading.rest();
      await until(() => server.server.open === 0);
    },
  });
}

Deno.test({
  name: "context.signal, read after the drain began, has aborted for a stream made by hand",
  ignore,
  async fn() {
    const { promise, resolve } = Promise.withResolvers<void>();
    let aborted: boolean | undefined;
    await using server = await serve({
      routes: [route("/", (_request, context) =>
        new Response(
          ReadableStream.from((async function* () {
            yield bytes("x");
            await promise;
            aborted = context.signal.aborted;
          })()),
        ))],
    });
    const reading = await open(server.origin);
    await reading.until("x");
    await server.server.drain();
    resolve();
    await reading.rest();
    assertEquals(aborted, true);
  },
});

Deno.test({
  name: "a handler whose server drains before its response is not aborted",
  ignore,
  async fn() {
    const { promise, resolve } = Promise.withResolvers<void>();
    let asked = false;
    let signal: AbortSignal | undefined;
    await using server = await serve({
      routes: [route("/", async (_request, context) => {
        signal = context.signal;
        asked = true;
        await promise;
        return new Response("done");
      })],
    });
    const answer = fetch(server.origin);
    await until(() => asked);
    await server.server.drain();
    assertEquals(signal!.aborted, false);
    resolve();
    assertEquals(await (await answer).text(), "done");
  },
});

Deno.test({
  name: "the access line of a stream made by hand says complete at its end, and no bytes",
  ignore,
  async fn() {
    await using server = await serve({
      routes: [route("/", () =>
        new Response(ReadableStream.from((async function* () {
          yield bytes("x");
          await turns();
          yield bytes("y");
        })())))],
    });
    assertEquals(await (await fetch(server.origin)).text(), "xy");
    await until(() => server.server.open === 0);
    assertEquals(await logged(server), [["complete", null]]);
  },
});

Deno.test({
  name: "the access line of a body made by hand has its Content-Length",
  ignore,
  async fn() {
    await using server = await serve({
      routes: [
        route(
          "/",
          () => new Response(ReadableStream.from([bytes("xyz")]), { headers: { "Content-Length": "3" } }),
        ),
      ],
    });
    assertEquals(await (await fetch(server.origin)).text(), "xyz");
    await until(() => server.app.traffic.requests === 1);
    assertEquals(await logged(server), [["complete", 3]]);
  },
});

Deno.test({
  name: "the access line of a stream made by hand says cut when its client leaves",
  ignore,
  async fn() {
    await using server = await serve({ routes: [route("/", () => new Response(ticking()))] });
    const reading = await open(server.origin);
    await reading.until("x");
    reading.leave();
    await until(() => server.server.open === 0);
    assertEquals(await logged(server), [["cut", null]]);
  },
});

Deno.test({
  name: "the access line of a stream made by hand says cut when it fails, and the failure is reported",
  ignore,
  async fn() {
    await using server = await serve({
      routes: [route("/", () =>
        new Response(ReadableStream.from((async function* () {
          yield bytes("x");
          await turns();
          throw new Error("secret");
        })())))],
    });
    const reading = await open(server.origin);
    await assertRejects(() => reading.rest());
    await until(() => server.server.open === 0);
    assertEquals(await logged(server), [["cut", null]]);
    assertStringIncludes(server.reports(), "secret");
  },
});

Deno.test({
  name: "the access line of a stream made by hand says cut when it fails before anything of it was sent",
  ignore,
  async fn() {
    const failing = () =>
      new ReadableStream({ start: (controller) => controller.error(new Error("secret")) });
    await using server = await serve({ routes: [route("/", () => new Response(failing()))] });
    await fetch(server.origin).then((response) => response.text()).catch(() => {});
    await until(() => server.server.open === 0);
    assertEquals(await logged(server), [["cut", null]]);
  },
});

Deno.test({
  name: "a stream made by hand that outlasts the drain is cut in the access log at the exit",
  ignore,
  async fn() {
    await using server = await serve({ routes: [route("/", () => new Response(ticking()))] });
    const reading = await open(server.origin);
    await reading.until("x");
    server.server.bodies.cancel();
    assertEquals([server.server.open, await logged(server)], [0, [["cut", null]]]);
    reading.leave();
  },
});

Deno.test({
  name: "a refusal with a body made by hand is one line, refused",
  ignore,
  async fn() {
    await using server = await serve({ routes: [route("/", () => new Response("no", { status: 403 }))] });
    assertEquals(await (await fetch(server.origin)).text(), "no");
    await until(() => server.app.traffic.requests === 1);
    assertEquals(await logged(server), [["refused", null]]);
  },
});

Deno.test({
  name: "HEAD of a stream made by hand cancels it unread, and has its headers",
  ignore,
  async fn() {
    let cancelled = false, started = false;
    await using server = await serve({
      routes: [route("/", () => {
        const stream = new ReadableStream({
          pull: () => void (started = true),
          cancel: () => void (cancelled = true),
        }, { highWaterMark: 0 });
        return new Response(stream, { status: 203, headers: { "X-A": "1" } });
      })],
    });
    const response = await fetch(server.origin, { method: "HEAD" });
    assertEquals([response.status, response.headers.get("x-a"), cancelled, started], [203, "1", true, false]);
    assertEquals([server.server.open, await logged(server)], [0, [["complete", 0]]]);
  },
});
