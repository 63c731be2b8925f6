import { assertEquals, assertRejects } from "@std/assert";
import { granted } from "../support/granted.ts";
import { serve, until } from "../support/server.ts";
import { connect, leave } from "../support/socket_client.ts";

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
