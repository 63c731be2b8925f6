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

Deno.test({
  name: "/healthz is degraded while a limit is reached, and says which",
  ignore: !granted.server,
  async fn() {
    await using server = await serve({ limits: { streams: 1 } });
    const health = async () => {
      const { status, reasons } = await (await fetch(`${server.origin}/healthz`)).json();
      return [status, ...reasons];
    };
    assertEquals(await health(), ["ok"]);
    const reading = await open(`${server.origin}/channels/demo`);
    assertEquals(await health(), ["degraded", "streams: 1 of 1"]);
    reading.leave();
    await until(async () => (await health())[0] === "ok");
  },
});

Deno.test({
  name: "/healthz is degraded while the access log cannot be written",
  ignore: !granted.server,
  async fn() {
    await using server = await serve();
    await Deno.mkdir(`${server.folder}/logs/access.log`);
    const reasons = async () => (await (await fetch(`${server.origin}/healthz`)).json()).reasons;
    await until(async () => (await reasons()).includes("the access log cannot be written"));
    await Deno.remove(`${server.folder}/logs/access.log`);
    await until(async () => (await reasons()).length === 0);
  },
});

Deno.test({
  name: "/healthz is degraded once a service has failed",
  ignore: !granted.server,
  async fn() {
    const service = { name: "poll", start: () => Promise.reject(new Error("no")) };
    await using server = await serve({ services: () => [service] });
    await until(() => server.reports().includes("poll failed"));
    const { reasons } = await (await fetch(`${server.origin}/healthz`)).json();
    assertEquals(reasons, ["the service poll has failed"]);
  },
});

Deno.test({
  name: "/healthz is 503 while the server drains, and says so to whoever reads it",
  ignore: !granted.server,
  async fn() {
    await using server = await serve();
    await server.server.drain();
    const response = await fetch(`${server.origin}/healthz`);
    assertEquals([response.status, await response.json()], [503, { error: "the server is shutting down" }]);
  },
});
