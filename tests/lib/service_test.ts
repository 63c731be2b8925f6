import { assertEquals, assertMatch } from "@std/assert";
import type { App } from "../../lib/app.ts";
import { valueOf } from "../../lib/channels/value.ts";
import type { Service } from "../../lib/service.ts";
import { every, sleep } from "../../lib/stream/clock.ts";
import { granted } from "../support/granted.ts";
import { serve, until } from "../support/server.ts";
import { open } from "../support/wire.ts";

const ignore = !granted.server;

/** Polls a URL once for all, and publishes what it gets, or that it got nothing, into a channel. */
function poll({ channels }: App, url: string, ms: number, channel: string): Service {
  return {
    name: `poll ${url}`,
    async start(signal) {
      for await (const _ of every(ms, signal)) {
        let value: unknown;
        try {
          const response = await fetch(url, {
            signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
          });
          value = await response.json();
        } catch {
          signal.throwIfAborted();
          value = { error: "no answer" };
        }
        await channels.publish(channel, [valueOf(value)]);
      }
    },
  };
}

Deno.test({
  name: "a service polls once for all, and everybody on its channel gets each answer",
  ignore,
  async fn() {
    let asked = 0;
    const handler = () => Response.json({ n: ++asked });
    await using upstream = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
    await using server = await serve({
      services: (app) => [poll(app, `http://127.0.0.1:${upstream.addr.port}`, 1, "prices")],
    });
    const url = `${server.origin}/channels/prices?format=text&after=0`;
    const readings = await Promise.all([open(url), open(url), open(url)]);
    for (const reading of readings) await reading.until('{"n":1}\n{"n":2}\n');
    await server.server.drain();
    for (const reading of readings) {
      const lines = (await reading.until("\n")).trimEnd().split("\n");
      assertEquals(lines.slice(0, 2), ['{"n":1}', '{"n":2}']);
      reading.leave();
    }
  },
});

Deno.test({
  name: "an upstream that does not answer is an event, and does not end the service",
  ignore,
  async fn() {
    let asked = 0;
    const handler = () => ++asked % 2 === 1 ? new Response("no JSON") : Response.json({ n: asked });
    await using upstream = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
    await using server = await serve({
      services: (app) => [poll(app, `http://127.0.0.1:${upstream.addr.port}`, 1, "prices")],
    });
    const reading = await open(`${server.origin}/channels/prices?format=text&after=0`);
    await reading.until('{"error":"no answer"}\n{"n":2}\n');
    reading.leave();
  },
});

for (
  const [how, start] of [
    ["at once", () => {
      throw new Error("secret");
    }],
    ["later", async () => {
      await null;
      throw new Error("secret");
    }],
  ] as [string, Service["start"]][]
) {
  Deno.test({
    name: `a service that fails ${how} is reported with its name, and the others go on`,
    ignore,
    async fn() {
      let ticks = 0;
      const ticking = async (signal: AbortSignal) => {
        for await (const _ of every(1, signal)) ticks++;
      };
      await using server = await serve({
        services: () => [{ name: "failing", start }, { name: "ticking", start: ticking }],
      });
      await until(() => server.reports() !== "");
      assertMatch(server.reports(), /^the service failing failed: Error: secret/);
      const before = ticks;
      await until(() => ticks > before);
    },
  });
}

Deno.test({
  name: "the drain aborts a service's signal and waits for its cleanup, which is no failure",
  ignore,
  async fn() {
    let clean = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    await using server = await serve({
      services: () => [{
        name: "cleaning",
        async start(signal) {
          try {
            await sleep(1_000_000, signal);
          } finally {
            await promise;
            clean = true;
          }
        },
      }],
    });
    const names = () => [...server.server.services.running].map(({ name }) => name);
    assertEquals(names(), ["sensors", "cleaning"]);
    const drained = server.server.drain();
    await until(() => names().length === 1);
    assertEquals([clean, names()], [false, ["cleaning"]]);
    resolve();
    await drained;
    assertEquals([clean, names(), server.reports()], [true, [], ""]);
  },
});

Deno.test({
  name: "a cleanup that fails at the drain is reported",
  ignore,
  async fn() {
    await using server = await serve({
      services: () => [{
        name: "cleaning",
        async start(signal) {
          await sleep(1_000_000, signal).catch(() => {});
          throw new Error("secret");
        },
      }],
    });
    await server.server.drain();
    assertMatch(server.reports(), /^the service cleaning failed: Error: secret/);
  },
});
