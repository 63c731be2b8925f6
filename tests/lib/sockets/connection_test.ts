import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Socket } from "../../../lib/sockets/socket.ts";
import { upgrade } from "../../../lib/sockets/upgrade.ts";
import { HttpError } from "../../../lib/stream/errors.ts";
import { granted } from "../../support/granted.ts";
import { serve, until } from "../../support/server.ts";
import { connect, frame, leave, raw } from "../../support/socket_client.ts";
import { allGone, closes, echo, ignore, serveSocket } from "../../support/socket_server.ts";
import { route } from "../../support/wire.ts";

const options = { ignore: !granted.server };

Deno.test(
  "a function sends when the socket opens, and any number of answers to a message",
  options,
  async () => {
    await using server = await serveSocket(async (socket) => {
      await socket.send("welcome");
      for await (const message of socket) {
        await socket.send(`1: ${message}`);
        await socket.send(`2: ${message}`);
      }
    });
    const client = await connect(`${server.origin}/ws`);
    client.socket.send("a");
    await until(() => client.messages.length === 3);
    assertEquals(client.messages, ["welcome", "1: a", "2: a"]);
    await leave(client);
  },
);

Deno.test("the loop ends when the peer goes, and the function with it", options, async () => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  await using server = await serveSocket(async (socket) => {
    await ignore(socket);
    resolve(socket.signal.aborted);
  });
  await leave(await connect(`${server.origin}/ws`));
  assertEquals(await promise, true);
  await allGone(server);
});

Deno.test("a loop ends when the peer vanishes without a close", options, async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using server = await serveSocket((socket) => ignore(socket).then(resolve));
  (await raw(server.port, "/ws")).close();
  await promise;
  await allGone(server);
});

Deno.test("what the peer sent before it closed is still read", options, async () => {
  const { promise, resolve } = Promise.withResolvers<string[]>();
  const gate = Promise.withResolvers<void>();
  await using server = await serveSocket(async (socket) => {
    const got: string[] = [];
    await gate.promise;
    for await (const message of socket) got.push(message);
    resolve(got);
  });
  const client = await connect(`${server.origin}/ws`);
  for (const message of ["a", "b", "c"]) client.socket.send(message);
  await leave(client);
  gate.resolve();
  assertEquals(await promise, ["a", "b", "c"]);
  await allGone(server);
});

Deno.test("a loop that is left goes on with the next message later", options, async () => {
  await using server = await serveSocket(async (socket) => {
    for await (const first of socket) {
      await socket.send(`first ${first}`);
      break;
    }
    for await (const message of socket) await socket.send(`then ${message}`);
  });
  const client = await connect(`${server.origin}/ws`);
  for (const message of ["a", "b"]) client.socket.send(message);
  await until(() => client.messages.length === 2);
  assertEquals(client.messages, ["first a", "then b"]);
  await leave(client);
});

Deno.test("a function's end closes with its code", options, async (test) => {
  const table: [name: string, run: (socket: Socket) => void | Promise<void>, code: number, reason: string][] =
    [
      ["a return: 1000", () => {}, 1000, ""],
      [
        "a wrong request: 1008 with its message",
        () => {
          throw new HttpError(404, "no such room");
        },
        1008,
        "no such room",
      ],
      [
        "an overload: 1013 with its message",
        () => Promise.reject(new HttpError(503, "too many rooms")),
        1013,
        "too many rooms",
      ],
      [
        "a failure: 1011, which says nothing of the inside",
        () => Promise.reject(new Error("secret")),
        1011,
        "internal error",
      ],
      [
        "a failure with a status",
        () => {
          throw new HttpError(500, "secret");
        },
        1011,
        "internal error",
      ],
      ["a close of its own", (socket) => socket.close(4001, "enough"), 4001, "enough"],
      [
        "a long reason is cut between characters",
        (socket) => socket.close(4001, "堰".repeat(50)),
        4001,
        "堰".repeat(41),
      ],
      ["a code that may not be sent", (socket) => socket.close(1005), 1011, "internal error"],
    ];
  for (const [name, run, code, reason] of table) {
    await test.step(name, async () => {
      await using server = await serveSocket(run);
      const client = await connect(`${server.origin}/ws`);
      assertEquals(await client.closed, { code, reason });
      await allGone(server);
      assertEquals(server.reports() === "", code !== 1011);
    });
  }
});

Deno.test("a failure is reported with the method and the path", options, async () => {
  await using server = await serveSocket(() => Promise.reject(new Error("secret")));
  await (await connect(`${server.origin}/ws?token=abc`)).closed;
  assertMatch(server.reports(), /^GET \/ws: a socket failed: Error: secret/);
});

Deno.test(
  "send() has nothing to wait for while less than 1 MiB is unsent, and a promise beyond",
  options,
  async () => {
    const { promise, resolve } = Promise.withResolvers<boolean[]>();
    await using server = await serveSocket(async (socket) => {
      const half = "x".repeat(524_288);
      const rooms = [socket.send(half), socket.send(half), socket.send(half)];
      await Promise.all(rooms);
      resolve(rooms.map((room) => room === undefined));
      await ignore(socket);
    });
    const client = await connect(`${server.origin}/ws`);
    assertEquals(await promise, [true, true, false]);
    await until(() => client.messages.length === 3);
    await leave(client);
  },
);

Deno.test("messages that wait for room arrive in order, short ones behind long ones", options, async () => {
  await using server = await serveSocket((socket) => {
    for (let n = 0; n < 20; n++) socket.send(n % 2 ? String(n) : String(n).padEnd(400_000));
    return ignore(socket);
  });
  const client = await connect(`${server.origin}/ws`);
  await until(() => client.messages.length === 20);
  assertEquals(client.messages.map(Number), Array.from({ length: 20 }, (_, n) => n));
  await leave(client);
});

Deno.test("what a function sent without waiting is delivered before its close", options, async () => {
  await using server = await serveSocket((socket) => {
    for (let n = 0; n < 10; n++) socket.send("x".repeat(400_000));
  });
  const client = await connect(`${server.origin}/ws`);
  assertEquals((await client.closed).code, 1000);
  assertEquals(client.messages.length, 10);
});

Deno.test(
  "a send that waits rejects with an AbortError when the peer goes, and nothing is reported",
  options,
  async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    let full = false;
    await using server = await serveSocket(async (socket) => {
      try {
        for (;;) {
          const room = socket.send("x".repeat(1_000_000));
          full = room !== undefined;
          await room;
        }
      } catch (error) {
        resolve(error);
        throw error;
      }
    });
    const conn = await raw(server.port, "/ws");
    await until(() => full);
    conn.close();
    const error = await promise;
    assert(error instanceof DOMException);
    assertEquals(error.name, "AbortError");
    await allGone(server);
    assertEquals(server.reports(), "");
  },
);

Deno.test("a send that nobody waits for is no failure once the peer has gone", options, async () => {
  await using server = await serveSocket(async (socket) => {
    await ignore(socket);
    socket.send("too late");
  });
  await leave(await connect(`${server.origin}/ws`));
  await allGone(server);
  assertEquals(server.reports(), "");
});

Deno.test("sends that do not wait for room are bounded: 1013", options, async () => {
  await using server = await serveSocket((socket) => {
    for (let n = 0; n < 2_000; n++) socket.send("x".repeat(10_000));
    return ignore(socket);
  }, { socketCloseMs: 20 });
  const client = await connect(`${server.origin}/ws`);
  assertEquals((await client.closed).code, 1013);
  await allGone(server);
});

Deno.test("messages of bytes are taken where they are asked for, beside text", options, async () => {
  await using server = await serve({
    routes: [route("/ws", (request, context) =>
      upgrade(request, context, async (socket) => {
        for await (const message of socket) {
          await socket.send(typeof message === "string" ? `text ${message}` : message.toReversed());
        }
      }, { binary: true }))],
  });
  const client = await connect(`${server.origin}/ws`);
  client.socket.binaryType = "arraybuffer";
  client.socket.send(new Uint8Array([1, 2, 3]));
  client.socket.send("a");
  await until(() => client.messages.length === 2);
  const [bytes, text] = client.messages as unknown[];
  assertEquals([new Uint8Array(bytes as ArrayBuffer), text], [new Uint8Array([3, 2, 1]), "text a"]);
  await leave(client);
});

Deno.test("the first of the client's subprotocols that is spoken is agreed on", options, async (test) => {
  await using server = await serveSocket(
    async (socket) => {
      await socket.send(socket.protocol);
      await ignore(socket);
    },
    {},
    { protocols: ["v1", "v2"] },
  );
  for (const [asked, agreed] of [[["v3", "v2", "v1"], "v2"], [["v1"], "v1"], [[], ""]] as const) {
    await test.step(`${asked} → ${agreed}`, async () => {
      const client = await connect(`${server.origin}/ws`, [...asked]);
      assertEquals(client.socket.protocol, agreed);
      await until(() => client.messages.length === 1);
      assertEquals(client.messages, [agreed]);
      await leave(client);
    });
  }
});

Deno.test("a silent peer is pinged, and given up when it does not answer", options, async () => {
  await using server = await serveSocket(ignore, {}, { idleSeconds: 1 });
  using conn = await raw(server.port, "/ws");
  const buffer = new Uint8Array(16);
  await conn.read(buffer);
  assertEquals(buffer[0], 0x89);
  await allGone(server);
  const [{ code, end }] = await closes(server, 1);
  assertEquals([code, end], [1006, "cut"]);
});

Deno.test("at a drain the loop ends, and the function can say goodbye before the 1001", options, async () => {
  await using server = await serveSocket(async (socket) => {
    await ignore(socket);
    await socket.send(`goodbye ${socket.signal.aborted}`);
  });
  const client = await connect(`${server.origin}/ws`);
  await server.server.drain();
  assertEquals(await client.closed, { code: 1001, reason: "the server is shutting down" });
  assertEquals(client.messages, ["goodbye true"]);
});

Deno.test("a function that does not return at a drain has its time for it: 1001", options, async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using server = await serveSocket(() => promise, { socketCloseMs: 20 });
  const client = await connect(`${server.origin}/ws`);
  const drained = server.server.drain();
  assertEquals((await client.closed).code, 1001);
  resolve();
  await drained;
});

Deno.test(
  "each close is one line in the access log, with code, reason, messages and bytes",
  options,
  async () => {
    await using server = await serveSocket(async (socket) => {
      for await (const message of socket) {
        if (message === "bad") throw new HttpError(400, 'no "bad" here');
        await socket.send(message + message);
      }
    });
    const line = { method: "GET", path: "/ws", status: 101 };
    const one = await connect(`${server.origin}/ws?token=abc`);
    one.socket.send("é");
    one.socket.send("ab");
    await until(() => one.messages.length === 2);
    one.socket.close(4000, 'I said "bye"');
    const said = { code: 4000, reason: 'I said "bye"', messages: 2, received: 2 };
    assertEquals(await closes(server, 1), [{ ...line, bytes: 8, end: "complete", ...said }]);
    const two = await connect(`${server.origin}/ws`);
    two.socket.send("bad");
    await two.closed;
    const own = { code: 1008, reason: 'no "bad" here', messages: 0, received: 1 };
    assertEquals((await closes(server, 2))[1], { ...line, bytes: 0, end: "cut", ...own });
    (await raw(server.port, "/ws")).close();
    const vanished = { code: 1006, reason: "", messages: 0, received: 0 };
    assertEquals((await closes(server, 3))[2], { ...line, bytes: 0, end: "cut", ...vanished });
    await leave(await connect(`${server.origin}/ws`));
    assertEquals((await closes(server, 4))[3].end, "complete");
  },
);

Deno.test("a socket that the exit cuts has its line, with what it was closed with", options, async () => {
  await using server = await serveSocket(echo);
  using conn = await raw(server.port, "/ws");
  await conn.write(frame(1, "a"));
  await conn.read(new Uint8Array(16));
  server.server.bodies.cancel();
  const [{ end, messages }] = await closes(server, 1);
  assertEquals([end, messages], ["cut", 1]);
});

Deno.test(
  "messages of all sockets together over their bytes close the one that sends more: 1013",
  options,
  async () => {
    const gates: (() => void)[] = [];
    await using server = await serveSocket(
      async (socket) => {
        for await (const message of socket) {
          await new Promise<void>((resolve) => gates.push(resolve));
          await socket.send(message);
        }
      },
      { socketsBytes: 10 },
    );
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => connect(`${server.origin}/ws`)));
    first.socket.send("12345678");
    await until(() => gates.length === 1);
    second.socket.send("123");
    assertEquals(await second.closed, {
      code: 1013,
      reason: "the sockets together hold too many messages",
    });
    gates[0]();
    await until(() => first.messages.length === 1);
    third.socket.send("123");
    await until(() => gates.length === 2);
    await leave(third);
    gates[1]();
    await leave(first);
    await until(() => server.app.sockets.heldBytes === 0);
  },
);
