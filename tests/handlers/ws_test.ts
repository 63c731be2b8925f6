import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { valueOf } from "../../lib/channels/value.ts";
import { granted } from "../support/granted.ts";
import { Lines } from "../support/lines.ts";
import { serve, until } from "../support/server.ts";
import { type Client, connect, leave, raw, upgrade } from "../support/socket_client.ts";
import { exchange } from "../support/wire.ts";

for (const path of ["/ws", "/ws/"]) {
  Deno.test({
    name: `${path} answers each text message with what it became, in order`,
    ignore: !granted.server,
    async fn() {
      await using server = await serve();
      const client = await connect(server.origin + path);
      const messages = ["hello", "", "堰 🌊", "a\nb", "x".repeat(100_000), "\0"];
      for (const message of messages) client.socket.send(message);
      await until(() => client.messages.length === messages.length);
      assertEquals(client.messages, messages.map((message) => `Processed data: ${message}`));
      assertEquals((await (await fetch(`${server.origin}/healthz`)).json()).sockets, 1);
      await leave(client);
      await until(() => server.app.sockets.size === 0);
    },
  });
}

Deno.test({
  name: "with --client-share one client leaves sockets to others",
  ignore: !granted.server,
  async fn() {
    await using server = await serve({ clientShare: 25, limits: { sockets: 4 } });
    const clients = [await connect(`${server.origin}/ws`), await connect(`${server.origin}/ws`)];
    await assertRejects(() => connect(`${server.origin}/ws`), Error, "refused");
    for (const client of clients) await leave(client);
    await until(() => server.app.sockets.size === 0);
    const again = await connect(`${server.origin}/ws`);
    await leave(again);
    await until(() => server.app.sockets.size === 0);
  },
});

Deno.test({
  name: "/ws?delay= takes one of the slots that all sockets share, and without a delay none",
  ignore: !granted.server,
  async fn() {
    await using server = await serve({ limits: { socketTasks: 1 } });
    const { tasks } = server.app.sockets;
    const one = await connect(`${server.origin}/ws?delay=10000`);
    const two = await connect(`${server.origin}/ws?delay=10000`);
    one.socket.send("a");
    two.socket.send("b");
    await until(() => tasks.used === 1 && tasks.waiting === 1);
    const quick = await connect(`${server.origin}/ws?delay=0`);
    quick.socket.send("c");
    await until(() => quick.messages.length === 1);
    await leave(one);
    await until(() => tasks.used === 1 && tasks.waiting === 0);
    await leave(two);
    await until(() => tasks.used === 0);
    await leave(quick);
    assertEquals(server.reports(), "");
  },
});

Deno.test({
  name: "/ws?delay= answers several messages of one socket, in order",
  ignore: !granted.server,
  async fn() {
    await using server = await serve();
    const client = await connect(`${server.origin}/ws?delay=5`);
    const messages = Array.from({ length: 20 }, (_, n) => String(n));
    for (const message of messages) client.socket.send(message);
    await until(() => client.messages.length === messages.length);
    assertEquals(client.messages, messages.map((message) => `Processed data: ${message}`));
    await leave(client);
  },
});

Deno.test({
  name: "a /ws whose parameters are wrong is 400",
  ignore: !granted.server,
  async fn(test) {
    await using server = await serve();
    for (
      const query of [
        "delay=x",
        "delay=10001",
        "delay=-1",
        "delay=1&delay=2",
        "dela=1",
        "channel=a/b",
        "channel=",
      ]
    ) {
      await test.step(query, async () => {
        const answer = await exchange(
          server.port,
          upgrade(`/ws?${query}`).replace("Connection: Upgrade", "Connection: Upgrade, close"),
        );
        assertMatch(answer, /^HTTP\/1\.1 400 /);
      });
    }
  },
});

/** What a socket of a channel has had, a record each. */
const records = ({ messages }: Client) =>
  messages.join("").split("\n").slice(0, -1).map((line) => JSON.parse(line));

Deno.test({
  name: "what is sent to /ws?channel= is published: JSON if it parses, else text",
  ignore: !granted.server,
  async fn() {
    await using server = await serve();
    const client = await connect(`${server.origin}/ws?channel=demo`);
    const other = await connect(`${server.origin}/ws?channel=demo`);
    for (const message of ['{"a":1}', "12345678901234567890", "hello", '"quoted"', ""]) {
      client.socket.send(message);
    }
    await until(() => records(client).length === 5 && records(other).length === 5);
    const data = records(client).map(({ data }) => data);
    assertEquals(data, [{ a: 1 }, 12345678901234567890, "hello", "quoted", ""]);
    assertStringIncludes(client.messages.join(""), '"data":12345678901234567890}');
    assertEquals(client.messages.join(""), other.messages.join(""));
    await Promise.all([client, other].map(leave));
  },
});

Deno.test({
  name:
    "a channel is the same over a socket and over HTTP at the same time, and either goes on after the other's id",
  ignore: !granted.server,
  async fn() {
    await using server = await serve();
    const url = `${server.origin}/channels/demo`;
    await using lines = await Lines.get(`${url}?format=ndjson`);
    const client = await connect(`${server.origin}/ws?channel=demo`);
    client.socket.send("from the socket");
    await fetch(url, { method: "POST", body: '"posted"' }).then((response) => response.body?.cancel());
    await until(() => records(client).length === 2);
    assertEquals([await lines.json(), await lines.json()], records(client));
    await leave(client);
    const again = await connect(`${server.origin}/ws?channel=demo&after=${records(client)[0].id}`);
    await until(() => records(again).length === 1);
    assertEquals(records(again), records(client).slice(1));
    await leave(again);
  },
});

Deno.test({
  name: "a cursor that was evicted gets a gap that counts, over a socket too",
  ignore: !granted.server,
  async fn() {
    await using server = await serve({ limits: { channelEvents: 2 } });
    const client = await connect(`${server.origin}/ws?channel=demo`);
    for (let n = 1; n <= 5; n++) {
      client.socket.send(String(n));
      await until(() => records(client).length === n);
    }
    const ids = records(client).map(({ id }) => id);
    const late = await connect(`${server.origin}/ws?channel=demo&after=${ids[0]}`);
    await until(() => records(late).length === 3);
    assertEquals(records(late)[0], { event: "gap", data: { after: ids[0], next: ids[3], lost: 2 } });
    await Promise.all([client, late].map(leave));
  },
});

Deno.test({
  name: "a refused publish is a record, and the socket stays",
  ignore: !granted.server,
  async fn() {
    await using server = await serve({ limits: { channelBytes: 100 } });
    const client = await connect(`${server.origin}/ws?channel=demo`);
    client.socket.send("x".repeat(200));
    client.socket.send("fits");
    await until(() => records(client).length === 2);
    const rule = "a post must have at most 100 bytes of events, which the history holds";
    const data = { status: 413, message: `${rule}: current value is 202` };
    assertEquals(records(client).find(({ event }) => event === "refused"), { event: "refused", data });
    assertEquals(records(client).find(({ id }) => id !== undefined).data, "fits");
    await leave(client);
  },
});

Deno.test({
  name: "a binary message to a channel closes with 1003",
  ignore: !granted.server,
  async fn() {
    await using server = await serve();
    const client = await connect(`${server.origin}/ws?channel=demo`);
    client.socket.send(new Uint8Array([1]));
    assertEquals(await client.closed, { code: 1003, reason: "a message must be text" });
    await until(() => server.app.sockets.size === 0);
    assertEquals(server.reports(), "");
  },
});

Deno.test({
  name: "the reserved channel is 409 before the upgrade, as a post to it is",
  ignore: !granted.server,
  async fn() {
    await using server = await serve();
    const request = upgrade("/ws?channel=sensors").replace(
      "Connection: Upgrade",
      "Connection: Upgrade, close",
    );
    assertMatch(await exchange(server.port, request), /^HTTP\/1\.1 409 /);
  },
});

Deno.test({
  name: "a drained channel says so in-band before the 1001",
  ignore: !granted.server,
  async fn() {
    await using server = await serve();
    const client = await connect(`${server.origin}/ws?channel=demo`);
    await server.server.drain();
    assertEquals((await client.closed).code, 1001);
    assertEquals(records(client), [{ event: "end", data: { reason: "shutdown" } }]);
  },
});

Deno.test({
  name: "a socket over the limit of channels is closed with 1013, and says why",
  ignore: !granted.server,
  async fn() {
    await using server = await serve({ limits: { channels: 1 } });
    const client = await connect(`${server.origin}/ws?channel=one`);
    const late = await connect(`${server.origin}/ws?channel=two`);
    assertEquals(await late.closed, { code: 1013, reason: "too many channels: at most 1 at once" });
    assertEquals(records(late), [{ event: "end", data: { reason: "error" } }]);
    await leave(client);
    assertEquals(server.reports(), "");
  },
});

Deno.test({
  name: "a socket that stalls holds up no other reader of its channel, and gets a gap that counts",
  ignore: !granted.server,
  async fn() {
    await using server = await serve({ limits: { channelEvents: 100, channelBytes: 200_000 } });
    using stalled = await raw(server.port, "/ws?channel=demo");
    const reader = await connect(`${server.origin}/ws?channel=demo`);
    const padding = "x".repeat(50_000);
    const total = 400;
    for (let n = 0; n < total; n++) {
      server.store.publish("demo", [valueOf([n, padding])]);
      await until(() => reader.messages.length > n);
    }
    let text = "";
    const decoder = new TextDecoder("latin1");
    const buffer = new Uint8Array(1 << 20);
    while (!text.slice(-60_000).includes(`"data":[${total - 1},`)) {
      text += decoder.decode(buffer.subarray(0, await stalled.read(buffer) ?? 0));
    }
    let next = 0;
    let gaps = 0;
    for (const [, number, lost] of text.matchAll(/"data":\[(\d+),|"lost":(\d+)/g)) {
      if (lost === undefined) assertEquals(Number(number), next++);
      else next += Number(lost), gaps++;
    }
    assertEquals([gaps > 0, next], [true, total]);
    await leave(reader);
  },
});
