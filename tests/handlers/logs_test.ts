import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Opens } from "../../lib/opens.ts";
import { granted } from "../support/granted.ts";
import { serve, type TestServer, until } from "../support/server.ts";

function test(name: string, run: (server: TestServer, log: string) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !granted.server,
    async fn() {
      await using server = await serve();
      await run(server, `${server.folder}/logs/app.log`);
    },
  });
}

interface Told {
  id?: string;
  event?: string;
  data: unknown;
}

/** A client of a live NDJSON stream. */
class Client implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(response: Response) {
    this.#reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  }

  async next(): Promise<Told> {
    while (!this.#text.includes("\n")) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("the stream has ended");
      this.#text += value;
    }
    const end = this.#text.indexOf("\n");
    const told = JSON.parse(this.#text.slice(0, end));
    this.#text = this.#text.slice(end + 1);
    return told;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
  }
}

async function get(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const response = await fetch(url, { headers });
  return { status: response.status, text: await response.text() };
}

test("GET /logs lists the logs with size and time, the own access log too", async ({ origin }, log) => {
  await Deno.writeTextFile(log, "a\n");
  const response = await fetch(`${origin}/logs`);
  assertEquals(response.headers.get("content-type"), "application/json");
  const list = await response.json();
  assertEquals(list.map(({ name }: { name: string }) => name), ["access.log", "app.log"]);
  assertEquals(list[1].size, 2);
  assert(!Number.isNaN(Date.parse(list[1].time)));
});

test("GET /logs/NAME gives the last lines in each format", async ({ origin }, log) => {
  await Deno.writeTextFile(log, Array.from({ length: 200 }, (_, i) => `line ${i}\n`).join(""));
  const url = `${origin}/logs/app.log?follow=false`;
  assertEquals((await get(url)).text.split("\n").length, 101);
  assertEquals((await get(`${url}&lines=2`)).text, "line 198\nline 199\n");
  assertEquals((await get(`${url}&lines=0`)).text, "");
  assertEquals((await get(`${url}&from=start`)).text, await Deno.readTextFile(log));
  const ndjson = (await get(`${url}&lines=1&format=ndjson`)).text.trimEnd().split("\n").map((line) =>
    JSON.parse(line)
  );
  assertEquals(ndjson[0].data, "line 199");
  assertEquals(ndjson[1], { event: "end", data: { reason: "complete" } });
  assertEquals(
    (await get(`${url}&lines=1`, { accept: "text/event-stream" })).text,
    `id: ${ndjson[0].id}\ndata: line 199\n\nid: end\nevent: end\ndata: {"reason":"complete"}\n\n`,
  );
});

test("awkward bytes arrive whole in each format", async ({ origin }, log) => {
  await Deno.writeFile(
    log,
    new Uint8Array([0x22, 0x5c, 0x0d, 0x0a, 0xff, 0x0d, 0x41, 0x0a, 0xe2, 0x82, 0xac, 0x00, 0x0a]),
  );
  const url = `${origin}/logs/app.log?follow=false&from=start`;
  assertEquals((await get(url)).text, '"\\\n\ufffd\rA\n€\0\n');
  const ndjson = (await get(`${url}&format=ndjson`)).text.trimEnd().split("\n").map((line) =>
    JSON.parse(line).data
  );
  assertEquals(ndjson.slice(0, 3), ['"\\', "\ufffd\rA", "€\0"]);
  const sse = (await get(`${url}&format=sse`)).text;
  assertEquals(sse.match(/^data: .*$/gm)!.slice(0, 4), ['data: "\\', "data: \ufffd", "data: A", "data: €\0"]);
});

test(
  "new lines come as they are written, and Last-Event-ID goes on after its line",
  async ({ origin }, log) => {
    await Deno.writeTextFile(log, "a\n");
    const url = `${origin}/logs/app.log?format=ndjson`;
    let id: string | undefined;
    {
      await using client = new Client(await fetch(url));
      assertEquals((await client.next()).data, "a");
      await Deno.writeTextFile(log, "b\n", { append: true });
      const told = await client.next();
      assertEquals(told.data, "b");
      id = told.id;
    }
    await Deno.writeTextFile(log, "c\n", { append: true });
    await using client = new Client(
      await fetch(`${url}&after=garbage`, { headers: { "last-event-id": id! } }),
    );
    assertEquals((await client.next()).data, "c");
  },
);

test("a cursor that leads nowhere is a gap in-band", async ({ origin }, log) => {
  await Deno.writeTextFile(log, "a\nb\n");
  const { status, text } = await get(`${origin}/logs/app.log?after=${"x".repeat(200)}&lines=1&follow=false`);
  assertEquals(status, 200);
  assert(/^# gap after="x{128}" next="[-0-9a-z]+" lost=null\nb\n$/.test(text), text);
});

test(
  "grep keeps the lines that contain a substring, from the past and from now on",
  async ({ origin }, log) => {
    await Deno.writeTextFile(log, "error 1\nfine\nerror 2 .*\n");
    const url = `${origin}/logs/app.log?format=ndjson`;
    assertEquals((await get(`${origin}/logs/app.log?follow=false&grep=.*`)).text, "error 2 .*\n");
    await using client = new Client(await fetch(`${url}&grep=error`));
    assertEquals((await client.next()).data, "error 1");
    assertEquals((await client.next()).data, "error 2 .*");
    await Deno.writeTextFile(log, "fine\nerror 3\n", { append: true });
    const { id, data } = await client.next();
    assertEquals(data, "error 3");
    assertStringIncludes((await get(`${url}&follow=false&after=${id}`)).text, '{"event":"end"');
  },
);

test("grep gives the last lines that match, icase by no case, not without those", async ({ origin }, log) => {
  await Deno.writeTextFile(log, "ERROR 1\nerror 2\nError 3 fatal\n" + "fine\n".repeat(500));
  const url = `${origin}/logs/app.log?follow=false`;
  assertEquals((await get(`${url}&grep=error`)).text, "error 2\n");
  assertEquals((await get(`${url}&grep=eRRor&icase=true&lines=2`)).text, "error 2\nError 3 fatal\n");
  assertEquals((await get(`${url}&grep=error&icase=true&not=FATAL&lines=1`)).text, "error 2\n");
  assertEquals((await get(`${url}&not=fine`)).text, "ERROR 1\nerror 2\nError 3 fatal\n");
  const merged = `${origin}/logs?name=app.log&follow=false&grep=error&lines=1`;
  assertEquals((await get(merged)).text, "app.log: error 2\n");
  for (const query of [`not=${"x".repeat(1001)}`, "not=a%0Ab", "icase=maybe"]) {
    const { status, text } = await get(`${url}&${query}`);
    assertEquals([status, text.includes(query.split("=")[0])], [400, true], query);
  }
});

Deno.test({
  name: "how far grep has looked is told in each format, and for merged logs by name",
  ignore: !granted.server,
  async fn() {
    await using server = await serve({ limits: { searchBytes: 1 } });
    await Deno.writeTextFile(`${server.folder}/logs/app.log`, "a\n" + "i\n".repeat(1_000_000) + "a\n");
    const query = "follow=false&grep=a&lines=2";
    const url = `${server.origin}/logs/app.log?${query}`;
    const merged = `${server.origin}/logs?name=app.log&${query}`;
    assert(/^# searched from="[-0-9a-z]+"\na\n$/.test((await get(url)).text));
    assert(/^# searched name="app.log" from="[-0-9a-z]+"\napp.log: a\n$/.test((await get(merged)).text));
    const [first] = (await get(`${url}&format=ndjson`)).text.split("\n");
    const { event, data } = JSON.parse(first);
    assertEquals([event, Object.keys(data)], ["searched", ["from"]]);
    const { text } = await get(`${server.origin}/logs/app.log?follow=false&format=ndjson&after=${data.from}`);
    assert(!text.includes("gap"), text.slice(0, 200));
  },
});

/** The records of a finite NDJSON answer, without its end. */
async function recordsOf(url: string): Promise<Told[]> {
  const { text } = await get(`${url}&format=ndjson`);
  return text.trimEnd().split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

test(
  "`before` gives the last lines up to a cursor, also once the file is rotated",
  async ({ origin }, log) => {
    await Deno.writeTextFile(log, Array.from({ length: 3_000 }, (_, i) => `line ${i}\n`).join(""));
    const url = `${origin}/logs/app.log?`;
    const all = await recordsOf(`${url}from=start&follow=false`);
    const { id } = all[1_999];
    assertEquals(await recordsOf(`${url}before=${id}&lines=500`), all.slice(1_500, 2_000));
    await Deno.rename(log, `${log}.1`);
    await Deno.writeTextFile(log, "new\n");
    assertEquals(await recordsOf(`${url}before=${id}&from=start`), all.slice(0, 2_000));
    assertEquals((await recordsOf(`${url}before=${id}&lines=2&grep=77`)).map(({ data }) => data), [
      "line 1877",
      "line 1977",
    ]);
    const [first] = await recordsOf(`${url}before=${all[0].id}&lines=1`);
    assertEquals(first, all[0]);
  },
);

test("`before` with a cursor of nothing that is there is a gap", async ({ origin }, log) => {
  await Deno.writeTextFile(log, "a\n");
  const records = await recordsOf(`${origin}/logs/app.log?before=1-2-3-4-5`);
  assertEquals(records, [{ event: "gap", data: { after: "1-2-3-4-5", next: null, lost: null } }]);
});

test("a byte order mark is in no format a part of the first line", async ({ origin }, log) => {
  await Deno.writeTextFile(log, '\ufeff{"n":1}\n{"n":2}\n');
  for (const format of ["text", "ndjson", "sse"]) {
    const response = await fetch(`${origin}/logs/app.log?follow=false&from=start&format=${format}`);
    const bytes = await response.bytes();
    assertEquals([bytes.includes(0xef), bytes.includes(0x31)], [false, true], format);
  }
});

test("several logs are merged, and resumed as a whole", async ({ origin, folder }) => {
  const [a, b] = [`${folder}/logs/a.log`, `${folder}/logs/b b.log`];
  await Promise.all([Deno.writeTextFile(a, "a1\na2\n"), Deno.writeTextFile(b, "b1\n")]);
  const url = `${origin}/logs?name=a.log&name=b%20b.log&format=ndjson`;
  let id = "";
  {
    await using client = new Client(await fetch(`${url}&lines=1`));
    const told = [await client.next(), await client.next()].map(({ data }) =>
      data as { name: string; line: string }
    );
    assertEquals(told.map(({ name, line }) => `${name} ${line}`).sort(), ["a.log a2", "b b.log b1"]);
    await Deno.writeTextFile(a, "a3\n", { append: true });
    id = (await client.next()).id!;
  }
  await Deno.writeTextFile(b, "b2\n", { append: true });
  await using client = new Client(await fetch(url, { headers: { "last-event-id": id } }));
  const { data } = await client.next();
  const { name, line, cursor } = data as Record<string, string>;
  assertEquals([name, line], ["b b.log", "b2"]);
  assertStringIncludes(
    (await get(`${origin}/logs/b%20b.log?after=${cursor}&follow=false&format=ndjson`)).text,
    '{"event":"end"',
  );
  assertEquals((await get(`${origin}/logs?name=a.log&lines=1&follow=false`)).text, "a.log: a3\n");
});

test("a merged log that has had no line yet is resumed too", async ({ origin, folder }) => {
  const [a, b] = [`${folder}/logs/a.log`, `${folder}/logs/b.log`];
  await Promise.all([Deno.writeTextFile(a, "a1\n"), Deno.writeTextFile(b, "b1\n")]);
  const url = `${origin}/logs?name=a.log&name=b.log&format=ndjson&lines=0`;
  let id = "";
  {
    await using client = new Client(await fetch(url));
    await Deno.writeTextFile(a, "a2\n", { append: true });
    id = (await client.next()).id!;
  }
  await Deno.writeTextFile(b, "b2\n", { append: true });
  await using client = new Client(await fetch(`${url}&after=${encodeURIComponent(id)}`));
  assertEquals((await client.next()).data as unknown, {
    name: "b.log",
    line: "b2",
    cursor:
      ((await get(`${origin}/logs/b.log?lines=1&follow=false&format=ndjson`)).text.match(/"id":"([^"]+)"/))![
        1
      ],
  });
});

test("wrong input is a 400 that names the parameter; what is not a log is a 404", async ({ origin }, log) => {
  await Deno.writeTextFile(log, "a\n");
  for (
    const query of [
      "lines=-1",
      "lines=10001",
      "lines=x",
      "follow=maybe",
      "from=end",
      "grep=a%0Ab",
      `grep=${"x".repeat(1001)}`,
    ]
  ) {
    const { status, text } = await get(`${origin}/logs/app.log?${query}`);
    assertEquals(status, 400, query);
    assertStringIncludes(text, query.split("=")[0]);
  }
  for (
    const name of ["none", "..%2Fapp.log", "%2e%2e%2fapp.log", "a%00", ".app.log", "..%5Capp.log", "%ff"]
  ) {
    const { status, text } = await get(`${origin}/logs/${name}`);
    assertEquals([status, text.includes("a\n")], [404, false], name);
  }
  assertEquals((await get(`${origin}/logs?name=app.log&name=none`)).status, 404);
});

test("the access log is followed while requests come in, and does not feed itself", async ({ origin }) => {
  await using client = new Client(await fetch(`${origin}/logs/access.log?lines=0&format=ndjson`));
  await get(`${origin}/logs?secret=1`);
  await get(`${origin}/nowhere`);
  const told = [await client.next(), await client.next()].map(({ data }) => JSON.parse(data as string));
  assertEquals(told.map(({ path, status, end }) => [path, status, end]), [
    ["/logs", 200, "complete"],
    ["/nowhere", 404, "refused"],
  ]);
});

Deno.test({
  name: "the access log is followed through its own rotations",
  ignore: !granted.server,
  async fn() {
    await using server = await serve({ limits: { accessLogBytes: 1_000 } });
    await using client = new Client(await fetch(`${server.origin}/logs/access.log?lines=0&format=ndjson`));
    for (let n = 0; n < 60; n++) {
      await get(`${server.origin}/nowhere/${n}`);
      assertEquals(JSON.parse((await client.next()).data as string).path, `/nowhere/${n}`);
    }
    const names = [...Deno.readDirSync(`${server.folder}/logs`)].map(({ name }) => name).sort();
    assertEquals(names, ["access.log", "access.log.1", "access.log.2", "access.log.3"]);
  },
});

test("a client that leaves frees what it held, and leaves the others alone", async ({ app, origin }, log) => {
  await Deno.writeTextFile(log, "a\n");
  await using stays = new Client(await fetch(`${origin}/logs/app.log?format=ndjson`));
  await stays.next();
  {
    await using leaves = new Client(await fetch(`${origin}/logs/app.log?format=ndjson`));
    await leaves.next();
    assertEquals(app.limits.streams.used, 2);
  }
  await until(() => app.limits.streams.used === 1);
  await Deno.writeTextFile(log, "b\n", { append: true });
  assertEquals((await stays.next()).data, "b");
});

test(
  "the cursor of another log is garbage here: its lines never come under this log's name",
  async ({ origin, folder }, log) => {
    await Deno.writeTextFile(log, "a1\na2\n");
    await Deno.writeTextFile(`${folder}/logs/web.log`, "w1\nw2\nw3\n");
    const told = async (path: string): Promise<Told[]> => {
      const text = await (await fetch(`${origin}/logs/${path}&follow=false&format=ndjson`)).text();
      return text.trimEnd().split("\n").map((line) => JSON.parse(line));
    };
    const [{ id }] = await told("web.log?lines=3");
    const [gap, ...lines] = await told(`app.log?after=${id}`);
    assertEquals([gap.event, (gap.data as { after: string }).after], ["gap", id]);
    assertEquals(lines.map(({ data }) => data), ["a1", "a2", { reason: "complete" }]);
  },
);

Deno.test({
  name: "over the limit of followed logs a stream is 503, and one that only reads what is there is not",
  ignore: !granted.server,
  async fn() {
    await using server = await serve({ limits: { followedLogs: 1 } });
    await Deno.writeTextFile(`${server.folder}/logs/a.log`, "a\n");
    await Deno.writeTextFile(`${server.folder}/logs/b.log`, "b\n");
    await using client = new Client(await fetch(`${server.origin}/logs/a.log?format=ndjson`));
    assertEquals((await client.next()).data, "a");
    const refused = await fetch(`${server.origin}/logs/b.log`);
    assertEquals([refused.status, refused.headers.get("retry-after")], [503, "1"]);
    assertStringIncludes(await refused.text(), "too many followed logs: at most 1 at once");
    assertEquals((await get(`${server.origin}/logs/b.log?follow=false`)).text, "b\n");
  },
});

for (const what of ["opens", "turns"] as const) {
  test(`when no ${what} come free, what is there now is a 503 with Retry-After`, async (server, log) => {
    await Deno.writeTextFile(log, "a\n");
    const { logFiles } = server.app;
    const opens = (await logFiles.find("app.log")).opens as Opens;
    using held = new DisposableStack();
    const hold = what === "opens" ? () => opens.permit() : () => logFiles.turn();
    for (let n = 0; n < (what === "opens" ? 8 : 16); n++) held.use(await hold());
    for (const path of ["logs/app.log?", "logs?name=app.log&"]) {
      const response = await fetch(`${server.origin}/${path}follow=false`);
      assertEquals([response.status, response.headers.get("retry-after")], [503, "1"]);
      assertEquals(await response.json(), { error: "too many logs are being opened" });
    }
    assertEquals(server.reports(), "");
  });
}
