import { assertEquals, assertMatch } from "@std/assert";
import { browserTest, openEvents } from "../support/browser.ts";
import { put } from "../support/files.ts";
import { start } from "../support/process.ts";
import { TcpProxy } from "../support/proxy.ts";
import { serve, until } from "../support/server.ts";

async function publish(origin: string, text: string): Promise<void> {
  const headers = { "content-type": "text/plain" };
  const answer = await fetch(`${origin}/channels/demo`, { method: "POST", headers, body: text });
  await answer.body?.cancel();
  assertEquals(answer.status, 201);
}

const append = (path: string, line: string) => Deno.writeTextFile(path, `${line}\n`, { append: true });

/** A folder to start servers in, with `logs/app.log`. */
async function folder(): Promise<AsyncDisposable & { cwd: string; log: string }> {
  const cwd = await Deno.makeTempDir({ prefix: "weir-browser-" });
  const log = `${cwd}/logs/app.log`;
  await put(log, "one\n");
  return { cwd, log, [Symbol.asyncDispose]: () => Deno.remove(cwd, { recursive: true }) };
}

browserTest(
  "EventSources that are cut get every event once: lost on the way, sent meanwhile, and after",
  async (page) => {
    await using server = await serve();
    await using proxy = new TcpProxy(server.port);
    const path = `${server.folder}/logs/app.log`;
    await put(path, "");
    const write = (text: string) => Promise.all([publish(server.origin, text), append(path, text)]);

    await page.goto(`${proxy.origin}/healthz`);
    const steps = await openEvents(page, "/stream?format=sse&count=1000&interval=20&request=false");
    const channel = await openEvents(page, "/channels/demo");
    const log = await openEvents(page, "/logs/app.log?format=sse");
    const both = await openEvents(page, "/events?channel=demo&log=app.log");
    const have = async (count: number) =>
      (await channel.events()).length >= count && (await log.events()).length >= count &&
      (await both.events()).length >= 2 * count;
    const open = async () => await Promise.all([channel, log, both].map((each) => each.readyState()));
    await until(async () => (await open()).every((state) => state === 1));

    await write("one");
    await until(async () => await have(1) && (await steps.events()).length >= 1);
    proxy.stall();
    await write("two");
    await until(() => proxy.held === 4);
    proxy.cut();
    const before = (await steps.events()).length;
    await write("three");
    await until(async () => await have(3) && (await steps.events()).length > before);
    await write("four");
    await until(() => have(4));

    assertEquals(await channel.data(), ["one", "two", "three", "four"]);
    assertEquals(await log.data(), ["one", "two", "three", "four"]);
    const merged = (await both.data()).map((text) => JSON.parse(text));
    for (const source of ["channel:demo", "log:app.log"]) {
      const own = merged.filter((event) => event.source === source).map(({ data }) => data);
      assertEquals(own, ["one", "two", "three", "four"]);
    }
    const ids = (await steps.events()).map(({ id }) => Number(id));
    assertEquals(ids, ids.map((_, index) => index + 1));
  },
);

browserTest("an EventSource on a log gets every line once across a server that is killed", async (page) => {
  await using files = await folder();
  await using killed = await start([], files);
  await page.goto(`${killed.origin}/healthz`);
  const log = await openEvents(page, "/logs/app.log?format=sse");
  await until(async () => (await log.events()).length === 1);

  killed.kill("SIGKILL");
  await killed.status;
  await append(files.log, "two");
  await using _again = await start([], { ...files, port: killed.port });
  await append(files.log, "three");
  await until(async () => (await log.events()).length >= 3);
  assertEquals(await log.data(), ["one", "two", "three"]);
});

browserTest(
  "an EventSource on a channel gets a gap, then what is there, from a server that was killed",
  async (page) => {
    await using files = await folder();
    await using killed = await start([], files);
    await page.goto(`${killed.origin}/healthz`);
    const channel = await openEvents(page, "/channels/demo");
    await until(async () => await channel.readyState() === 1);
    await publish(killed.origin, "one");
    await until(async () => (await channel.events()).length === 1);

    killed.kill("SIGKILL");
    await killed.status;
    await using again = await start([], { ...files, port: killed.port });
    await publish(again.origin, "two");
    await until(async () => (await channel.events()).length >= 3);
    const events = await channel.events();
    assertEquals(events.map(({ event }) => event), ["message", "gap", "message"]);
    assertEquals(await channel.data(), ["one", "two"]);
    assertMatch(events[1].data, /"lost":null/);
  },
);

browserTest("an EventSource is closed by the 204 that it comes back to after `end`", async (page) => {
  await using server = await serve();
  const statuses: number[] = [];
  page.on("response", (response) => response.url().includes("/stream") && statuses.push(response.status()));
  await page.goto(`${server.origin}/healthz`);
  const steps = await openEvents(page, "/stream?format=sse&count=2&interval=0&request=false");
  await until(async () => await steps.readyState() === 2);
  assertEquals((await steps.events()).map(({ id }) => id), ["1", "2", "end"]);
  assertEquals(statuses, [200, 204]);
});
