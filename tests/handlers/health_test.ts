import { assertEquals } from "@std/assert";
import { granted } from "../support/granted.ts";
import { serve, until } from "../support/server.ts";
import { connect, leave } from "../support/socket_client.ts";
import { open } from "../support/wire.ts";

Deno.test({
  name: "/healthz tells status, uptime, and the streams and sockets that are open now",
  ignore: !granted.server,
  async fn() {
    await using server = await serve();
    const health = async () => {
      const response = await fetch(`${server.origin}/healthz`);
      assertEquals([response.status, response.headers.get("cache-control")], [200, "no-store"]);
      return await response.json();
    };
    const { status, uptime, streams, sockets, runs, lingering } = await health();
    assertEquals([status, streams, sockets, runs, lingering], ["ok", 0, 0, 0, 0]);
    assertEquals(Number.isInteger(uptime) && uptime >= 0, true);
    const readings = await Promise.all([1, 2].map(() => open(`${server.origin}/channels/demo`)));
    const client = await connect(`${server.origin}/ws`);
    const during = await health();
    assertEquals([during.streams, during.sockets], [2, 1]);
    for (const reading of readings) reading.leave();
    await leave(client);
    await until(async () => {
      const after = await health();
      return after.streams === 0 && after.sockets === 0;
    });
  },
});
