import { assertEquals } from "@std/assert";
import { answerInOrder } from "../../../lib/sockets/in_order.ts";
import { granted } from "../../support/granted.ts";
import { until } from "../../support/server.ts";
import { connect, leave } from "../../support/socket_client.ts";
import { allGone, serveSocket } from "../../support/socket_server.ts";

const options = { ignore: !granted.server };

/** A server whose work waits to be told to go on, message by message. */
async function gated(atOnce?: number) {
  const gates = new Map<string, () => void>();
  const server = await serveSocket((socket) =>
    answerInOrder(
      socket,
      (message) =>
        new Promise((resolve, reject) => {
          gates.set(message, () => resolve(`did ${message}`));
          socket.signal.addEventListener("abort", () => reject(socket.signal.reason));
        }),
      atOnce,
    )
  );
  return { server, gates };
}

Deno.test(
  "eight messages of one socket are in work at once, and the next when one is answered",
  options,
  async () => {
    const { server, gates } = await gated();
    await using _ = server;
    const client = await connect(`${server.origin}/ws`);
    for (let n = 1; n <= 20; n++) client.socket.send(String(n));
    await until(() => gates.size === 8);
    gates.get("1")!();
    await until(() => gates.size === 9);
    assertEquals([...gates.keys()], ["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    await leave(client);
  },
);

Deno.test("answers keep the order of the messages, whichever is done first", options, async () => {
  const { server, gates } = await gated(3);
  await using _ = server;
  const client = await connect(`${server.origin}/ws`);
  for (const message of ["a", "b", "c", "d"]) client.socket.send(message);
  await until(() => gates.size === 3);
  gates.get("c")!();
  gates.get("b")!();
  gates.get("a")!();
  await until(() => gates.size === 4);
  gates.get("d")!();
  await until(() => client.messages.length === 4);
  assertEquals(client.messages, ["did a", "did b", "did c", "did d"]);
  await leave(client);
});

Deno.test("an answer that needs no wait keeps its place behind those in work", options, async () => {
  const begun: string[] = [];
  let go = () => {};
  await using server = await serveSocket((socket) =>
    answerInOrder(socket, (message) => {
      begun.push(message);
      return message === "slow" ? new Promise((resolve) => go = () => resolve("slow")) : message;
    })
  );
  const client = await connect(`${server.origin}/ws`);
  for (const message of ["slow", "quick"]) client.socket.send(message);
  await until(() => begun.length === 2);
  go();
  await until(() => client.messages.length === 2);
  assertEquals(client.messages, ["slow", "quick"]);
  await leave(client);
});

Deno.test("after a burst that was answered, eight are in work at once again", options, async () => {
  const { server, gates } = await gated();
  await using _ = server;
  const client = await connect(`${server.origin}/ws`);
  for (let round = 1; round <= 2; round++) {
    for (let n = 1; n <= 8; n++) client.socket.send(`${round}.${n}`);
    await until(() => gates.size === 8);
    for (const go of gates.values()) go();
    await until(() => client.messages.length === 8 * round);
    gates.clear();
  }
  await leave(client);
});

Deno.test(
  "what is in work, and what was finished out of turn, counts as waiting: 1008",
  options,
  async () => {
    const { server, gates } = await gated();
    await using _ = server;
    const client = await connect(`${server.origin}/ws`);
    for (let n = 1; n <= 1_000; n++) client.socket.send(String(n));
    await until(() => gates.size === 8);
    for (let n = 2; n <= 8; n++) gates.get(String(n))!();
    await leave(await connect(`${server.origin}/ws`));
    client.socket.send("one more");
    assertEquals(await client.closed, {
      code: 1008,
      reason: "too many messages are waiting for their answers",
    });
    gates.get("1")!();
    await allGone(server);
  },
);

Deno.test("work that fails closes with 1011, and is reported once", options, async () => {
  await using server = await serveSocket((socket) =>
    answerInOrder(socket, (message) => Promise.reject(new Error(`secret of ${message}`)))
  );
  const client = await connect(`${server.origin}/ws`);
  for (const message of ["a", "b", "c"]) client.socket.send(message);
  assertEquals(await client.closed, { code: 1011, reason: "internal error" });
  await allGone(server);
  assertEquals(server.reports().match(/secret of \w/g), ["secret of a"]);
});
