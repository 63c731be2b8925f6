import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { sleep } from "../../../lib/stream/clock.ts";
import type { Process } from "../../../lib/sockets/sockets.ts";
import { granted } from "../../support/granted.ts";
import { serve, until } from "../../support/server.ts";
import { connect, frame, leave, raw, upgrade } from "../../support/socket_client.ts";
import { captureErrors, exchange, route, send } from "../../support/wire.ts";

const ignore = !granted.server;

/** A server with one WebSocket route. */
function serveSocket(process: Process, sockets = 100, socketFarewellMs = 5_000) {
  return serve({
    limits: { sockets, socketFarewellMs },
    routes: [route("/ws", (request, context) => context.app.sockets.upgrade(request, context, process))],
  });
}

const echo: Process = (message) => Promise.resolve(message);

Deno.test({
  name: "answers keep the order of the messages, however long each takes",
  ignore,
  async fn() {
    let working = 0;
    await using server = await serveSocket(async (message, signal) => {
      assertEquals(++working, 1);
      await sleep(Number(message), signal);
      working--;
      return `waited ${message}`;
    });
    const client = await connect(`${server.origin}/ws`);
    const waits = ["20", "0", "5", "1", "0"];
    for (const ms of waits) client.socket.send(ms);
    await until(() => client.messages.length === waits.length);
    assertEquals(client.messages, waits.map((ms) => `waited ${ms}`));
    await leave(client);
    await until(() => server.app.sockets.size === 0);
  },
});

Deno.test({
  name: "many sockets do not wait for one another, and a broadcast reaches each",
  ignore,
  async fn() {
    await using server = await serveSocket(async (message, signal) => {
      if (message === "slow") await sleep(1_000_000, signal);
      return message;
    });
    const clients = await Promise.all(Array.from({ length: 50 }, () => connect(`${server.origin}/ws`)));
    assertEquals(server.app.sockets.size, 50);
    clients[0].socket.send("slow");
    for (const { socket } of clients.slice(1)) socket.send("quick");
    await until(() => clients.slice(1).every(({ messages }) => messages.length === 1));
    server.app.sockets.broadcast("to all");
    await until(() => clients.every(({ messages }) => messages.at(-1) === "to all"));
    await Promise.all(clients.map(leave));
    await until(() => server.app.sockets.size === 0);
  },
});

Deno.test({
  name: "all messages that may wait are answered, and one more is too fast: 1008",
  ignore,
  async fn() {
    let go: (() => void) | null = null;
    const gate = () => new Promise<void>((resolve) => go = resolve);
    const release = async () => {
      await until(() => go !== null);
      go!();
      go = null;
    };
    await using server = await serveSocket(async (message) => {
      if (message === "wait") await gate();
      return message;
    });
    const client = await connect(`${server.origin}/ws`);
    client.socket.send("wait");
    for (let n = 1; n < 1_000; n++) client.socket.send(String(n));
    // Twice, so that what has been answered does not count.
    for (let round = 1; round <= 2; round++) {
      await until(() => client.socket.bufferedAmount === 0);
      await release();
      await until(() => client.messages.length === 1_000 * round);
      if (round === 1) {
        client.socket.send("wait");
        for (let n = 1; n < 1_000; n++) client.socket.send(String(n));
      }
    }
    client.socket.send("wait");
    for (let n = 0; n < 1_000; n++) client.socket.send("x");
    assertEquals((await client.closed).code, 1008);
    await release();
    await until(() => server.app.sockets.size === 0);
  },
});

Deno.test({
  name: "waiting messages are bounded in characters, too: 1008",
  ignore,
  async fn() {
    const { promise, resolve } = Promise.withResolvers<string>();
    await using server = await serveSocket(() => promise);
    const client = await connect(`${server.origin}/ws`);
    for (let n = 0; n < 5; n++) client.socket.send("x".repeat(1_000_000));
    assertEquals((await client.closed).code, 1008);
    resolve("");
    await until(() => server.app.sockets.size === 0);
  },
});

Deno.test({
  name: "what is not text is closed with 1003, what is too big with 1009",
  ignore,
  async fn() {
    await using server = await serveSocket(echo);
    for (
      const [message, code] of [
        [new Uint8Array([1, 2]), 1003],
        ["x".repeat(1_048_577), 1009],
        ["堰".repeat(400_000), 1009],
      ] as const
    ) {
      const client = await connect(`${server.origin}/ws`);
      client.socket.send(message);
      assertEquals((await client.closed).code, code);
    }
    const client = await connect(`${server.origin}/ws`);
    const biggest = "x".repeat(1_048_576);
    client.socket.send(biggest);
    await until(() => client.messages.length === 1);
    assert(client.messages[0] === biggest);
    await leave(client);
    await until(() => server.app.sockets.size === 0);
  },
});

Deno.test({
  name: "processing that fails closes its socket with 1011, tells nothing of the inside and stops no other",
  ignore,
  async fn() {
    using errors = captureErrors();
    await using server = await serveSocket((message) => {
      if (message === "throw") throw new Error("secret");
      return message === "reject" ? Promise.reject(new Error("secret")) : Promise.resolve(message);
    });
    const other = await connect(`${server.origin}/ws`);
    for (const message of ["throw", "reject"]) {
      const client = await connect(`${server.origin}/ws`);
      client.socket.send(message);
      client.socket.send("later");
      assertEquals(await client.closed, { code: 1011, reason: "internal error" });
      assertEquals(client.messages, []);
    }
    other.socket.send("still here");
    await until(() => other.messages.length === 1);
    await leave(other);
    assertMatch(errors.text(), /secret/);
    await until(() => server.app.sockets.size === 0);
  },
});

Deno.test({
  name: "a client that does not read is closed as too slow, 1013, and others get all",
  ignore,
  async fn() {
    await using server = await serveSocket(echo);
    const slow = await raw(server.port, "/ws");
    const quick = await connect(`${server.origin}/ws`);
    const big = "x".repeat(1_000_000);
    let sent = 0;
    await until(async () => {
      server.app.sockets.broadcast(big);
      await until(() => quick.messages.length === sent + 1);
      // Closed for the slow one, which is what its next messages no longer wait for.
      return ++sent >= 30;
    });
    // All that was sent before, and a close frame with the code and its reason.
    const decoder = new TextDecoder("latin1");
    let tail = "";
    const buffer = new Uint8Array(1_048_576);
    let bytes = 0;
    while (!tail.includes("too slow")) {
      const count = await slow.read(buffer);
      assert(count !== null);
      bytes += count;
      tail = (tail + decoder.decode(buffer.subarray(0, count))).slice(-200);
    }
    assertEquals([
      tail.charCodeAt(tail.indexOf("too slow") - 2),
      tail.charCodeAt(tail.indexOf("too slow") - 1),
    ], [
      1013 >> 8,
      1013 & 255,
    ]);
    assert(bytes < 30_000_000, "what is sent to a reader that does not read is bounded");
    slow.close();
    await leave(quick);
    await until(() => server.app.sockets.size === 0);
  },
});

Deno.test({
  name: "a socket that goes ends the processing that waits",
  ignore,
  async fn() {
    let working = false, ended = false;
    await using server = await serveSocket(async (_, signal) => {
      working = true;
      try {
        await sleep(1_000_000, signal);
      } finally {
        ended = true;
      }
      return "never";
    });
    const conn = await raw(server.port, "/ws");
    await conn.write(frame(1, "x"));
    await until(() => working);
    conn.close();
    await until(() => ended && server.app.sockets.size === 0);
  },
});

Deno.test({
  name: "at shutdown every socket is closed with 1001, and what comes later is refused",
  ignore,
  async fn() {
    await using server = await serveSocket(echo);
    const clients = await Promise.all(Array.from({ length: 10 }, () => connect(`${server.origin}/ws`)));
    await Promise.all([server.server.drain(), server.server.drain()]);
    for (const { closed } of clients) assertEquals((await closed).code, 1001);
    assertEquals(server.app.sockets.size, 0);
    await assertRejects(() => connect(`${server.origin}/ws`));
  },
});

Deno.test({
  name: "beyond the limit of sockets a client is told when to come back",
  ignore,
  async fn() {
    await using server = await serveSocket(echo, 1);
    const client = await connect(`${server.origin}/ws`);
    const refused = await exchange(
      server.port,
      upgrade("/ws").replace("Connection: Upgrade", "Connection: Upgrade, close"),
    );
    assertMatch(refused, /^HTTP\/1\.1 503 /);
    assertMatch(refused, /retry-after: 1\r\n/i);
    await leave(client);
    await until(() => server.app.sockets.size === 0);
    await leave(await connect(`${server.origin}/ws`));
    await until(() => server.app.sockets.size === 0);
  },
});

Deno.test({
  name: "an upgrade is refused for another's page, a wrong handshake and a plain request",
  ignore,
  async fn() {
    await using server = await serveSocket(echo);
    const status = async (request: string) => {
      using conn = await send(server.port, request);
      const buffer = new Uint8Array(1_024);
      const count = await conn.read(buffer);
      return Number(new TextDecoder().decode(buffer.subarray(9, Math.min(12, count ?? 0))));
    };
    assertEquals(await status(upgrade("/ws")), 101);
    assertEquals(await status(upgrade("/ws", "Origin: http://localhost")), 101);
    assertEquals(await status(upgrade("/ws", "Origin: http://evil.example")), 403);
    assertEquals(await status(upgrade("/ws", "Origin: null")), 403);
    assertEquals(await status(upgrade("/ws", "Sec-Fetch-Site: cross-site")), 403);
    assertEquals(await status(upgrade("/ws", "Sec-Fetch-Site: same-site")), 403);
    assertEquals(await status(upgrade("/ws", "Sec-Fetch-Site: same-origin")), 101);
    assertEquals(await status(upgrade("/ws").replace(/Sec-WebSocket-Key.*\n/, "")), 400);
    const keys = ["x", "", "d2VpciBpcyBhIHdlaXI9PQ", "d2VpciBpcyBhIHdlaXI9P===", "SGVsbG8sIHdvcmxkIQ=="];
    for (const key of [...keys, "d2VpciBpcyBhIHdlaXI9PQ==, d2VpciBpcyBhIHdlaXI9PQ=="]) {
      assertEquals(await status(upgrade("/ws").replace(/(Sec-WebSocket-Key:).*/, `$1 ${key}`)), 400, key);
    }
    assertEquals(await status(upgrade("/ws").replace("Upgrade: websocket", "Upgrade: h2c")), 426);
    assertEquals(await status(upgrade("/ws").replace("GET", "HEAD")), 426);
    assertEquals(await status(upgrade("/ws").replace("GET", "POST")), 405);
    assertEquals(await status(upgrade("/elsewhere")), 404);
    const plain = await fetch(`${server.origin}/ws`);
    assertEquals([plain.status, plain.headers.get("upgrade"), plain.headers.get("sec-websocket-version")], [
      426,
      "websocket",
      "13",
    ]);
    await plain.body?.cancel();
    await until(() => server.app.sockets.size === 0);
  },
});

Deno.test({
  name: "a handshake of another version is told which one is spoken here",
  ignore,
  async fn() {
    await using server = await serveSocket(echo);
    for (const version of ["8", "14", "013", "13, 8"]) {
      const answer = await exchange(
        server.port,
        upgrade("/ws").replace("Version: 13", `Version: ${version}`).replace(
          "n: Upgrade",
          "n: Upgrade, close",
        ),
      );
      assertMatch(answer, /^HTTP\/1\.1 426 /);
      assertMatch(answer, /sec-websocket-version: 13\r\n/i);
    }
    const none = upgrade("/ws").replace(/Sec-WebSocket-Version.*\n/, "").replace(
      "n: Upgrade",
      "n: Upgrade, close",
    );
    assertMatch(await exchange(server.port, none), /^HTTP\/1\.1 426 /);
  },
});

Deno.test({
  name: "1,000 sockets that leave at random moments leave nothing",
  ignore,
  async fn() {
    let working = 0;
    const { signal } = new AbortController();
    await using server = await serveSocket(async (message, signal) => {
      working++;
      try {
        await sleep(10, signal);
      } finally {
        working--;
      }
      return message;
    });
    let started = 0;
    const client = async () => {
      while (started < 1_000) {
        const n = started++;
        const conn = await send(server.port, upgrade("/ws"));
        await sleep(Math.random() ** 2 * 30, signal);
        if (n % 3 > 0) await conn.write(frame(1, "x")).catch(() => {});
        if (n % 3 > 1) await conn.write(frame(8, "")).catch(() => {});
        conn.close();
      }
    };
    await Promise.all(Array.from({ length: 50 }, client));
    await until(() => server.app.sockets.size === 0 && working === 0);
  },
});

Deno.test({
  name: "a peer that never answers our close gives its place up all the same",
  ignore,
  async fn() {
    await using server = await serveSocket(echo, 1, 20);
    using silent = await raw(server.port, "/ws");
    await silent.write(frame(2, "not text"));
    await until(() => server.app.sockets.size === 0);
    const client = await connect(`${server.origin}/ws`);
    await leave(client);
    await until(() => server.app.sockets.size === 0);
  },
});
