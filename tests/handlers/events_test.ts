import { assert, assertEquals, assertMatch } from "@std/assert";
import type { DeclaredSensor } from "../../lib/sensors/declared.ts";
import { share } from "../../lib/runs/share.ts";
import { weirRoutes as routes } from "../../handlers/routes.ts";
import { ndjson } from "../../lib/stream/formats/ndjson.ts";
import { release, sourceFormat } from "../../lib/stream/formats/source_format.ts";
import { put } from "../support/files.ts";
import { granted } from "../support/granted.ts";
import { Lines } from "../support/lines.ts";
import { serve, type TestServer, until } from "../support/server.ts";
import { route } from "../support/wire.ts";

const push: DeclaredSensor = { id: "a", unit: "K", description: "", interval: 60_000, push: true };

function test(
  name: string,
  fn: (server: TestServer) => Promise<void>,
  options: Parameters<typeof serve>[0] = {},
): void {
  Deno.test({
    name,
    ignore: !granted.server,
    async fn() {
      await using server = await serve({ declared: [push], ...options });
      await fn(server);
    },
  });
}

/** A stream of these sources in NDJSON. */
async function open({ origin }: TestServer, query: string, after?: string) {
  const cursor = after === undefined ? "" : `&after=${after}`;
  const lines = await Lines.get(`${origin}/events?${query}&format=ndjson${cursor}`);
  return {
    lines,
    next: () => lines.json(),
    /** What the next event has, without its id. */
    async source() {
      const { event, data: { source, data, state, reason } } = await lines.json();
      return [source, event, data ?? state, reason].filter((part) => part !== undefined);
    },
    [Symbol.asyncDispose]: () => lines[Symbol.asyncDispose](),
  };
}

const publish = ({ origin }: TestServer, name: string, value: unknown) =>
  post(`${origin}/channels/${name}`, JSON.stringify(value));

async function post(url: string, body: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body });
  await response.body!.cancel();
  assertEquals(response.status, 201);
}

const write = ({ folder }: TestServer, name: string, line: string) =>
  Deno.writeTextFile(`${folder}/logs/${name}`, line + "\n", { append: true });

async function status({ origin }: TestServer, query: string, init?: RequestInit) {
  const response = await fetch(`${origin}/events${query}`, init);
  return { status: response.status, body: await response.text() };
}

test("channels, logs and sensors come in one stream, each event with its source", async (server) => {
  await write(server, "app.log", "before");
  await using stream = await open(server, "channel=x&log=app.log&sensor=a");
  await publish(server, "x", { n: 1 });
  assertEquals(await stream.source(), ["channel:x", { n: 1 }]);
  await write(server, "app.log", "after");
  assertEquals(await stream.source(), ["log:app.log", "after"]);
  await post(`${server.origin}/sensors/a`, "7");
  const { data: { source, data } } = await stream.next();
  assertEquals([source, data.id, data.value], ["sensor:a", "a", 7]);
});

test("one id resumes all sources, each exactly", async (server) => {
  await write(server, "app.log", "before");
  const query = "channel=x&log=app.log&sensor=a";
  let id: string;
  {
    await using stream = await open(server, query);
    await publish(server, "x", 1);
    ({ id } = await stream.next());
  }
  await write(server, "app.log", "meanwhile");
  await publish(server, "x", 2);
  await post(`${server.origin}/sensors/a`, "3");
  await using again = await open(server, query, id);
  const came = [await again.next(), await again.next(), await again.next()]
    .map(({ data: { source, data } }) => `${source} ${data.value ?? data}`);
  assertEquals(came.sort(), ["channel:x 2", "log:app.log meanwhile", "sensor:a 3"]);
  assertMatch(id, /^[0-9a-z~.-]+$/);
});

test("a server-sent event has its source in the data, and the stream an id before the first", async (server) => {
  await using lines = await Lines.get(`${server.origin}/events?channel=x`);
  assertMatch((await lines.next())!, /^id: [0-9a-z-]+-0\.$/);
  await lines.next();
  await publish(server, "x", "text");
  assertMatch((await lines.next())!, /^id: [0-9a-z-]+-1\.$/);
  assertEquals(await lines.next(), 'data: {"source":"channel:x","data":"text"}');
});

test("a cursor that leads nowhere is a gap of each source that could have lost something", async (server) => {
  await write(server, "app.log", "before");
  await publish(server, "x", 1);
  await using stream = await open(server, "channel=x&log=app.log&sensor=a&run=r&server", "garbage");
  const gaps: string[] = [];
  while (gaps.length < 4) {
    const { event, data: { source, data } } = await stream.next();
    if (event === "gap") gaps.push(source);
    if (event === "gap") assertEquals(data.after, "garbage");
  }
  assertEquals(gaps.sort(), ["channel:x", "log:app.log", "run:r", "sensor:a"]);
});

test("a source whose own cursor leads nowhere is a gap of it alone", async (server) => {
  await publish(server, "x", 1);
  let id: string;
  {
    await using stream = await open(server, "channel=x&channel=y");
    await publish(server, "x", 2);
    ({ id } = await stream.next());
  }
  const [x] = /[0-9a-z]+-[0-9a-z]+(?=-2\.$)/.exec(id)!;
  await using again = await open(
    server,
    "channel=x&channel=y",
    id.replace(x, x.replace(/.$/, "!").replace("!", x.endsWith("0") ? "1" : "0")),
  );
  assertEquals((await again.source()).slice(0, 2), ["channel:x", "gap"]);
  await publish(server, "y", 3);
  assertEquals([await again.source(), await again.source(), await again.source()].at(-1), ["channel:y", 3]);
});

test("a log that is not there is absent, and live from its first line on", async (server) => {
  await using stream = await open(server, "log=new.log&channel=x");
  assertEquals(await stream.source(), ["log:new.log", "state", "absent"]);
  await publish(server, "x", 1);
  assertEquals(await stream.source(), ["channel:x", 1]);
  await write(server, "new.log", "first");
  assertEquals(await stream.source(), ["log:new.log", "state", "live"]);
  assertEquals(await stream.source(), ["log:new.log", "first"]);
});

test("a log that is not there has a cursor in the first id of others, too", async (server) => {
  await using lines = await Lines.get(`${server.origin}/events?channel=x&log=new.log`);
  assertMatch((await lines.next())!, /^id: [0-9a-z]{6}-0-0-[0-9a-z]+-0-0~[0-9a-z-]+-0\.$/);
});

test("a log that is not there, and was not at a cursor that leads nowhere, is a gap and absent", async (server) => {
  await using stream = await open(server, "log=new.log", "garbage");
  assertEquals((await stream.source()).slice(0, 2), ["log:new.log", "gap"]);
  assertEquals(await stream.source(), ["log:new.log", "state", "absent"]);
});

test("a log that came while its reader was away has come from its first line on", async (server) => {
  let id: string;
  {
    await using stream = await open(server, "log=new.log&channel=x");
    assertEquals(await stream.source(), ["log:new.log", "state", "absent"]);
    await publish(server, "x", 1);
    ({ id } = await stream.next());
  }
  await write(server, "new.log", "first");
  await using again = await open(server, "log=new.log&channel=x", id);
  assertEquals(await again.source(), ["log:new.log", "first"]);
});

Deno.test({
  name: "a log that is waited for is found in every folder",
  ignore: !granted.server,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "weir-test-" });
    const logs = [`${folder}/one`, `${folder}/two`];
    await Promise.all(logs.map((path) => Deno.mkdir(path)));
    await using server = await serve({ logs });
    let id: string;
    {
      await using stream = await open(server, "log=new.log");
      ({ id } = await stream.next());
    }
    await using stream = await open(server, "log=new.log", id);
    assertEquals(await stream.source(), ["log:new.log", "state", "absent"]);
    await put(`${folder}/two/new.log`, "first\n");
    assertEquals(await stream.source(), ["log:new.log", "state", "live"]);
    assertEquals(await stream.source(), ["log:new.log", "first"]);
    await Deno.remove(folder, { recursive: true });
  },
});

const job = route(
  "/job",
  (_request, context) =>
    share(context, context.query.get("run")!, async function* () {
      yield "one";
      yield { event: "named", data: 2 };
      if (context.query.has("fails")) throw new Error("inside");
    }),
);

test("a run that has not started is absent, then live, then ended with its reason", async (server) => {
  await using stream = await open(server, "run=r&channel=x");
  assertEquals(await stream.source(), ["run:r", "state", "absent"]);
  await (await fetch(`${server.origin}/job?run=r`)).text();
  assertEquals(await stream.source(), ["run:r", "state", "live"]);
  assertEquals(await stream.source(), ["run:r", "one"]);
  assertEquals(await stream.source(), ["run:r", "named", 2]);
  assertEquals(await stream.source(), ["run:r", "state", "ended", "complete"]);
  await publish(server, "x", 1);
  assertEquals(await stream.source(), ["channel:x", 1]);
}, { routes: [...routes, job] });

test("a run that fails has failed, and the stream ends with the reason error", async (server) => {
  await (await fetch(`${server.origin}/job?run=r&fails`)).text().catch(() => {});
  await using stream = await open(server, "run=r&channel=x");
  assertEquals(await stream.source(), ["run:r", "one"]);
  assertEquals(await stream.source(), ["run:r", "named", 2]);
  assertEquals(await stream.source(), ["run:r", "state", "failed"]);
  const { body } = await status(server, "?run=r&format=ndjson");
  assertEquals(JSON.parse(body.trim().split("\n").at(-1)!), { event: "end", data: { reason: "error" } });
}, { routes: [...routes, job] });

test(
  "a run whose end has come is no gap once it is gone, and another of its name comes whole",
  async (server) => {
    await (await fetch(`${server.origin}/job?run=r`)).text();
    let id: string;
    {
      await using stream = await open(server, "run=r&channel=x");
      while ((await stream.source())[1] !== "state");
      await publish(server, "x", 1);
      ({ id } = await stream.next());
    }
    {
      await using again = await open(server, "run=r&channel=x", id);
      assertEquals(await again.source(), ["run:r", "state", "ended", "complete"]);
    }
    await (await fetch(`${server.origin}/runs/r`, { method: "DELETE" })).body!.cancel();
    await using again = await open(server, "run=r&channel=x", id);
    assertEquals(await again.source(), ["run:r", "state", "absent"]);
    await (await fetch(`${server.origin}/job?run=r`)).text();
    assertEquals(await again.source(), ["run:r", "state", "live"]);
    assertEquals(await again.source(), ["run:r", "one"]);
  },
  { routes: [...routes, job] },
);

test("a run that is no longer there is a gap, then absent", async (server) => {
  await (await fetch(`${server.origin}/job?run=r`)).text();
  let id: string;
  {
    await using stream = await open(server, "run=r&channel=x");
    ({ id } = await stream.next());
  }
  await (await fetch(`${server.origin}/runs/r`, { method: "DELETE" })).body!.cancel();
  await using again = await open(server, "run=r&channel=x", id);
  const { event, data: { source, data } } = await again.next();
  assertEquals([event, source, data.next, data.lost], ["gap", "run:r", null, null]);
  assertEquals(await again.source(), ["run:r", "state", "absent"]);
  await (await fetch(`${server.origin}/job?run=r`)).text();
  assertEquals(await again.source(), ["run:r", "state", "live"]);
  assertEquals(await again.source(), ["run:r", "one"]);
}, { routes: [...routes, job] });

test("a stream whose sources have all ended is complete", async (server) => {
  await (await fetch(`${server.origin}/job?run=r`)).text();
  const { body } = await status(server, "?run=r&format=ndjson");
  assertEquals(JSON.parse(body.trim().split("\n").at(-1)!), { event: "end", data: { reason: "complete" } });
}, { routes: [...routes, job] });

test("the server's lists and counts come, then what changes in them", async (server) => {
  await publish(server, "x", 1);
  await write(server, "app.log", "line");
  await using stream = await open(server, "server");
  const { event, data: { source, data } } = await stream.next();
  const logs = [{ name: "access.log" }, { name: "app.log" }];
  const x = { name: "x", events: 1, readers: 0 };
  assertEquals([event, source, data], ["lists", "server", { channels: [x], runs: [], logs }]);
  const counts = { streams: 1, downloads: 0, sockets: 0, runs: 0, draining: false };
  assertEquals(await stream.source(), ["server", "counts", counts]);
  await publish(server, "y", 1);
  const changes = { channels: { added: [{ ...x, name: "y" }], removed: [] } };
  assertEquals(await stream.source(), ["server", "changes", changes]);
});

test("the server says that it drains, then the stream ends", async (server) => {
  await using stream = await open(server, "server");
  await stream.next(), await stream.next();
  const closing = server.server.close();
  assertEquals((await stream.next()).data.data.draining, true);
  assertEquals(await stream.next(), { event: "end", data: { reason: "shutdown" } });
  await closing;
});

test("a source that is refused has failed, and the others go on", async (server) => {
  await publish(server, "x", 1);
  await using stream = await open(server, "channel=x&channel=y");
  assertEquals(await stream.source(), [
    "channel:y",
    "state",
    "failed",
    "too many channels: at most 1 at once",
  ]);
  await publish(server, "x", 2);
  assertEquals(await stream.source(), ["channel:x", 2]);
}, { limits: { channels: 1 } });

/** The cursor after each line of a log. */
async function cursorsOf({ origin }: TestServer, name: string): Promise<string[]> {
  const response = await fetch(`${origin}/logs/${name}?format=ndjson&follow=false`);
  const lines = (await response.text()).trim().split("\n").map((line) => JSON.parse(line));
  return lines.filter(({ event }) => event === undefined).map(({ id }) => id);
}

test("a source with `since` begins there, and the others at their place of `after`", async (server) => {
  for (const line of ["one", "two", "three"]) await write(server, "app.log", line);
  const [one] = await cursorsOf(server, "app.log");
  await publish(server, "x", 1);
  let id: string;
  {
    await using stream = await open(server, "log=app.log&channel=x");
    await publish(server, "x", 2);
    ({ id } = await stream.next());
  }
  await publish(server, "x", 3);
  await using again = await open(server, `log=app.log&channel=x&since=log:app.log=${one}`, id);
  const came = [await again.source(), await again.source(), await again.source()].map((one) => one.join(" "));
  assertEquals(came.filter((one) => one.startsWith("log")), ["log:app.log two", "log:app.log three"]);
  assertEquals(came.filter((one) => one.startsWith("channel")), ["channel:x 3"]);
});

test("a source with an empty `since` begins live, also where `after` has a cursor of it", async (server) => {
  let id: string;
  {
    await using stream = await open(server, "channel=x&channel=y");
    await publish(server, "x", 1);
    ({ id } = await stream.next());
  }
  await publish(server, "x", 2);
  await publish(server, "y", 3);
  await using again = await open(server, "channel=x&channel=y&since=channel:x=", id);
  assertEquals(await again.source(), ["channel:y", 3]);
  await publish(server, "x", 4);
  assertEquals(await again.source(), ["channel:x", 4]);
});

test("a sensor goes on from the cursor of its history", async (server) => {
  await post(`${server.origin}/sensors/a`, "1");
  const { cursor, readings } = await (await fetch(`${server.origin}/sensors/a/history`)).json();
  assertEquals(readings.length, 1);
  await post(`${server.origin}/sensors/a`, "2");
  await using stream = await open(server, `sensor=a&since=sensor:a=${cursor}`);
  assertEquals((await stream.next()).data.data.value, 2);
});

for (
  const [name, headers, query] of [
    ["Last-Event-ID", (id: string) => ({ "last-event-id": id }), ""],
    ["lastEventId", () => ({}), "&lastEventId="],
  ] as const
) {
  test(`a browser that comes back by ${name} goes on after its id, whatever \`since\` says`, async (server) => {
    for (const line of ["one", "two"]) await write(server, "app.log", line);
    const [one] = await cursorsOf(server, "app.log");
    let id: string;
    {
      await using stream = await open(server, `log=app.log&since=log:app.log=${one}`);
      const { id: first, data } = await stream.next();
      assertEquals(data.data, "two");
      id = first;
    }
    await write(server, "app.log", "three");
    const url = `${server.origin}/events?format=ndjson&log=app.log&since=log:app.log=${one}`;
    await using lines = await Lines.get(url + (query && query + id), headers(id));
    assertEquals((await lines.json()).data.data, "three");
  });
}

test("a source that is given twice comes once", async (server) => {
  await using stream = await open(server, "channel=x&channel=x");
  await publish(server, "x", 1);
  await publish(server, "x", 2);
  assertEquals([await stream.source(), await stream.source()], [["channel:x", 1], ["channel:x", 2]]);
});

const refusals: [query: string, message: RegExp][] = [
  ["", /must be 1 to 32 in all, as in .*: current value is \\"0\\"/],
  ["?format=sse", /must be 1 to 32 in all/],
  ["?" + Array.from({ length: 33 }, (_, n) => `channel=c${n}`).join("&"), /current value is \\"33\\"/],
  [
    "?channel=x&socket=y",
    /a source must be channel, log, sensor, run or server: current value is \\"socket\\"/,
  ],
  ["?constructor=y", /a source must be/],
  ["?chanel=x", /name must be channel/],
  ["?channel=a%20b", /a channel's name must be/],
  ["?channel=sensors", /readings are sensor=ID/],
  ["?run=", /a run's name must be/],
  ["?log=..%2Fx", /log must be a log's name/],
  ["?sensor=nope", /sensor must be a sensor's: current value is \\"nope\\"/],
  ["?channel=x&format=text", /format must be ndjson or sse|format must be sse or ndjson/],
  ["?channel=x&since=channel:y=1", /since must be .* that is asked for: current value is \\"channel:y=1\\"/],
  ["?channel=x&since=x", /since must be SOURCE=CURSOR/],
  [
    "?channel=x&since=channel:x=1&since=channel:x=2",
    /since must be given once for a source: current value is \\"channel:x=2\\"/,
  ],
  ["?server&server", /server must be given once/],
];
for (const [query, message] of refusals) {
  test(`400 for ${query.slice(0, 40) || "no source"}`, async (server) => {
    const { status: code, body } = await status(server, query);
    assertEquals(code, 400, body);
    assertMatch(body, message);
  });
}

test("406 for an Accept that allows text alone", async (server) => {
  const { status: code, body } = await status(server, "?channel=x", { headers: { accept: "text/plain" } });
  assertEquals(code, 406);
  assert(!body.includes("or text/plain") && !body.includes("text/plain,"), body);
});

test("32 sources are followed", async (server) => {
  await using stream = await open(server, Array.from({ length: 32 }, (_, n) => `channel=c${n}`).join("&"));
  await publish(server, "c31", 1);
  const { id, data } = await stream.next();
  assertEquals(data, { source: "channel:c31", data: 1 });
  assert(id.length <= 4_096, `the id has ${id.length} bytes`);
});

test("HEAD starts nothing", async (server) => {
  const response = await fetch(`${server.origin}/events?channel=x`, { method: "HEAD" });
  assertEquals([response.status, response.headers.get("content-type")], [200, "text/event-stream"]);
  assertEquals(server.store.list(), []);
});

test("a browser that comes back after the end gets 204", async (server) => {
  const { status: code } = await status(server, "?channel=x", { headers: { "last-event-id": "end" } });
  assertEquals(code, 204);
});

test("a reader that leaves lets go of its sources", async (server) => {
  {
    await using stream = await open(server, "channel=x&channel=y&sensor=a&log=app.log&run=r&server");
    while ((await stream.next()).event !== "counts");
    assertEquals(server.store.list().length, 2);
  }
  await until(() => server.app.limits.streams.used === 0);
  assertEquals([server.store.list(), server.app.overview.isRead], [[], false]);
  const format = sourceFormat(ndjson, "channel:x");
  assertEquals(format.readers, 1, "the format of its blocks goes with the last reader");
  release(format);
});
