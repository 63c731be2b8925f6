import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { turns } from "../../support/turns.ts";
import { every, sleep } from "../../../lib/stream/clock.ts";
import type { StreamEvent } from "../../../lib/stream/event.ts";
import { HttpError, StreamEnd } from "../../../lib/stream/errors.ts";
import { merge } from "../../../lib/stream/merge.ts";
import { outbound } from "../../../lib/http/outbound.ts";
import type { Context, Route } from "../../../lib/handler.ts";
import { type StreamOptions, streamResponse } from "../../../lib/stream/response.ts";
import type { Source, Wanted } from "../../../lib/stream/source.ts";
import { granted } from "../../support/granted.ts";
import { serve, type TestServer, until } from "../../support/server.ts";
import { exchange, open, route, send } from "../../support/wire.ts";

const ignore = !granted.server;
const long = 1_000_000;

type Start = (
  wanted: Wanted & { app: Context["app"] },
  after: string | undefined,
) => AsyncIterable<unknown>;

/** A route that streams what the generator yields. */
function streams(start: Start, options?: StreamOptions, path = "/"): Route {
  return route(path, (_request, context) => {
    const source: Source = (wanted) =>
      start({
        app: context.app,
        after: wanted.after,
        format: wanted.format,
        get signal() {
          return wanted.signal;
        },
      }, wanted.after);
    return streamResponse(context, source, options);
  });
}

const idle = ({ app, server }: TestServer) => server.bodies.size === 0 && app.limits.streams.used === 0;

async function* three(): AsyncGenerator<StreamEvent> {
  yield { id: "1", data: "one" };
  yield { id: "2", data: { n: 2 } };
  yield { event: "last", data: 3 };
}

const bodies = {
  "text/plain; charset=utf-8": 'one\n{"n":2}\n3\n',
  "application/x-ndjson":
    '{"id":"1","data":"one"}\n{"id":"2","data":{"n":2}}\n{"event":"last","data":3}\n{"event":"end","data":{"reason":"complete"}}\n',
  "text/event-stream":
    'id: 1\ndata: one\n\nid: 2\ndata: {"n":2}\n\nevent: last\ndata: 3\n\nid: end\nevent: end\ndata: {"reason":"complete"}\n\n',
};

Deno.test({
  name:
    "one generator is text, NDJSON and SSE, whole or in pieces, and every format says that it is complete",
  ignore,
  async fn() {
    const slow: Start = async function* () {
      for await (const event of three()) {
        yield event;
        await turns();
      }
    };
    await using server = await serve({ routes: [streams(three), streams(slow, {}, "/slow")] });
    for (const path of ["/", "/slow"]) {
      for (const [type, body] of Object.entries(bodies)) {
        const response = await fetch(server.origin + path, { headers: { accept: type.split(";")[0] } });
        assertEquals(response.status, 200);
        assertEquals(response.headers.get("content-type"), type);
        assertEquals(response.headers.get("cache-control"), "no-store, no-transform");
        assertEquals(response.headers.get("x-accel-buffering"), "no");
        assertEquals(response.headers.get("incremental"), "?1");
        assertEquals(response.headers.get("x-content-type-options"), "nosniff");
        assertEquals(await response.text(), body);
      }
    }
    await until(() => idle(server));
  },
});

Deno.test({
  name: "a route has its own format and its own wording",
  ignore,
  async fn() {
    await using server = await serve({
      routes: [streams(three, { format: "sse", line: ({ data }) => `<${JSON.stringify(data)}>` })],
    });
    assertEquals(await (await fetch(server.origin)).text(), bodies["text/event-stream"]);
    assertEquals(await (await fetch(`${server.origin}/?format=text`)).text(), '<"one">\n<{"n":2}>\n<3>\n');
  },
});

Deno.test({
  name: "Last-Event-ID wins over ?after, and either reaches the generator as it is",
  ignore,
  async fn() {
    await using server = await serve({
      routes: [streams(async function* (_, after) {
        yield { data: after === undefined ? "first visit" : `after ${after}` };
      })],
    });
    const ask = async (query: string, headers = {}) =>
      (await (await fetch(server.origin + query, { headers })).text()).trim();
    assertEquals(await ask("/"), "first visit");
    assertEquals(await ask("/?after=7"), "after 7");
    assertEquals(await ask("/?after="), "first visit");
    assertEquals(await ask("/?after=a%20b%2Bc"), "after a b+c");
    assertEquals(await ask("/?after=7", { "last-event-id": "9" }), "after 9");
    assertEquals(await ask("/?after=7&lastEventId=8"), "after 8");
    assertEquals(await ask("/?lastEventId=8", { "last-event-id": "9" }), "after 9");
    assertEquals(await ask("/?lastEventId=&after=7", { "last-event-id": "" }), "after 7");
    assertEquals(await ask("/", { "last-event-id": "" }), "first visit");
  },
});

Deno.test({
  name: "what starts nothing starts nothing: 204 after the end, HEAD, 400, 406",
  ignore,
  async fn() {
    let started = 0;
    await using server = await serve({
      routes: [streams(async function* () {
        started++;
        yield { data: 1 };
      })],
    });
    const ask = async (query: string, init: RequestInit) => {
      const response = await fetch(server.origin + query, init);
      return [response.status, await response.text()];
    };
    assertEquals(await ask("/", { headers: { "last-event-id": "end" } }), [204, ""]);
    assertEquals(await ask("/?after=end", {}), [204, ""]);
    assertEquals(await ask("/?after=3", { headers: { "last-event-id": "end" } }), [204, ""]);
    assertEquals(await ask("/", { method: "HEAD" }), [200, ""]);
    assertEquals((await ask("/?format=xml", {}))[0], 400);
    assertEquals((await ask("/", { headers: { accept: "image/png" } }))[0], 406);
    assertEquals((await ask("/?format=xml", { method: "HEAD" }))[0], 400);
    assertEquals([started, server.app.limits.streams.used], [0, 0]);
    // The header wins here, too.
    assertEquals((await ask("/?after=end", { headers: { "last-event-id": "3" } }))[0], 200);
    assertEquals(started, 1);
  },
});

Deno.test({
  name: "HEAD has the headers of GET, and no length",
  ignore,
  async fn() {
    await using server = await serve({ routes: [streams(three)] });
    const head = await exchange(server.port, "HEAD / HTTP/1.1\nHost: localhost\nConnection: close\n\n");
    assertMatch(head, /^HTTP\/1\.1 200 OK\r\n/);
    assertMatch(head, /content-type: text\/plain; charset=utf-8\r\n/i);
    assertEquals(/content-length/i.test(head), false);
  },
});

Deno.test({
  name: "before the first event a failure is a real status, and tells nothing of the inside",
  ignore,
  async fn() {
    const fails = (error: unknown): Start =>
      async function* () {
        await null;
        if (error !== null) throw error;
        yield { data: 1 };
      };
    await using server = await serve({
      routes: [
        streams(fails(new Error("secret")), {}, "/inside"),
        streams(fails(new HttpError(404, "no such thing")), {}, "/http"),
        streams(
          // deno-lint-ignore require-yield -- it fails before
          async function* () {
            await turns();
            throw new HttpError(409, "not now");
          },
          {},
          "/late",
        ),
        streams(
          () => {
            throw new Error("secret");
          },
          {},
          "/start",
        ),
        streams(
          async function* () {
            yield { data: 1n };
          },
          { format: "ndjson" },
          "/bigint",
        ),
        streams(
          async function* () {
            yield { id: "a\nb", data: 1 };
          },
          { format: "sse" },
          "/id",
        ),
      ],
    });
    for (const format of ["text", "ndjson", "sse"]) {
      for (
        const [path, status, error] of [
          ["/inside", 500, "internal server error"],
          ["/start", 500, "internal server error"],
          ["/http", 404, "no such thing"],
          ["/late", 409, "not now"],
        ]
      ) {
        const response = await fetch(`${server.origin}${path}?format=${format}`);
        assertEquals([response.status, await response.json()], [status, { error }]);
        assertEquals(response.headers.get("content-type"), "application/json");
      }
    }
    for (const path of ["/bigint", "/id"]) {
      const response = await fetch(server.origin + path);
      assertEquals([response.status, await response.json()], [500, { error: "internal server error" }]);
    }
    await until(() => idle(server));
    assertMatch(server.reports(), /secret/);
  },
});

Deno.test({
  name: "a StreamEnd before the first event is the end of a stream with status 200, and a reset as text",
  ignore,
  async fn() {
    await using server = await serve({
      routes: [
        streams(
          // deno-lint-ignore require-yield -- it ends before
          async function* () {
            throw new StreamEnd("lost");
          },
          {},
          "/source",
        ),
        streams(
          () => {
            throw new StreamEnd("lost");
          },
          {},
          "/start",
        ),
      ],
    });
    for (const path of ["/source", "/start"]) {
      const get = (format: string) => fetch(`${server.origin}${path}?format=${format}`);
      const [ndjson, sse] = [await get("ndjson"), await get("sse")];
      assertEquals([ndjson.status, await ndjson.text()], [200, '{"event":"end","data":{"reason":"lost"}}\n']);
      assertEquals([sse.status, await sse.text()], [200, 'id: end\nevent: end\ndata: {"reason":"lost"}\n\n']);
      await assertRejects(async () => await (await get("text")).text());
    }
    await until(() => idle(server));
    assertEquals(/lost/.test(server.reports().replaceAll(/a response was cut.*/g, "")), false);
  },
});

Deno.test({
  name: "a source that returns no async iterable is a 500 that says so to the operator",
  ignore,
  async fn() {
    await using server = await serve({ routes: [streams((() => [1]) as unknown as Start)] });
    const response = await fetch(server.origin);
    assertEquals([response.status, await response.json()], [500, { error: "internal server error" }]);
    assertMatch(server.reports(), /must return an async iterable: current value is \[ 1 \]/);
  },
});

Deno.test({
  name: "the headers do not wait for good for a first event",
  ignore,
  async fn() {
    let fail = () => {};
    await using server = await serve({
      // deno-lint-ignore require-yield -- it fails before
      routes: [streams(async function* () {
        await new Promise<void>((resolve) => fail = resolve);
        throw new Error("secret");
      })],
    });
    for (const [format, end] of [["ndjson", '{"event":"end","data":{"reason":"error"}}\n'], ["text", null]]) {
      const reading = await open(`${server.origin}/?format=${format}`);
      assertEquals(reading.response.status, 200);
      fail();
      if (end === null) await assertRejects(() => reading.rest());
      else assertEquals(await reading.rest(), end);
    }
    await until(() => idle(server));
  },
});

Deno.test({
  name: "after the first event a failure is a terminal record, and for text a reset after the last value",
  ignore,
  async fn() {
    await using server = await serve({
      routes: [
        streams(
          async function* () {
            yield { data: "x" };
            await turns();
            throw new Error("secret");
          },
          {},
          "/later",
        ),
        streams(
          async function* () {
            yield { data: "x" };
            throw new Error("secret");
          },
          {},
          "/at-once",
        ),
      ],
    });
    for (const path of ["/later", "/at-once"]) {
      const get = async (format: string) =>
        await (await fetch(`${server.origin}${path}?format=${format}`)).text();
      assertEquals(await get("ndjson"), '{"data":"x"}\n{"event":"end","data":{"reason":"error"}}\n');
      assertEquals(await get("sse"), 'data: x\n\nevent: end\ndata: {"reason":"error"}\n\n');
      // What is written right before a reset may be lost with it, so only the slow one is sure to have its first line.
      if (path === "/later") {
        const text = await open(server.origin + path);
        assertEquals([text.response.status, await text.until("x\n")], [200, "x\n"]);
        await assertRejects(() => text.rest());
      } else await assertRejects(async () => await (await open(server.origin + path)).rest());
      // A program that reads the bytes sees no last chunk, which is how HTTP/1.1 says that a body is whole.
      const bytes = await exchange(server.port, `GET ${path} HTTP/1.1\nHost: localhost\n\n`).catch(() => "");
      assertEquals(bytes.endsWith("0\r\n\r\n"), false);
    }
    await until(() => idle(server));
    assertMatch(server.reports(), /secret/);
  },
});

/** An upstream that takes requests and never answers. */
async function silent(): Promise<AsyncDisposable & { url: string; asked(): boolean }> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = false;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async () => {
    asked = true;
    await promise;
    return new Response();
  });
  await null;
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      resolve();
      await server.shutdown();
    },
  };
}

Deno.test({
  name: "when the client goes, the generator's finally runs, whatever it awaits",
  ignore,
  async fn() {
    await using upstream = await silent();
    let clean = 0;
    let pulled = 0;
    const guarded = (inner: Start): Start =>
      async function* (wanted, after) {
        try {
          pulled++;
          yield* inner(wanted, after);
        } finally {
          clean++;
        }
      };
    const routes: Record<string, Start> = {
      sleeps: async function* ({ signal }) {
        yield { data: "x" };
        await sleep(long, signal);
      },
      "awaits an upstream request": async function* ({ app, signal }) {
        yield { data: "x" };
        await outbound(upstream.url, signal, {
          limiter: app.limits.outbound,
          timeoutMs: 5_000,
          maxBytes: 1_024,
        });
      },
      "is merged with nine others": ({ signal }) =>
        merge((signal) =>
          Array.from({ length: 10 }, async function* () {
            for await (const _ of every(long, signal)) yield { data: "x" };
          }), { signal }),
      "never stops yielding": async function* () {
        for (;;) yield { data: "x" };
      },
      "has not yielded yet": async function* ({ signal }) {
        await sleep(long, signal);
        yield { data: "never" };
      },
    };
    await using server = await serve({
      limits: { outboundMs: long },
      routes: Object.entries(routes).map(([name, start]) =>
        streams(guarded(start), {}, `/${name.replaceAll(" ", "-")}`)
      ),
    });
    for (const name of Object.keys(routes)) {
      const path = `/${name.replaceAll(" ", "-")}`;
      [clean, pulled] = [0, 0];
      if (name === "has not yielded yet") {
        // Before its headers a response hears of its client in another way than after them.
        const conn = await send(server.port, `GET ${path} HTTP/1.1\nHost: localhost\n\n`);
        await until(() => pulled === 1);
        conn.close();
      } else {
        const reading = await open(server.origin + path);
        await reading.until("x");
        if (name === "awaits an upstream request") await until(upstream.asked);
        reading.leave();
      }
      await until(() => clean === 1);
    }
    await until(() => idle(server) && server.app.limits.outbound.used === 0);
  },
});

Deno.test({
  name: "a client that goes before the headers ends its generator",
  ignore,
  async fn() {
    let pulled = false, clean = false;
    await using server = await serve({
      routes: [streams(async function* ({ signal }) {
        try {
          pulled = true;
          await sleep(long, signal);
          yield { data: 1 };
        } finally {
          clean = true;
        }
      })],
    });
    const conn = await send(server.port, "GET / HTTP/1.1\nHost: localhost\n\n");
    await until(() => pulled);
    conn.close();
    await until(() => clean && idle(server));
  },
});

Deno.test({
  name: "a generator that ignores its abort keeps its permit until it stops ignoring",
  ignore,
  async fn() {
    const { promise, resolve } = Promise.withResolvers<void>();
    let clean = false;
    await using server = await serve({
      routes: [streams(async function* () {
        try {
          yield { data: "x" };
          await promise;
        } finally {
          clean = true;
        }
      })],
    });
    const reading = await open(server.origin);
    await reading.until("x");
    reading.leave();
    await until(() => server.server.bodies.size === 0);
    assertEquals([clean, server.app.limits.streams.used], [false, 1]);
    resolve();
    await until(() => clean && idle(server));
  },
});

Deno.test({
  name: "a completed stream never aborts its signal",
  ignore,
  async fn() {
    const signals: AbortSignal[] = [];
    await using server = await serve({
      routes: [streams(async function* ({ signal }) {
        signals.push(signal);
        yield { data: 1 };
        await turns();
        yield { data: 2 };
      })],
    });
    for (const format of ["text", "ndjson", "sse"]) {
      await (await fetch(`${server.origin}/?format=${format}`)).text();
    }
    await until(() => idle(server));
    assertEquals(signals.map((signal) => signal.aborted), [false, false, false]);
  },
});

Deno.test({
  name: "a reader that stops stops an endless generator",
  ignore,
  async fn() {
    let yielded = 0;
    let clean = false;
    await using server = await serve({
      routes: [streams(async function* () {
        try {
          for (;;) {
            yielded++;
            yield { data: "x".repeat(1_023) };
          }
        } finally {
          clean = true;
        }
      })],
    });
    const conn = await send(server.port, "GET / HTTP/1.1\nHost: localhost\n\n");
    // Turns in which nothing was yielded: the socket's buffers are full.
    let last = -1, same = 0;
    await until(() => {
      same = yielded === last ? same + 1 : 0;
      last = yielded;
      return same >= 100;
    });
    assert(yielded > 0 && yielded < 32_768, `${yielded} KiB for a reader that reads nothing`);
    assertEquals(server.server.bodies.size, 1);
    conn.close();
    await until(() => clean && idle(server));
  },
});

Deno.test({
  name: "six readers of generators that never wait leave room for others",
  ignore,
  async fn() {
    await using server = await serve({
      routes: [
        streams(async function* () {
          for (;;) yield { data: "x" };
        }),
        route("/other", () => new Response("here")),
      ],
    });
    let reading = true;
    let bytes = 0;
    const readers = Array.from({ length: 6 }, async () => {
      using conn = await send(server.port, "GET / HTTP/1.1\nHost: localhost\n\n");
      const buffer = new Uint8Array(65_536);
      while (reading) bytes += await conn.read(buffer) ?? 0;
    });
    await until(() => bytes > 1_000_000);
    for (let n = 0; n < 10; n++) assertEquals(await (await fetch(`${server.origin}/other`)).text(), "here");
    reading = false;
    await Promise.all(readers);
    await until(() => idle(server));
  },
});

Deno.test({
  name: "1,000 clients that leave at random moments leave nothing, nor do 1,000 HEADs",
  ignore,
  async fn() {
    let running = 0;
    const counted = (inner: Start): Start =>
      async function* (context, after) {
        running++;
        try {
          yield* inner(context, after);
        } finally {
          running--;
        }
      };
    await using server = await serve({
      routes: [
        streams(
          counted(async function* ({ signal }) {
            for await (const _ of every(5, signal)) yield { data: "x" };
          }),
          {},
          "/ticks",
        ),
        streams(
          counted(async function* () {
            for (;;) yield { data: "x".repeat(100) };
          }),
          {},
          "/floods",
        ),
        streams(
          counted(async function* ({ signal }) {
            await sleep(long, signal);
            yield { data: 1 };
          }),
          {},
          "/waits",
        ),
        streams(
          counted(({ signal }) =>
            merge((signal) =>
              Array.from({ length: 10 }, async function* () {
                for await (const _ of every(3, signal)) yield { data: "x" };
              }), { signal })
          ),
          {},
          "/merges",
        ),
        streams(counted(three), {}, "/ends"),
      ],
    });
    const paths = ["/ticks", "/floods", "/waits", "/merges", "/ends"];
    const formats = ["text", "ndjson", "sse"];
    let started = 0;
    const client = async () => {
      while (started < 1_000) {
        const n = started++;
        const path = `${paths[n % 5]}?format=${formats[n % 3]}`;
        const conn = await send(server.port, `GET ${path} HTTP/1.1\nHost: localhost\n\n`);
        const read = Math.random() < 0.5 ? conn.read(new Uint8Array(65_536)).catch(() => null) : null;
        for (let n = Math.random() ** 3 * 100; n > 0; n--) await turns();
        conn.close();
        await read;
      }
    };
    await Promise.all(Array.from({ length: 50 }, client));
    await until(() => idle(server) && running === 0);
    for (let n = 0; n < 1_000; n++) {
      const response = await fetch(server.origin + paths[n % 5], { method: "HEAD" });
      assertEquals(response.status, 200);
      await response.body?.cancel();
    }
    assertEquals([idle(server), running], [true, 0]);
  },
});

Deno.test({
  name: "beyond the limit of streams a client gets 503 with Retry-After, and a freed permit is used",
  ignore,
  async fn() {
    await using server = await serve({
      limits: { streams: 2 },
      routes: [streams(async function* ({ signal }) {
        yield { data: "x" };
        await sleep(long, signal);
      })],
    });
    const readings = [await open(server.origin), await open(server.origin)];
    const refused = await fetch(server.origin);
    assertEquals([refused.status, refused.headers.get("retry-after"), await refused.json()], [503, "1", {
      error: "too many streams: at most 2 at once",
    }]);
    assertEquals((await fetch(server.origin, { method: "HEAD" })).status, 200);
    readings[0].leave();
    await until(() => server.app.limits.streams.used === 1);
    const third = await open(server.origin);
    assertEquals(third.response.status, 200);
    for (const reading of [readings[1], third]) reading.leave();
    await until(() => idle(server));
  },
});

Deno.test({
  name: "a drain tells every format, ends each generator, and refuses what comes later",
  ignore,
  async fn() {
    let clean = 0;
    await using server = await serve({
      routes: [streams(async function* ({ signal }) {
        try {
          yield { data: "x" };
          await sleep(long, signal);
        } finally {
          clean++;
        }
      })],
    });
    const [text, ndjson, sse] = await Promise.all(
      ["text", "ndjson", "sse"].map((format) => open(`${server.origin}/?format=${format}`)),
    );
    await Promise.all([text, ndjson, sse].map((reading) => reading.until("x")));
    const reset = assertRejects(() => text.rest());
    await server.server.drain();
    await reset;
    assertEquals(await ndjson.rest(), '{"data":"x"}\n{"event":"end","data":{"reason":"shutdown"}}\n');
    assertMatch(await sse.rest(), /^data: x\n\nevent: end\nretry: \d{4}\ndata: \{"reason":"shutdown"\}\n\n$/);
    await until(() => clean === 3 && idle(server));
    const refused = await fetch(server.origin);
    assertEquals([refused.status, refused.headers.get("retry-after")], [503, "2"]);
    await refused.body?.cancel();
  },
});

Deno.test({
  name: "a stream that has yielded nothing when the server drains is refused, or told so in its format",
  ignore,
  async fn() {
    let pulled = 0;
    await using server = await serve({
      routes: [streams(async function* ({ signal }) {
        pulled++;
        await sleep(long, signal);
        yield { data: "never" };
      })],
    });
    const answers = Promise.all(["text", "ndjson", "sse"].map(async (format) => {
      const response = await fetch(`${server.origin}/?format=${format}`);
      return [response.status, (await response.text()).replace(/(?<=retry: )\d{4}\n/, "N\n")];
    }));
    await until(() => pulled === 3);
    await server.server.drain();
    assertEquals(await answers, [
      [503, '{"error":"the server is shutting down"}\n'],
      [200, '{"event":"end","data":{"reason":"shutdown"}}\n'],
      [200, 'event: end\nretry: N\ndata: {"reason":"shutdown"}\n\n'],
    ]);
    await until(() => idle(server));
  },
});

Deno.test({
  name: "a handler that reaches its stream only after the drain began starts nothing",
  ignore,
  async fn() {
    const { promise, resolve } = Promise.withResolvers<void>();
    let asked = false, started = false;
    await using server = await serve({
      routes: [route("/", async (_request, context) => {
        asked = true;
        await promise;
        return await streamResponse(context, async function* ({ signal }) {
          started = true;
          yield { data: 1 };
          await sleep(long, signal);
        });
      })],
    });
    const answer = fetch(server.origin);
    await until(() => asked);
    await server.server.drain();
    resolve();
    const response = await answer;
    await response.body?.cancel();
    assertEquals([response.status, started, server.server.bodies.size], [503, false, 0]);
  },
});

Deno.test({
  name: "idle SSE and NDJSON connections get their ping, and text nothing",
  ignore,
  async fn() {
    await using server = await serve({
      routes: [streams(async function* ({ signal }) {
        yield { data: "x" };
        await sleep(long, signal);
      })],
    });
    const readings = await Promise.all(
      ["sse", "ndjson", "text"].map((format) => open(`${server.origin}/?format=${format}`)),
    );
    await Promise.all(readings.map((reading) => reading.until("x")));
    for (let second = 0; second < 15; second++) await server.server.bodies.tick();
    const [sse, ndjson, text] = readings;
    assertEquals(await sse.until("ping"), "data: x\n\n: ping\n");
    assertEquals(await ndjson.until("ping"), '{"data":"x"}\n{"event":"ping","data":null}\n');
    assertEquals(await text.until("x"), "x\n");
    for (const reading of readings) reading.leave();
    await until(() => idle(server));
  },
});

Deno.test({
  name: "the access log tells complete, cut and refused",
  ignore,
  async fn() {
    await using server = await serve({
      routes: [
        streams(three, {}, "/ends"),
        streams(
          async function* ({ signal }) {
            yield { data: "x" };
            await sleep(long, signal);
          },
          {},
          "/stays",
        ),
      ],
    });
    await (await fetch(`${server.origin}/ends`)).text();
    const reading = await open(`${server.origin}/stays`);
    await reading.until("x");
    reading.leave();
    await until(() => idle(server));
    await (await fetch(`${server.origin}/ends?format=xml`)).text();
    await server.app.accessLog.close();
    const lines = (await Deno.readTextFile(`${server.folder}/logs/access.log`)).trimEnd().split("\n");
    assertEquals(
      lines.map((line) => JSON.parse(line)).map(({ path, status, end, bytes }) => [path, status, end, bytes]),
      [["/ends", 200, "complete", 14], ["/stays", 200, "cut", 2], ["/ends", 400, "refused", 73]],
    );
  },
});
