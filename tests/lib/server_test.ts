import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { sleep } from "../../lib/stream/clock.ts";
import { HttpError } from "../../lib/stream/errors.ts";
import { json } from "../../lib/stream/json.ts";
import type { Handler, Route } from "../../lib/handler.ts";
import { weirRoutes as routes } from "../../handlers/routes.ts";
import { Server } from "../../lib/server.ts";
import { upgrade as upgradeTo } from "../../lib/sockets/upgrade.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { granted } from "../support/granted.ts";
import { serve, type TestServer, until } from "../support/server.ts";
import { connect, upgrade } from "../support/socket_client.ts";
import { bearer, guardOf, token } from "../support/tokens.ts";
import { exchange, open, route, send } from "../support/wire.ts";

const ignore = !granted.server;

/** The status of what a request, as it is written here, is answered with. */
async function status(port: number, request: string): Promise<number> {
  return Number(/^HTTP\/1\.[01] (\d{3}) /.exec(await exchange(port, request))?.[1]);
}

Deno.test({
  name: "a path is 404, a method 405 with Allow, OPTIONS 204 with Allow; errors are JSON",
  ignore,
  async fn() {
    await using server = await serve();
    const ask = async (method: string, path: string) => {
      const response = await fetch(server.origin + path, { method });
      const body = await response.text();
      if (response.status >= 400) assertEquals(typeof JSON.parse(body).error, "string");
      return [response.status, response.headers.get("allow")];
    };
    assertEquals(await ask("GET", "/nowhere"), [404, null]);
    assertEquals(await ask("POST", "/stream"), [405, "GET, HEAD, OPTIONS"]);
    assertEquals(await ask("PUT", "/channels/demo"), [405, "GET, HEAD, POST, OPTIONS"]);
    assertEquals(await ask("DELETE", "/"), [405, "GET, HEAD, OPTIONS"]);
    assertEquals(await ask("OPTIONS", "/healthz"), [204, "GET, HEAD, OPTIONS"]);
    assertEquals(await ask("OPTIONS", "/channels/demo"), [204, "GET, HEAD, POST, OPTIONS"]);
    assertEquals(await ask("OPTIONS", "/nowhere"), [404, null]);
  },
});

Deno.test({
  name: "what a handler throws becomes a 500 that says nothing of it, and is reported",
  ignore,
  async fn() {
    await using server = await serve({
      routes: [
        route("/now", () => {
          throw new Error("secret");
        }),
        route("/later", () => Promise.reject(new Error("secret"))),
        route("/odd", () => Promise.reject(undefined)),
      ],
    });
    const paths = ["/now", "/later", "/odd"];
    for (const path of paths) {
      const response = await fetch(`${server.origin}${path}?token=private`);
      assertEquals([response.status, await response.json()], [500, { error: "internal server error" }]);
    }
    const told = server.reports().match(/GET .*: a request failed/g);
    assertEquals(told, paths.map((path) => `GET ${path}: a request failed`));
    assertEquals(server.reports().match(/secret/g)?.length, 2);
  },
});

Deno.test({
  name: "a response that a handler returns twice is a reported 500, in the access log as well",
  ignore,
  async fn() {
    const kept = { static: new Response("static"), json: json({ a: 1 }), none: new Response(null) };
    const table = Object.entries(kept).map(([name, response]) => route(`/${name}`, () => response));
    table.push(route("/later", () => Promise.resolve(kept.static)));
    await using server = await serve({ routes: table });
    const ask = async (path: string) => {
      const response = await fetch(server.origin + path);
      return [response.status, await response.text()];
    };
    assertEquals(await ask("/static"), [200, "static"]);
    assertEquals(await ask("/json"), [200, '{"a":1}\n']);
    const failed = [500, '{"error":"internal server error"}\n'];
    for (const path of ["/static", "/json", "/later"]) assertEquals(await ask(path), failed);
    assertEquals([await ask("/none"), await ask("/none")], [[200, ""], [200, ""]]);
    assertEquals(server.reports().match(/whose body has been used already/g)?.length, 3);
    const lines = await accessLines(server);
    assertEquals(lines.map(({ status }) => status), [200, 200, 500, 500, 500, 200, 200]);
  },
});

for (const [what, value] of [["Object", { message: "hi" }], ["Undefined", undefined]]) {
  for (const answer of [() => value, () => Promise.resolve(value)] as unknown as Handler[]) {
    Deno.test({
      name: `a handler that returns ${what} and no Response, ${answer}, is a 500 that names it`,
      ignore,
      async fn() {
        await using server = await serve({ routes: [route("/plain/:id", answer)] });
        const response = await fetch(`${server.origin}/plain/1`);
        assertEquals([response.status, await response.json()], [500, { error: "internal server error" }]);
        assertStringIncludes(server.reports(), "the handler of GET /plain/:id must return a Response");
        assertStringIncludes(server.reports(), `current value is [object ${what}]`);
      },
    });
  }
}

Deno.test({
  name: "an HttpError that a handler throws is answered as itself, without its cause",
  ignore,
  async fn() {
    await using server = await serve({
      routes: [
        route("/", () => {
          const headers = { "Retry-After": "5" };
          throw new HttpError(409, "not now", { cause: new Error("secret"), headers });
        }),
      ],
    });
    const response = await fetch(server.origin);
    assertEquals([response.status, response.headers.get("retry-after")], [409, "5"]);
    assertEquals(await response.json(), { error: "not now" });
  },
});

Deno.test({
  name: "only requests for the server's own names are answered",
  ignore,
  async fn() {
    await using server = await serve();
    const { port } = server;
    const get = (target: string, host: string) =>
      status(port, `GET ${target} HTTP/1.1\nHost: ${host}\nConnection: close\n\n`);
    assertEquals(await get("/healthz", "localhost"), 200);
    assertEquals(await get("/healthz", `127.0.0.1:${port}`), 200);
    assertEquals(await get("/healthz", "[::1]"), 200);
    assertEquals(await get("/healthz", "evil.example"), 421);
    assertEquals(await get("/healthz", "localhost.evil.example"), 421);
    assertEquals(await get("/healthz", "a b"), 400);
    assertEquals(await get("/healthz", "localhost/x"), 400);
    assertEquals(await get("/healthz", "x@localhost"), 400);
    assertEquals(await get("/healthz", "localhost\nHost: evil.example"), 400);
    assertEquals(await get("http://localhost/healthz", "localhost"), 200);
    assertEquals(await get("http://evil.example/healthz", "localhost"), 421);
    assertEquals(await get("http://localhost/healthz", "evil.example"), 421);
    assertEquals(await get("http://evil.example/healthz", "evil.example"), 421);
    assert([400, 421].includes(await get("/healthz", "")));
    assert([400, 404, 421].includes(await get("*", "localhost")));
    assert([400, 404, 421].includes(await get("//evil.example/healthz", "localhost")));
    // The server is still there.
    assertEquals(await get("/healthz", "localhost"), 200);
  },
});

Deno.test({
  name: "a POST from another's page is refused, one from a program or the own page passes",
  ignore,
  async fn() {
    await using server = await serve();
    const post = (...headers: string[]) =>
      status(
        server.port,
        [
          "POST /channels/demo HTTP/1.1",
          "Host: localhost",
          "Connection: close",
          ...headers,
          "Content-Length: 1\n\n1",
        ]
          .join("\n"),
      );
    assert(await post() < 300);
    assert(await post("Origin: http://localhost", "Sec-Fetch-Site: same-origin") < 300);
    assertEquals(await post("Origin: http://evil.example"), 403);
    assertEquals(await post("Origin: http://localhost:1"), 403);
    assertEquals(await post("Origin: null"), 403);
    assertEquals(await post("Sec-Fetch-Site: cross-site"), 403);
    assertEquals(await post("Sec-Fetch-Site: same-site"), 403);
  },
});

for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
  Deno.test({
    name: `a ${method} from another's page is 403, whatever the route takes`,
    ignore,
    async fn() {
      await using server = await serve();
      const head = `${method} /channels/demo HTTP/1.1\nHost: localhost\nConnection: close`;
      assertEquals(await status(server.port, `${head}\nOrigin: http://evil.example\n\n`), 403);
    },
  });
}

Deno.test({
  name: "behind a proxy that sends its own Host, the own page posts and upgrades",
  ignore,
  async fn() {
    await using server = await serve();
    const page = "Origin: https://weir.example\nSec-Fetch-Site: same-origin";
    const head = `POST /channels/demo HTTP/1.1\nHost: localhost\nConnection: close\n${page}`;
    assertEquals(await status(server.port, `${head}\nContent-Length: 1\n\n1`), 201);
    using conn = await send(server.port, upgrade("/ws", ...page.split("\n")));
    const buffer = new Uint8Array(1_024);
    const count = await conn.read(buffer);
    assertMatch(new TextDecoder().decode(buffer.subarray(0, count ?? 0)), /^HTTP\/1\.1 101 /);
  },
});

const app = "https://app.example";

Deno.test({
  name: "the pages of an allowed origin may read every answer, also an error and a stream",
  ignore,
  async fn() {
    await using server = await serve({ allowOrigins: [app] });
    const paths = ["/healthz", "/nowhere", "/stream?count=1&request=false&format=sse", "/files/"];
    for (const path of paths) {
      const shared = async (origin: string) => {
        const { headers, body } = await fetch(server.origin + path, { headers: { origin } });
        await body?.cancel();
        return [headers.get("access-control-allow-origin"), headers.get("vary")?.includes("Origin")];
      };
      assertEquals(await shared(app), [app, true], path);
      assertEquals(await shared("https://evil.example"), [null, true], path);
    }
  },
});

Deno.test({
  name: "a preflight of an allowed origin is answered with the methods of the route",
  ignore,
  async fn() {
    await using server = await serve({ allowOrigins: [app] });
    const preflight = async (origin: string) => {
      const { status, headers } = await fetch(`${server.origin}/channels/demo`, {
        method: "OPTIONS",
        headers: {
          origin,
          "access-control-request-method": "POST",
          "access-control-request-headers": "content-type",
        },
      });
      const names = ["origin", "methods", "headers"].map((name) => `access-control-allow-${name}`);
      return [status, ...names.map((name) => headers.get(name))];
    };
    assertEquals(await preflight(app), [204, app, "GET, HEAD, POST, OPTIONS", "content-type"]);
    assertEquals(await preflight("https://evil.example"), [204, null, null, null]);
  },
});

Deno.test({
  name: "a handler may return the response of a fetch, also to an allowed origin",
  ignore,
  async fn() {
    await using upstream = await serve();
    const proxy = route("/", () => fetch(`${upstream.origin}/healthz`));
    await using server = await serve({ allowOrigins: [app], routes: [proxy] });
    const response = await fetch(server.origin, { headers: { origin: app } });
    assertEquals((await response.json()).status, "ok");
    assertEquals(response.headers.get("access-control-allow-origin"), app);
  },
});

Deno.test({
  name: "another site's page gets 403 from every route but those that say otherwise, and they start nothing",
  ignore,
  async fn() {
    let started = 0;
    const counted = (route: Route) => ({
      ...route,
      handler: (...args: Parameters<Handler>) => (started++, route.handler(...args)),
    });
    await using server = await serve({ routes: routes.map(counted) });
    const headers = "Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors\nConnection: close";
    for (const { method, path, anySite = false } of routes) {
      started = 0;
      const target = path.replace(/:\w+|\*$/, "x");
      const got = await status(server.port, `${method} ${target} HTTP/1.1\nHost: localhost\n${headers}\n\n`);
      assertEquals([got !== 403, started], [anySite, anySite ? 1 : 0], `${method} ${path}`);
    }
  },
});

Deno.test({
  name: "every answer keeps itself to its own origin, also an error, a redirect, a file and a stream",
  ignore,
  async fn() {
    await using server = await serve({ allowOrigins: [app] });
    await Deno.writeTextFile(`${server.folder}/files/a`, "a");
    for (
      const path of [
        "/",
        "/healthz",
        "/nowhere",
        "/files",
        "/files/a",
        "/sensors/stream",
        "/channels/sensors",
      ]
    ) {
      const policy = async (headers: HeadersInit) => {
        const response = await fetch(server.origin + path, { headers, redirect: "manual" });
        await response.body?.cancel();
        return response.headers.get("cross-origin-resource-policy");
      };
      assertEquals([await policy({}), await policy({ origin: app })], ["same-origin", null], path);
    }
  },
});

Deno.test({
  name: "no answer lets a browser guess its type, or tell others where it came from",
  ignore,
  async fn() {
    await using server = await serve({
      routes: [...routes, route("/passed", () => fetch(`${server.origin}/healthz`))],
    });
    for (
      const path of [
        "/",
        "/dashboard/style.css",
        "/healthz",
        "/nowhere",
        "/files",
        "/sensors/stream",
        "/passed",
      ]
    ) {
      const { headers, body } = await fetch(server.origin + path, { redirect: "manual" });
      await body?.cancel();
      const told = ["x-content-type-options", "referrer-policy"].map((name) => headers.get(name));
      assertEquals(told, ["nosniff", "no-referrer"], path);
    }
  },
});

for (const trustProxy of [true, false]) {
  Deno.test({
    name: `a proxy that is ${trustProxy ? "" : "not "}trusted says ${
      trustProxy ? "" : "nothing of "
    }who asks, and for which URL`,
    ignore,
    async fn() {
      const told = route("/", (_request, { client, url }) => Response.json([client, url.href]));
      await using server = await serve({ trustProxy, allowHosts: ["weir.example"], routes: [told] });
      const response = await fetch(`${server.origin}/?a=1`, {
        headers: {
          "x-forwarded-for": "10.0.0.1, 192.0.2.1",
          "x-forwarded-proto": "https",
          "x-forwarded-host": "weir.example",
        },
      });
      const asProxied = ["192.0.2.1", "https://weir.example/?a=1"];
      const asSent = ["127.0.0.1", `${server.origin}/?a=1`];
      assertEquals(await response.json(), trustProxy ? asProxied : asSent);
    },
  });
}

Deno.test({
  name: "a name that a trusted proxy was asked for has to be allowed, and makes the own origin",
  ignore,
  async fn() {
    await using server = await serve({ trustProxy: true, allowHosts: ["weir.example"] });
    const post = async (host: string, origin: string) => {
      const headers = { "x-forwarded-host": host, origin };
      const response = await fetch(`${server.origin}/channels/demo`, { method: "POST", headers, body: "1" });
      await response.body?.cancel();
      return response.status;
    };
    assertEquals(await post("weir.example", "https://weir.example"), 201);
    assertEquals(await post("weir.example", "https://evil.example"), 403);
    assertEquals(await post("evil.example", "https://evil.example"), 421);
  },
});

Deno.test({
  name: "what is not HTTP, or half of it, ends no server",
  ignore,
  async fn() {
    await using server = await serve();
    for (
      const bytes of [
        "\n\n\n",
        "nonsense\n\n",
        "GET\n\n",
        "GET /healthz HTTP/9.9\n\n",
        "GET /\0 HTTP/1.1\nHost: localhost\n\n",
        "GET /%00%ff HTTP/1.1\nHost: localhost\nConnection: close\n\n",
        `GET /${"x".repeat(100_000)} HTTP/1.1\nHost: localhost\nConnection: close\n\n`,
        "CONNECT localhost:80 HTTP/1.1\nHost: localhost\nConnection: close\n\n",
        "POST /channels/demo HTTP/1.1\nHost: localhost\nContent-Length: -1\n\n",
        "POST /channels/demo HTTP/1.1\nHost: localhost\nContent-Length: 5\nTransfer-Encoding: chunked\nConnection: close\n\n0\n\n",
      ]
    ) {
      const conn = await send(server.port, bytes);
      await conn.closeWrite();
      await new Response(conn.readable).text().catch(() => "");
    }
    (await send(server.port, "GET /stream HTT")).close();
    assertEquals((await (await fetch(`${server.origin}/healthz`)).json()).streams, 0);
  },
});

Deno.test({
  name: "requests that come together on one connection are answered in their order",
  ignore,
  async fn() {
    await using server = await serve();
    const one = (path: string, last = "") => `GET ${path} HTTP/1.1\nHost: localhost\n${last}\n`;
    const all = await exchange(
      server.port,
      one("/async_route") + one("/nowhere") + one("/stream?count=1&request=false", "Connection: close\n"),
    );
    assertMatch(
      all,
      /^HTTP\/1\.1 200 OK[^]*async route[^]*HTTP\/1\.1 404 [^]*HTTP\/1\.1 200 OK[^]*step 1: 1 x 2 = 2/,
    );
  },
});

Deno.test({
  name: "a handler that waits hears that its client has gone",
  ignore,
  async fn() {
    let waits = false, told = false;
    await using server = await serve({
      routes: [route("/", async (_request, { signal }) => {
        waits = true;
        try {
          await sleep(1_000_000, signal);
        } finally {
          told = true;
        }
        return new Response();
      })],
    });
    const conn = await send(server.port, "GET / HTTP/1.1\nHost: localhost\n\n");
    await until(() => waits);
    conn.close();
    await until(() => told);
    await until(async () =>
      (await Deno.readTextFile(`${server.folder}/logs/access.log`).catch(() => "")).includes('"status":499')
    );
    assertEquals(server.reports(), "");
  },
});

Deno.test({
  name: "a request that was answered in full never aborts its signal",
  ignore,
  async fn() {
    const signals: AbortSignal[] = [];
    await using server = await serve({
      routes: [route("/", (_request, { signal }) => {
        signals.push(signal);
        return new Response("done");
      })],
    });
    for (let n = 0; n < 3; n++) await (await fetch(server.origin)).text();
    await exchange(server.port, "GET / HTTP/1.1\nHost: localhost\nConnection: close\n\n");
    assertEquals(signals.map((signal) => signal.aborted), [false, false, false, false]);
  },
});

/** Every route of the server that is a live stream, with a query that keeps it going. */
const live = [
  "/stream?count=1000000&interval=5&request=false",
  "/stream?count=1000000&interval=0",
  "/concurrent_stream?task=a:1000000:3&task=b:1000000:60000",
  "/channels/demo",
  "/sensors/stream",
  "/logs/some.log?lines=5",
  "/logs?name=some.log&name=other.log",
];

Deno.test({
  name: "of every live route, clients that leave and HEADs leave nothing behind",
  ignore,
  async fn() {
    await using server = await serve();
    for (const name of ["some", "other"]) {
      await Deno.writeTextFile(`${server.folder}/logs/${name}.log`, "a\nb\n");
    }
    const { bodies } = server.server;
    const { limits } = server.app;
    const idle = () => bodies.size === 0 && limits.streams.used === 0 && limits.outbound.used === 0;
    for (const path of live) {
      for (const format of ["text", "ndjson", "sse"]) {
        const url = `${server.origin}${path}${path.includes("?") ? "&" : "?"}format=${format}`;
        const readings = await Promise.all([1, 2, 3].map(() => open(url)));
        for (const { response } of readings) assertEquals(response.status, 200, path);
        assertEquals(bodies.size, 3);
        for (const reading of readings) reading.leave();
        await until(idle);
      }
    }
    await Promise.all(Array.from({ length: 20 }, async () => {
      for (let n = 0; n < 15; n++) {
        const conn = await send(server.port, `GET ${live[n % live.length]} HTTP/1.1\nHost: localhost\n\n`);
        // Some leave at once, some with the headers.
        if (n % 2 === 0) await conn.read(new Uint8Array(4_096));
        conn.close();
      }
    }));
    await until(idle);
    for (let n = 0; n < 1_000; n++) {
      const response = await fetch(server.origin + live[n % live.length], { method: "HEAD" });
      assertEquals(response.status, 200, live[n % live.length]);
      await response.body?.cancel();
    }
    assert(idle());
    // That a client leaves is no failure.
    assertEquals(server.reports(), "");
  },
});

Deno.test({
  name: "every live route answers 204 after the end, 406, and 400 for an unknown format",
  ignore,
  async fn() {
    await using server = await serve();
    for (const name of ["some", "other"]) {
      await Deno.writeTextFile(`${server.folder}/logs/${name}.log`, "a\nb\n");
    }
    for (const path of live) {
      const ask = async (query: string, headers: HeadersInit) => {
        const response = await fetch(server.origin + path + (path.includes("?") ? "&" : "?") + query, {
          headers,
        });
        await response.body?.cancel();
        return response.status;
      };
      assertEquals(await ask("", { "last-event-id": "end" }), 204, path);
      assertEquals(await ask("after=end", {}), 204, path);
      assertEquals(await ask("", { accept: "image/png" }), 406, path);
      assertEquals(await ask("format=xml", {}), 400, path);
    }
    await until(() => server.app.limits.streams.used === 0);
  },
});

Deno.test({
  name: "every route that takes parameters refuses one that is repeated, or written almost as it is",
  ignore,
  async fn() {
    await using server = await serve();
    await Deno.writeTextFile(`${server.folder}/logs/some.log`, "a\nb\n");
    const slips = ["format=sse&format=text", "after=1&after=1", "fromat=sse", "formats=sse"];
    const paths = [
      ...live.flatMap((path) => slips.map((slip) => path + (path.includes("?") ? "&" : "?") + slip)),
      "/async_download?file=a&file=b",
      "/stream/file?file=a&file=a",
      "/logs?name=some.log&lnes=1",
      "/files/?after=a&after=b",
      "/files/?aftre=a",
    ];
    for (const path of paths) {
      const { status, body } = await fetch(server.origin + path);
      await body?.cancel();
      assertEquals(status, 400, path);
    }
  },
});

Deno.test("the route table has no route twice", () => {
  const names = routes.map(({ method, path }) => `${method} ${path}`);
  assertEquals(new Set(names).size, names.length);
});

Deno.test({
  name: "the access log has the bytes of a page, a listing and an error",
  ignore,
  async fn() {
    await using server = await serve();
    const sizes: number[] = [];
    for (const path of ["/", "/files/", "/nowhere"]) {
      const response = await fetch(server.origin + path, { headers: { accept: "text/html" } });
      sizes.push((await response.bytes()).length);
    }
    await server.app.accessLog.close();
    const lines = (await Deno.readTextFile(`${server.folder}/logs/access.log`)).trimEnd().split("\n");
    assertEquals(lines.map((line) => JSON.parse(line).bytes), sizes);
  },
});

Deno.test({
  name: "the access log has the path of what is refused, cut where it is too long",
  ignore,
  async fn() {
    await using server = await serve({ trustProxy: true, limits: { targetBytes: 60 } });
    const get = (path: string, fields = "Host: localhost") =>
      status(server.port, `GET ${path} HTTP/1.1\n${fields}\nConnection: close\n\n`);
    assertEquals(await get(`/${"x".repeat(100)}`), 414);
    assertEquals(await get(`/a?${"x".repeat(100)}`), 414);
    assertEquals(await get("/b?x", "Host: evil.example"), 421);
    assertEquals(await get("/c?x", "Host: localhost\nX-Forwarded-Host: a b"), 400);
    await server.app.accessLog.close();
    const lines = (await Deno.readTextFile(`${server.folder}/logs/access.log`)).trimEnd().split("\n");
    const x = "x".repeat(60 - "http://localhost/".length);
    assertEquals(lines.map((line) => JSON.parse(line).path), [`/${x}`, "/a", "/b", "/c"]);
  },
});

Deno.test("the access log follows the time of day within a second of its being set", { ignore }, async () => {
  await using server = await serve();
  const clock = new FakeClock();
  const { fetch } = new Server(server.app, routes, clock);
  const ask = () => fetch(new Request("http://localhost/healthz"));
  await ask();
  // The same as the time of day set back by an hour.
  clock.jump(3_600_000);
  await ask();
  await server.app.accessLog.close();
  const lines = Deno.readTextFileSync(`${server.folder}/logs/access.log`).trim().split("\n");
  const [first, second] = lines.map((line) => Date.parse(JSON.parse(line).time));
  assert(second - first < 3_000_000, `${first} ${second}`);
});

Deno.test({
  name: "the access log has the ms of a request by a clock that nobody sets",
  ignore,
  async fn() {
    await using server = await serve();
    const clock = new FakeClock();
    const work = route("/work", () => (clock.jump(40.4), new Response()));
    const { fetch } = new Server(server.app, [work], clock);
    await fetch(new Request("http://localhost/work"));
    await server.app.accessLog.close();
    const line = await Deno.readTextFile(`${server.folder}/logs/access.log`);
    assertEquals(JSON.parse(line).ms, 40);
  },
});

Deno.test({
  name: "open counts handlers at work, open bodies and sockets, and nothing that has ended",
  ignore,
  async fn() {
    const answer = Promise.withResolvers<Response>();
    const slow = route("/slow", () => answer.promise);
    await using server = await serve({ routes: [...routes, slow] });
    using atLast = new DisposableStack();
    atLast.defer(() => answer.resolve(new Response()));
    const asked = fetch(`${server.origin}/slow`);
    const reading = await open(`${server.origin}/channels/demo`);
    const socket = new WebSocket(`${server.origin}/ws`);
    await until(() => server.server.open === 3);
    answer.resolve(new Response("done"));
    await (await asked).text();
    reading.leave();
    socket.close();
    await (await fetch(`${server.origin}/nowhere`)).text();
    await until(() => server.server.open === 0);
  },
});

/** The lines of the access log so far. */
async function accessLines({ app, folder }: TestServer): Promise<Record<string, unknown>[]> {
  await app.accessLog.close();
  const text = await Deno.readTextFile(`${folder}/logs/access.log`);
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test({
  name: "a request's id is the client's own when it is plain, and is drawn otherwise",
  ignore,
  async fn() {
    await using server = await serve();
    const idOf = async (headers: HeadersInit, path = "/healthz") => {
      const response = await fetch(server.origin + path, { headers });
      await response.body?.cancel();
      return response.headers.get("x-request-id")!;
    };
    assertEquals(await idOf({ "x-request-id": "A.b_c-1" }), "A.b_c-1");
    const drawn = [await idOf({}), await idOf({ "x-request-id": "a b" }), await idOf({}, "/nowhere")];
    drawn.push(await idOf({ "x-request-id": "a".repeat(65) }));
    for (const id of drawn) assertMatch(id, /^[0-9a-f]{8}-[0-9a-z]+$/);
    assertEquals(new Set(drawn).size, 4);
    assertEquals((await accessLines(server)).map(({ id }) => id), ["A.b_c-1", ...drawn]);
  },
});

Deno.test({
  name: "the access log says who asked, for which route, and with which query but for its ticket",
  ignore,
  async fn() {
    await using server = await serve({ trustProxy: true });
    const headers = {
      "user-agent": "probe/1",
      "x-forwarded-for": "192.0.2.7",
      "cookie": "weir_8000=a-cookie",
      "authorization": "Bearer a-token",
    };
    await (await fetch(`${server.origin}/sensors/cpu?ticket=a-ticket&x=1`, { headers })).text();
    await (await fetch(`${server.origin}/nowhere`)).text();
    const [first, second] = await accessLines(server);
    const { agent, client, path, query, route, token } = first;
    assertEquals([agent, client, path, query, route, token], [
      "probe/1",
      "192.0.2.7",
      "/sensors/cpu",
      "ticket=-&x=1",
      "/sensors/:id",
      null,
    ]);
    assertEquals([second.client, second.query, second.route], ["127.0.0.1", "", "none"]);
    assertEquals(/a-(ticket|token|cookie)/.test(JSON.stringify([first, second])), false);
  },
});

Deno.test({
  name: "close() leaves the sockets their time: a channel's has its end, a function its last word",
  ignore,
  async fn() {
    const polite = route("/polite", (request, context) =>
      upgradeTo(request, context, async (socket) => {
        for await (const _ of socket);
        await socket.send("goodbye");
      }));
    await using server = await serve({ routes: [...routes, polite] });
    const clients = await Promise.all(
      ["/ws?channel=demo", "/polite"].map((path) => connect(server.origin + path)),
    );
    await server.server.close();
    const closed = { code: 1001, reason: "the server is shutting down" };
    assertEquals(await Promise.all(clients.map((client) => client.closed)), [closed, closed]);
    assertEquals(clients.map(({ messages }) => messages.at(-1)), [
      '{"event":"end","data":{"reason":"shutdown"}}\n',
      "goodbye",
    ]);
  },
});

Deno.test({
  name: "the access log has the name of a token, and never the token",
  ignore,
  async fn() {
    await using server = await serve({ guard: guardOf() });
    await (await fetch(`${server.origin}/sensors`, { headers: bearer(token.reader) })).text();
    await (await fetch(`${server.origin}/sensors`)).text();
    const lines = await accessLines(server);
    assertEquals(lines.map(({ status, token }) => [status, token]), [[200, "reader"], [401, null]]);
    assertEquals(JSON.stringify(lines).includes(token.reader), false);
  },
});
