import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { endOfTurn } from "../../../lib/stream/clock.ts";
import { granted } from "../../support/granted.ts";
import { until } from "../../support/server.ts";
import { connect, frame, leave, raw, upgrade } from "../../support/socket_client.ts";
import { allGone, each, echo, serveSocket } from "../../support/socket_server.ts";
import { exchange, send } from "../../support/wire.ts";

const options = { ignore: !granted.server };

/** Waits until the signal aborts. */
const hang = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

Deno.test("messages are processed one at a time, and answered in order", options, async () => {
  let working = 0;
  const gate = Promise.withResolvers<void>();
  await using server = await serveSocket(each(async (message) => {
    if (message === "go") gate.resolve();
    else {
      assertEquals(++working, 1);
      await gate.promise;
      working--;
    }
    return `answer to ${message}`;
  }));
  const client = await connect(`${server.origin}/ws`);
  const messages = ["slow", "quick", "quicker"];
  for (const message of messages) client.socket.send(message);
  await until(() => working === 1);
  // By the time that another socket is open the messages have arrived.
  const other = await connect(`${server.origin}/ws`);
  other.socket.send("go");
  await until(() => client.messages.length === messages.length);
  assertEquals(client.messages, messages.map((message) => `answer to ${message}`));
  await Promise.all([client, other].map(leave));
  await allGone(server);
});

Deno.test("a message that takes long holds up no other socket", options, async () => {
  await using server = await serveSocket(
    each((message, signal) => message === "slow" ? hang(signal) : message),
  );
  const clients = await Promise.all(Array.from({ length: 50 }, () => connect(`${server.origin}/ws`)));
  assertEquals(server.app.sockets.size, 50);
  clients[0].socket.send("slow");
  for (const { socket } of clients.slice(1)) socket.send("quick");
  await until(() => clients.slice(1).every(({ messages }) => messages.length === 1));
  await Promise.all(clients.map(leave));
  await allGone(server);
});

Deno.test("1,000 messages may wait; one more closes with 1008", options, async () => {
  let go: (() => void) | null = null;
  const release = async () => {
    await until(() => go !== null);
    go!();
    go = null;
  };
  await using server = await serveSocket(each(async (message) => {
    if (message === "wait") await new Promise<void>((resolve) => go = resolve);
    return message;
  }));
  const client = await connect(`${server.origin}/ws`);
  // Twice, so that what has been answered does not count.
  for (let round = 1; round <= 2; round++) {
    client.socket.send("wait");
    for (let n = 1; n < 1_000; n++) client.socket.send(String(n));
    await until(() => client.socket.bufferedAmount === 0);
    await release();
    await until(() => client.messages.length === 1_000 * round);
  }
  client.socket.send("wait");
  for (let n = 0; n < 1_000; n++) client.socket.send("x");
  assertEquals((await client.closed).code, 1008);
  await release();
  await allGone(server);
});

Deno.test("a burst over the bound, sent at once, is told 1008 and why", options, async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  await using server = await serveSocket(each(() => promise));
  for (const burst of [1_100, 20_000]) {
    const client = await connect(`${server.origin}/ws`);
    for (let n = 0; n < burst; n++) client.socket.send("x");
    assertEquals(await client.closed, {
      code: 1008,
      reason: "too many messages are waiting for their answers",
    });
  }
  resolve("");
  await allGone(server);
});

Deno.test("a socket that is to be closed and never quiet is closed in time", options, async () => {
  await using server = await serveSocket(echo, { socketCloseMs: 200 });
  const conn = await raw(server.port, "/ws");
  let closed = false;
  const reading = conn.readable.pipeTo(new WritableStream()).catch(() => {}).then(() => closed = true);
  const sending = (async () => {
    while (!closed) {
      await conn.write(frame(2, "x"));
      await new Promise<void>(endOfTurn);
    }
  })().catch(() => {});
  await allGone(server);
  await until(() => closed || server.app.sockets.lingering === 0);
  await Promise.all([reading, sending]);
});

Deno.test("more characters that wait than 4 Mi close with 1008", options, async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  await using server = await serveSocket(each(() => promise));
  const client = await connect(`${server.origin}/ws`);
  for (let n = 0; n < 5; n++) client.socket.send("x".repeat(1_000_000));
  assertEquals((await client.closed).code, 1008);
  resolve("");
  await allGone(server);
});

Deno.test("a message that cannot be taken closes with its code", options, async (test) => {
  await using server = await serveSocket(echo);
  const table: [name: string, message: string | Uint8Array<ArrayBuffer>, code: number][] = [
    ["bytes: 1003", new Uint8Array([1, 2]), 1003],
    ["one byte over 1 MiB: 1009", "x".repeat(1_048_577), 1009],
    ["over 1 MiB in UTF-8 only: 1009", "堰".repeat(400_000), 1009],
  ];
  for (const [name, message, code] of table) {
    await test.step(name, async () => {
      const client = await connect(`${server.origin}/ws`);
      client.socket.send(message);
      assertEquals((await client.closed).code, code);
    });
  }
  await allGone(server);
});

Deno.test("a message of 1 MiB is answered", options, async () => {
  await using server = await serveSocket(echo);
  const client = await connect(`${server.origin}/ws`);
  const biggest = "x".repeat(1_048_576);
  client.socket.send(biggest);
  await until(() => client.messages.length === 1);
  assert(client.messages[0] === biggest);
  await leave(client);
  await allGone(server);
});

Deno.test("processing that fails closes its socket with 1011, and no other", options, async () => {
  await using server = await serveSocket(each((message) => {
    if (message === "throw") throw new Error("secret");
    return message === "reject" ? Promise.reject(new Error("secret")) : Promise.resolve(message);
  }));
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
  assertMatch(server.reports(), /a socket failed: Error: secret/);
  await allGone(server);
});

Deno.test("a client that does not read its answers is closed with 1013", options, async () => {
  const big = "x".repeat(1_000_000);
  await using server = await serveSocket(each(() => Promise.resolve(big)), {
    socketCloseMs: 200,
    socketStalledMs: 200,
  });
  const slow = await raw(server.port, "/ws");
  for (let n = 0; n < 60; n++) await slow.write(frame(1, "big"));
  await until(() => server.app.sockets.lingering === 1);
  // What was sent before, and a close frame with the code and its reason.
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
  const at = tail.indexOf("too slow");
  assertEquals([tail.charCodeAt(at - 2), tail.charCodeAt(at - 1)], [1013 >> 8, 1013 & 255]);
  assert(bytes < 12_000_000, "beyond the buffers of the sockets, one answer is held");
  slow.close();
  await until(() => server.app.sockets.lingering === 0);
});

Deno.test("a socket that goes aborts the signal of its processing", options, async () => {
  let state = "waiting";
  await using server = await serveSocket(each(async (_, signal) => {
    state = "working";
    try {
      return await hang(signal);
    } finally {
      state = "ended";
    }
  }));
  const conn = await raw(server.port, "/ws");
  await conn.write(frame(1, "x"));
  await until(() => state === "working");
  conn.close();
  await until(() => state === "ended");
  await allGone(server);
});

Deno.test("a drain closes every socket with 1001, and refuses more", options, async () => {
  await using server = await serveSocket(echo);
  const clients = await Promise.all(Array.from({ length: 10 }, () => connect(`${server.origin}/ws`)));
  await Promise.all([server.server.drain(), server.server.drain()]);
  for (const { closed } of clients) assertEquals((await closed).code, 1001);
  assertEquals(server.app.sockets.size, 0);
  await assertRejects(() => connect(`${server.origin}/ws`));
});

/** The answer to an upgrade that is refused. */
const refusal = (port: number, request: string) =>
  exchange(port, request.replace("Connection: Upgrade", "Connection: Upgrade, close"));

Deno.test("over the limit of sockets the answer is 503, until one has gone", options, async () => {
  await using server = await serveSocket(echo, { sockets: 1 });
  const client = await connect(`${server.origin}/ws`);
  assertMatch(await refusal(server.port, upgrade("/ws")), /^HTTP\/1\.1 503 [^]*retry-after: 1\r\n/i);
  await leave(client);
  await allGone(server);
  await leave(await connect(`${server.origin}/ws`));
  await allGone(server);
});

Deno.test("an upgrade is answered by its origin, handshake and path", options, async (test) => {
  await using server = await serveSocket(echo);
  const key = (value: string) => upgrade("/ws").replace(/(Sec-WebSocket-Key:).*/, `$1 ${value}`);
  const table: [request: string, status: number][] = [
    [upgrade("/ws"), 101],
    [upgrade("/ws", "Origin: http://localhost"), 101],
    [upgrade("/ws", "Origin: http://evil.example"), 403],
    [upgrade("/ws", "Origin: null"), 403],
    [upgrade("/ws", "Sec-Fetch-Site: cross-site"), 403],
    [upgrade("/ws", "Sec-Fetch-Site: same-site"), 403],
    [upgrade("/ws", "Sec-Fetch-Site: same-origin"), 101],
    [upgrade("/ws").replace(/Sec-WebSocket-Key.*\n/, ""), 400],
    [key("x"), 400],
    [key(""), 400],
    [key("d2VpciBpcyBhIHdlaXI9PQ"), 400],
    [key("d2VpciBpcyBhIHdlaXI9P==="), 400],
    [key("SGVsbG8sIHdvcmxkIQ=="), 400],
    [key("d2VpciBpcyBhIHdlaXI9PQ==, d2VpciBpcyBhIHdlaXI9PQ=="), 400],
    [upgrade("/ws").replace("Upgrade: websocket", "Upgrade: h2c"), 426],
    [upgrade("/ws").replace("GET", "HEAD"), 426],
    [upgrade("/ws").replace("GET", "POST"), 405],
    [upgrade("/elsewhere"), 404],
  ];
  for (const [request, status] of table) {
    await test.step(request.trim(), async () => {
      using conn = await send(server.port, request);
      const buffer = new Uint8Array(1_024);
      const count = await conn.read(buffer);
      assertMatch(
        new TextDecoder().decode(buffer.subarray(0, count ?? 0)),
        new RegExp(`^HTTP/1.1 ${status} `),
      );
    });
  }
  await allGone(server);
});

Deno.test(
  "a handshake of another version gets 426 with the version that the server speaks",
  options,
  async (test) => {
    await using server = await serveSocket(echo);
    for (const line of ["Version: 8", "Version: 14", "Version: 013", "Version: 13, 8", "Other: 1"]) {
      await test.step(line, async () => {
        const request = upgrade("/ws").replace("Version: 13", line);
        assertMatch(
          await refusal(server.port, request),
          /^HTTP\/1\.1 426 [^]*sec-websocket-version: 13\r\n/i,
        );
      });
    }
  },
);

Deno.test("a plain GET gets 426 with the protocol that the server speaks", options, async () => {
  await using server = await serveSocket(echo);
  const { status, headers, body } = await fetch(`${server.origin}/ws`);
  assertEquals([status, headers.get("upgrade")], [426, "websocket"]);
  await body?.cancel();
});

Deno.test("1,000 sockets that leave at any point leave nothing", options, async () => {
  let working = 0;
  await using server = await serveSocket(each(async (message) => {
    working++;
    await new Promise<void>(endOfTurn);
    working--;
    return message;
  }));
  let started = 0;
  const client = async () => {
    while (started < 1_000) {
      const point = started++ % 5;
      const conn = point === 0 ? await send(server.port, upgrade("/ws")) : await raw(server.port, "/ws");
      if (point > 1) await conn.write(frame(1, "x"));
      if (point > 2) await conn.read(new Uint8Array(16));
      if (point > 3) await conn.write(frame(8, ""));
      conn.close();
    }
  };
  await Promise.all(Array.from({ length: 50 }, client));
  await until(() => server.app.sockets.size === 0 && working === 0);
});

Deno.test("a peer that never answers our close gives its slot up", options, async () => {
  await using server = await serveSocket(echo, { sockets: 4, socketCloseMs: 20 });
  using silent = await raw(server.port, "/ws");
  await silent.write(frame(2, "not text"));
  await allGone(server);
  await leave(await connect(`${server.origin}/ws`));
  await allGone(server);
});

Deno.test(
  "closed sockets whose peers read nothing linger, bounded, until they are gone",
  options,
  async () => {
    await using server = await serveSocket(echo, { sockets: 4, socketCloseMs: 20 });
    const silent: Deno.TcpConn[] = [];
    for (let n = 1; n <= 2; n++) {
      const conn = await raw(server.port, "/ws");
      silent.push(conn);
      await conn.write(frame(2, "not text"));
      await until(() => server.app.sockets.lingering === n);
      assertEquals(server.app.sockets.size, 0);
      if (n === 1) await leave(await connect(`${server.origin}/ws`));
    }
    assertMatch(await refusal(server.port, upgrade("/ws")), /^HTTP\/1\.1 503 [^]*retry-after: 1\r\n/i);
    for (const conn of silent) conn.close();
    await until(() => server.app.sockets.lingering === 0);
    await leave(await connect(`${server.origin}/ws`));
    await allGone(server);
  },
);

Deno.test("answers over 1 MiB in all reach a client that reads them, one at a time", options, async () => {
  await using server = await serveSocket(each(() => Promise.resolve("x".repeat(3_000_000))));
  const client = await connect(`${server.origin}/ws`);
  for (let n = 0; n < 10; n++) client.socket.send("x");
  await until(() => client.messages.length === 10);
  await leave(client);
  await allGone(server);
});
