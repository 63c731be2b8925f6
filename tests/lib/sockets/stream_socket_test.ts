import { assertEquals } from "@std/assert";
import { valueOf } from "../../../lib/channels/value.ts";
import { streamSocket, type StreamSocketOptions } from "../../../lib/sockets/stream_socket.ts";
import { sleep } from "../../../lib/stream/clock.ts";
import { HttpError, StreamEnd } from "../../../lib/stream/errors.ts";
import { gap } from "../../../lib/stream/event.ts";
import { streamResponse } from "../../../lib/stream/response.ts";
import type { Source } from "../../../lib/stream/source.ts";
import { granted } from "../../support/granted.ts";
import { serve, until } from "../../support/server.ts";
import { connect, leave, raw, upgrade } from "../../support/socket_client.ts";
import { allGone, closes } from "../../support/socket_server.ts";
import { turns } from "../../support/turns.ts";
import { exchange, route } from "../../support/wire.ts";

const options = { ignore: !granted.server };

/** A server with one source, over a socket at /ws and over HTTP at /http. */
function serveSource(source: Source, socketOptions: StreamSocketOptions = {}) {
  return serve({
    routes: [
      route("/ws", (request, context) => streamSocket(request, context, source, socketOptions)),
      route("/http", (_request, context) => streamResponse(context, source)),
    ],
  });
}

/** Three events with ids, after the cursor. */
const three: Source = async function* ({ after = "0", signal }) {
  if (!/^[0-3]$/.test(after)) {
    yield gap(after, "1", null);
    after = "0";
  }
  for (let n = Number(after) + 1; n <= 3; n++) {
    yield { id: String(n), data: `step ${n}` };
    await sleep(1, signal);
  }
};

/** Yields one event, and waits. */
function waiting() {
  const { promise: cleaned, resolve } = Promise.withResolvers<void>();
  const source: Source = async function* ({ signal }) {
    try {
      yield { id: "1", data: "first" };
      await sleep(1_000_000, signal);
    } finally {
      resolve();
    }
  };
  return { source, cleaned };
}

const end = (reason: string) => `{"event":"end","data":{"reason":"${reason}"}}\n`;

Deno.test(
  "a source's messages are the lines of its NDJSON, and its end closes with 1000",
  options,
  async () => {
    await using server = await serveSource(three);
    const client = await connect(`${server.origin}/ws`);
    assertEquals(await client.closed, { code: 1000, reason: "" });
    const http = await (await fetch(`${server.origin}/http?format=ndjson`)).text();
    assertEquals(client.messages.join(""), http);
  },
);

Deno.test("a socket goes on after its cursor, and gets a gap for one that is lost", options, async (test) => {
  await using server = await serveSource(three);
  const table: [after: string, expected: string[]][] = [
    ["2", ['{"id":"3","data":"step 3"}\n']],
    ["3", []],
    ["lost", [
      '{"event":"gap","data":{"after":"lost","next":"1","lost":null}}\n',
      '{"id":"1","data":"step 1"}\n',
      '{"id":"2","data":"step 2"}\n',
      '{"id":"3","data":"step 3"}\n',
    ]],
    ["end", []],
  ];
  for (const [after, expected] of table) {
    await test.step(after, async () => {
      const client = await connect(`${server.origin}/ws?after=${after}`);
      assertEquals((await client.closed).code, 1000);
      assertEquals(client.messages.join(""), [...expected, end("complete")].join(""));
    });
  }
});

Deno.test("events that are ready together are one message of whole lines", options, async () => {
  await using server = await serveSource(async function* () {
    for (let n = 0; n < 100_000; n++) yield n;
  });
  const client = await connect(`${server.origin}/ws`);
  await client.closed;
  assertEquals(client.messages.every((message) => message.endsWith("\n")), true);
  assertEquals(client.messages.join("").match(/\n/g)!.length, 100_001);
  assertEquals(client.messages.length < 1_000, true);
});

Deno.test("how a source ends is said in-band and by the code", options, async (test) => {
  const table: [name: string, error: unknown, first: boolean, reason: string, code: number, said: string][] =
    [
      ["a failure midway", new Error("secret"), false, "error", 1011, "internal error"],
      ["a failure at once", new Error("secret"), true, "error", 1011, "internal error"],
      ["a refusal at once", new HttpError(404, "no such log"), true, "error", 1008, "no such log"],
      ["cancelled", new StreamEnd("cancelled"), false, "cancelled", 1000, ""],
      ["lost at once", new StreamEnd("lost"), true, "lost", 1000, ""],
      ["revoked", new StreamEnd("revoked"), false, "revoked", 1008, "no longer allowed"],
    ];
  for (const [name, error, first, reason, code, said] of table) {
    await test.step(name, async () => {
      await using server = await serveSource(async function* () {
        if (!first) yield "one";
        throw error;
      });
      const client = await connect(`${server.origin}/ws`);
      assertEquals(await client.closed, { code, reason: said });
      assertEquals(client.messages.join(""), (first ? "" : '{"data":"one"}\n') + end(reason));
      await allGone(server);
      assertEquals(server.reports().match(/secret/g)?.length ?? 0, code === 1011 ? 1 : 0);
    });
  }
});

Deno.test("a drain is said in-band before the 1001", options, async () => {
  const { source, cleaned } = waiting();
  await using server = await serveSource(source);
  const client = await connect(`${server.origin}/ws`);
  await until(() => client.messages.length === 1);
  await server.server.drain();
  await cleaned;
  assertEquals((await client.closed).code, 1001);
  assertEquals(client.messages, ['{"id":"1","data":"first"}\n', end("shutdown")]);
  assertEquals(server.reports(), "");
});

Deno.test("a peer that leaves ends the source, which runs its finally", options, async () => {
  const { source, cleaned } = waiting();
  await using server = await serveSource(source);
  const client = await connect(`${server.origin}/ws`);
  await until(() => client.messages.length === 1);
  await leave(client);
  await cleaned;
  await allGone(server);
  assertEquals(server.reports(), "");
  const [{ messages, bytes, code }] = await closes(server, 1);
  assertEquals([messages, bytes, code], [1, 26, 1005]);
});

Deno.test("an idle stream is pinged in-band, with its cursor", options, async () => {
  await using server = await serveSource(waiting().source);
  const client = await connect(`${server.origin}/ws`);
  await until(() => client.messages.length === 1);
  for (let second = 0; second < 15; second++) await server.server.bodies.tick();
  await until(() => client.messages.length === 2);
  assertEquals(client.messages[1], '{"id":"1","event":"ping","data":null}\n');
  await leave(client);
});

Deno.test(
  "a peer that does not read pauses the source, and gets everything once it reads",
  options,
  async () => {
    let made = 0;
    const total = 400;
    await using server = await serveSource(async function* () {
      for (; made < total; made++) yield { id: String(made), data: "x".repeat(50_000) };
    });
    using conn = await raw(server.port, "/ws");
    let before = -1;
    // Turns in which nothing was yielded: the buffers between are full.
    for (let still = 0; still < 20; still++) {
      if (made !== before) still = 0;
      before = made;
      await turns();
    }
    assertEquals(made < total, true);
    const decoder = new TextDecoder("latin1");
    const buffer = new Uint8Array(1 << 20);
    let text = "";
    while (!text.slice(-200).includes("complete")) {
      text += decoder.decode(buffer.subarray(0, await conn.read(buffer) ?? 0));
    }
    const ids = text.match(/"id":/g)!.length;
    assertEquals([made, ids], [total, total]);
  },
);

Deno.test("a message to a stream that takes none closes with 1008", options, async () => {
  const { source, cleaned } = waiting();
  await using server = await serveSource(source);
  const client = await connect(`${server.origin}/ws`);
  client.socket.send("hello");
  assertEquals(await client.closed, { code: 1008, reason: "this stream takes no messages" });
  await cleaned;
  await allGone(server);
  assertEquals(server.reports(), "");
});

Deno.test("receiving that fails closes with 1011, and ends the source", options, async () => {
  const { source, cleaned } = waiting();
  await using server = await serveSource(source, { receive: () => Promise.reject(new Error("secret")) });
  const client = await connect(`${server.origin}/ws`);
  client.socket.send("hello");
  assertEquals((await client.closed).code, 1011);
  await cleaned;
  await allGone(server);
  assertEquals(server.reports().match(/secret/g)!.length, 1);
});

Deno.test("a format that a socket does not have is 400 before the upgrade", options, async () => {
  await using server = await serveSource(three);
  const request = upgrade("/ws?format=sse").replace("Connection: Upgrade", "Connection: Upgrade, close");
  assertEquals((await exchange(server.port, request)).startsWith("HTTP/1.1 400 "), true);
  const client = await connect(`${server.origin}/ws?format=ndjson`);
  assertEquals((await client.closed).code, 1000);
});

Deno.test("what happens once the peer may have heard of its upgrade is in its stream", options, async () => {
  await using server = await serve({
    routes: [route("/ws", (request, context) => {
      const { channels } = context.app;
      const response = streamSocket(request, context, (wanted) => channels.subscribe("demo", wanted));
      channels.publish("demo", [valueOf("at once")]);
      return response;
    })],
  });
  const client = await connect(`${server.origin}/ws`);
  await until(() => client.messages.length === 1);
  assertEquals(JSON.parse(client.messages[0]).data, "at once");
  await leave(client);
});

Deno.test("a source that cannot be made closes with 1011", options, async () => {
  await using server = await serveSource(() => {
    throw new Error("secret");
  });
  const client = await connect(`${server.origin}/ws`);
  assertEquals(await client.closed, { code: 1011, reason: "internal error" });
  await allGone(server);
  assertEquals(server.reports().match(/secret/g)!.length, 1);
});
