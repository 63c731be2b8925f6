import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { every, exchange, gap, sleep, type StreamEvent, streamResponse, type Wanted } from "../lib/mod.ts";
import { granted } from "./support/granted.ts";

const ignore = !granted.net;

/** Counts to three, after the cursor; 0 and below are gone. */
async function* count({ after = "0", signal }: Wanted): AsyncGenerator<StreamEvent> {
  let n = /^[0-3]$/.test(after) ? Number(after) : 0;
  if (String(n) !== after) yield gap(after, "1", null);
  for await (const _ of every(1, signal)) {
    if (n++ === 3) return;
    yield { id: String(n), data: { n } };
  }
}

/** Somebody's own server, without the rest of Weir. */
function own(handler: Deno.ServeHandler): Deno.HttpServer<Deno.NetAddr> & { url: string } {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, handler);
  return Object.assign(server, { url: `http://127.0.0.1:${server.addr.port}/` });
}

const counting = () => own((request, info) => streamResponse(exchange(request, info), count));

const formats: [format: string, type: string, body: string][] = [
  ["text", "text/plain; charset=utf-8", '{"n":1}\n{"n":2}\n{"n":3}\n'],
  [
    "ndjson",
    "application/x-ndjson",
    '{"id":"1","data":{"n":1}}\n{"id":"2","data":{"n":2}}\n{"id":"3","data":{"n":3}}\n' +
    '{"event":"end","data":{"reason":"complete"}}\n',
  ],
  [
    "sse",
    "text/event-stream",
    'id: 1\ndata: {"n":1}\n\nid: 2\ndata: {"n":2}\n\nid: 3\ndata: {"n":3}\n\n' +
    'id: end\nevent: end\ndata: {"reason":"complete"}\n\n',
  ],
];
for (const [format, type, body] of formats) {
  Deno.test({
    name: `lib/mod.ts alone streams a generator from a Deno.serve of one's own as ${format}`,
    ignore,
    async fn() {
      await using server = counting();
      const asked = await fetch(`${server.url}?format=${format}`);
      assertEquals([asked.headers.get("content-type"), await asked.text()], [type, body]);
      const accepted = await fetch(server.url, { headers: { accept: type } });
      assertEquals([accepted.headers.get("content-type"), await accepted.text()], [type, body]);
    },
  });
}

Deno.test({
  name: "lib/mod.ts alone goes on after the cursor that a client comes back with",
  ignore,
  async fn() {
    await using server = counting();
    const headers = { "last-event-id": "2" };
    assertEquals(await (await fetch(server.url, { headers })).text(), '{"n":3}\n');
    assertEquals(await (await fetch(`${server.url}?after=1`)).text(), '{"n":2}\n{"n":3}\n');
    assertEquals((await fetch(server.url, { headers: { "last-event-id": "end" } })).status, 204);
  },
});

Deno.test({
  name: "lib/mod.ts alone reports a cursor that cannot be followed as a gap",
  ignore,
  async fn() {
    await using server = counting();
    const text = await (await fetch(`${server.url}?after=lost`)).text();
    assertEquals(text.split("\n")[0], '# gap after="lost" next="1" lost=null');
  },
});

Deno.test({
  name: "lib/mod.ts alone answers 406 for an Accept that allows no format",
  ignore,
  async fn() {
    await using server = counting();
    const response = await fetch(server.url, { headers: { accept: "image/png" } });
    assertEquals(response.status, 406);
    assertStringIncludes((await response.json()).error, "Accept must allow text/plain");
  },
});

/** A stream of one event that then waits for its signal; `cleaned` resolves in its `finally`. */
function waiting() {
  const { promise: cleaned, resolve } = Promise.withResolvers<void>();
  async function* source({ signal }: Wanted): AsyncGenerator<StreamEvent> {
    try {
      yield { id: "1", data: "first" };
      await sleep(1_000_000, signal);
    } finally {
      resolve();
    }
  }
  return { source, cleaned };
}

Deno.test({
  name: "lib/mod.ts alone runs the generator's finally when its client leaves",
  ignore,
  async fn() {
    const { source, cleaned } = waiting();
    await using server = own((request, info) => streamResponse(exchange(request, info), source));
    const reader = (await fetch(server.url)).body!.getReader();
    await reader.read();
    await reader.cancel();
    await cleaned;
  },
});

Deno.test({
  name: "lib/mod.ts alone ends open streams truthfully when the server drains",
  ignore,
  async fn() {
    const drain = new AbortController();
    const { source, cleaned } = waiting();
    await using server = own((request, info) =>
      streamResponse(exchange(request, info, { draining: drain.signal, report() {} }), source)
    );
    const [sse, text] = await Promise.all(
      ["sse", "text"].map((name) => fetch(`${server.url}?format=${name}`)),
    );
    const cut = assertRejects(() => text.text());
    drain.abort();
    assertMatch(
      await sse.text(),
      /^id: 1\ndata: first\n\nevent: end\nretry: \d+\ndata: \{"reason":"shutdown"\}\n\n$/,
    );
    await Promise.all([cut, cleaned]);
    const late = await fetch(server.url);
    assertEquals([late.status, await late.json()], [503, { error: "the server is shutting down" }]);
  },
});

Deno.test({
  name: "lib/mod.ts loads lib/stream and nothing else of Weir",
  ignore: !granted.run,
  async fn() {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "lib/mod.ts"],
      cwd: new URL("..", import.meta.url),
    }).output();
    const { roots: [root], modules } = JSON.parse(new TextDecoder().decode(stdout));
    const lib = root.slice(0, -"mod.ts".length);
    const own = modules.map(({ specifier }: { specifier: string }) => specifier)
      .filter((specifier: string) => specifier.startsWith("file:") && !specifier.endsWith(".d.ts"))
      .map((specifier: string) => specifier.replace(lib, ""));
    assertEquals(own.includes("stream/response.ts"), true);
    assertEquals(own.filter((path: string) => path !== "mod.ts" && !path.startsWith("stream/")), []);
  },
});
