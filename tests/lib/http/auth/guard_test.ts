import { assert, assertEquals, assertMatch } from "@std/assert";
import { weirRoutes as routes } from "../../../../handlers/routes.ts";
import { sharing } from "../../../../lib/runs/share.ts";
import { hashOf, type Right, rights } from "../../../../lib/http/auth/token.ts";
import { granted } from "../../../support/granted.ts";
import { serve, until } from "../../../support/server.ts";
import { connect, leave } from "../../../support/socket_client.ts";
import { bearer, guardOf, token, tokenFile, tokenLines } from "../../../support/tokens.ts";
import { open, route, send } from "../../../support/wire.ts";

const ignore = !granted.server;

/** The token that has a right, and one that has any other but `admin`. */
const holder: Record<Right, string> = {
  read: token.reader,
  publish: token.publisher,
  metrics: token.meter,
  admin: token.admin,
};
const lesser = (right: Right) => right === "read" ? token.publisher : token.reader;

/** A path of a route: its names are any. */
const example = (path: string) => path.replace(/:\w+/g, "a").replace("*", "a");

for (const { method, path, access = "read" } of routes) {
  Deno.test({
    name: `${method} ${path} is for ${
      access === "open" ? "everybody" : `tokens with the right ${access}`
    } alone`,
    ignore,
    async fn() {
      let reached = 0;
      const spied = routes.map((route) => ({
        ...route,
        handler: () => (reached++, new Response("reached")),
      }));
      await using server = await serve({ routes: spied, guard: guardOf() });
      for (const asked of method === "GET" ? ["GET", "HEAD"] : [method]) {
        const ask = async (headers: Record<string, string>) => {
          reached = 0;
          const response = await fetch(server.origin + example(path), { method: asked, headers });
          await response.body?.cancel();
          return [response.status, reached, response.headers.get("www-authenticate")];
        };
        const passed = [200, 1, null];
        if (access === "open") {
          for (const headers of [{}, bearer(token.wrong), bearer(token.meter)]) {
            assertEquals(await ask(headers), passed);
          }
          continue;
        }
        assertEquals(await ask({}), [401, 0, "Bearer"]);
        assertEquals(await ask({ authorization: "Basic YTpi" }), [401, 0, "Bearer"]);
        assertEquals(await ask(bearer(token.wrong)), [401, 0, 'Bearer error="invalid_token"']);
        assertEquals(await ask({ cookie: `weir_${server.port}=${token.wrong}` }), [401, 0, "Bearer"]);
        const scope = `Bearer error="insufficient_scope", scope="${access}"`;
        assertEquals(await ask(bearer(lesser(access))), [403, 0, scope]);
        assertEquals(await ask(bearer(holder[access])), passed);
        assertEquals(await ask(bearer(token.admin)), passed);
        const cookie = `a=b; weir_${server.port}=${holder[access]}`;
        assertEquals(await ask({ cookie, authorization: "Basic YTpi" }), passed);
        assertEquals(await ask({ cookie, ...bearer(token.wrong) }), [401, 0, 'Bearer error="invalid_token"']);
      }
    },
  });
}

Deno.test("no right implies another, but admin all", () => {
  const guard = guardOf();
  for (const has of rights) {
    const headers = new Headers(bearer(holder[has]));
    const grant = guard.identify({ method: "GET", headers, target: "http://localhost/" })!;
    assertEquals(rights.filter((right) => grant.may(right)), has === "admin" ? rights : [has]);
  }
});

Deno.test("all routes are for the right read but these", () => {
  const others = routes.filter(({ access = "read" }) => access !== "read");
  assertEquals(others.map(({ method, path, access }) => `${access}: ${method} ${path}`), [
    "publish: POST /channels/:name",
    "admin: DELETE /runs/:name",
    "publish: POST /sensors/:id",
    "open: GET /favicon.ico",
    "open: GET /healthz",
    "metrics: GET /metrics",
    "open: GET /dashboard/:file",
    "open: GET /session",
    "open: POST /session",
    "open: DELETE /session",
  ]);
});

Deno.test({
  name: "strangers do not learn which routes there are, and an allowed origin's preflight passes",
  ignore,
  async fn() {
    const origin = "https://app.example";
    await using server = await serve({ guard: guardOf(), allowOrigins: [origin] });
    const ask = async (method: string, path: string, headers: Record<string, string> = {}) => {
      const response = await fetch(server.origin + path, { method, headers, redirect: "manual" });
      await response.body?.cancel();
      return response.status;
    };
    const asked = [["GET", "/nowhere"], ["PUT", "/channels/demo"], ["GET", "/runs/"], ["OPTIONS", "/runs"]];
    const as = (headers: Record<string, string>) =>
      Promise.all(asked.map(([method, path]) => ask(method, path, headers)));
    assertEquals(await as({}), [401, 401, 401, 401]);
    assertEquals(await as(bearer(token.wrong)), [401, 401, 401, 401]);
    assertEquals(await as(bearer(token.publisher)), [404, 405, 308, 204]);
    const preflight = { origin, "access-control-request-method": "POST" };
    assertEquals(await ask("OPTIONS", "/channels/demo", preflight), 204);
  },
});

Deno.test({
  name: "without tokens everybody may everything",
  ignore,
  async fn() {
    const asking = route("/", (_request, context) => Response.json([context.grant, context.may("admin")]));
    await using server = await serve({ routes: [asking] });
    assertEquals(await (await fetch(server.origin)).json(), [null, true]);
  },
});

Deno.test({
  name: "strangers learn of /healthz that it is ok, and who may read all of it",
  ignore,
  async fn() {
    await using server = await serve({ guard: guardOf() });
    const health = async (headers: Record<string, string>) =>
      Object.keys(await (await fetch(`${server.origin}/healthz`, { headers })).json());
    for (const headers of [{}, bearer(token.wrong), bearer(token.meter)]) {
      assertEquals(await health(headers), ["status"]);
    }
    assert((await health(bearer(token.reader))).includes("streams"));
  },
});

/** The routes that start runs: what their requests want depends on more than the row. */
const starting = routes.filter(({ handler }) => handler.about?.params?.run === sharing.run);

Deno.test("the routes that start runs are these", () => {
  assertEquals(starting.map(({ path }) => path), ["/stream", "/concurrent_stream"]);
});

for (const { path } of starting) {
  Deno.test({
    name: `${path}?run= lets who may read join a run, and who may publish as well start it`,
    ignore,
    async fn() {
      const both = "b".repeat(32);
      await using server = await serve({ guard: guardOf([...tokenLines, `both read,publish ${both}`]) });
      const url = `${server.origin}${path}?run=job&count=1&interval=0&request=false&task=a:1:0&format=ndjson`;
      const ask = async (text: string, query = "") => {
        const response = await fetch(url + query, { headers: bearer(text) });
        return [response.status, (await response.text()).trimEnd().split("\n").at(-1)];
      };
      const lacks = (right: string) => [403, `{"error":"the token must have the right ${right}"}`];
      assertEquals(await ask(token.reader), lacks("publish"));
      assertEquals(await ask(token.publisher), lacks("read"));
      assertEquals(await server.app.runs.list(), []);
      const ending = (reason: string) => [200, `{"event":"end","data":{"reason":"${reason}"}}`];
      assertEquals(await ask(token.reader, "&after=9"), ending("lost"));
      assertEquals(await ask(both), ending("complete"));
      assertEquals(await ask(token.reader), ending("complete"));
      assertEquals(await ask(token.publisher), lacks("read"));
    },
  });
}

Deno.test({
  name: "a message to a channel's socket needs the right to publish, else 1008",
  ignore,
  async fn() {
    const both = `both read,publish ${"b".repeat(32)}`;
    await using server = await serve({ guard: guardOf([...tokenLines, both]) });
    const join = (text: string) => connect(`${server.origin}/ws?channel=demo`, [], bearer(text));
    const [reader, writer] = [await join(token.reader), await join("b".repeat(32))];
    writer.socket.send("hello");
    await until(() => reader.messages.join("").includes("hello"));
    reader.socket.send("me too");
    assertEquals(await reader.closed, { code: 1008, reason: "the token must have the right publish" });
    writer.socket.send("still here");
    await until(() => writer.messages.join("").includes("still here"));
    assertEquals(writer.messages.join("").includes("me too"), false);
    await leave(writer);
  },
});

Deno.test({
  name: "the server's own request to itself has a token of its own",
  ignore,
  async fn() {
    await using server = await serve({ guard: guardOf() });
    const response = await fetch(`${server.origin}/stream?count=1`, { headers: bearer(token.reader) });
    assertMatch(await response.text(), /^step 1: .* answered 200 after/);
  },
});

Deno.test({
  name: "a thousand wrong tokens at a time leave the requests of others alone",
  ignore,
  async fn() {
    await using server = await serve({ guard: guardOf() });
    const stream = await open(`${server.origin}/channels/demo`, bearer(token.reader));
    const ask = async (headers: Record<string, string>) => {
      const response = await fetch(`${server.origin}/async_route`, { headers });
      await response.body?.cancel();
      return response.status;
    };
    const wrong = Array.from({ length: 1_000 }, (_, n) => ask(bearer(hashOf(`${n}`))));
    const right = Array.from({ length: 100 }, () => ask(bearer(token.reader)));
    assertEquals(new Set(await Promise.all(right)), new Set([200]));
    assertEquals(new Set(await Promise.all(wrong)), new Set([401]));
    stream.leave();
  },
});

/** What is open on a server: streams of each format, a download, a body by hand, and two kinds of sockets. */
async function openAll(origin: string, text: string) {
  const stream = (path: string) => open(origin + path, bearer(text));
  const socket = (path: string) => connect(origin + path, [], bearer(text));
  return {
    sse: await stream("/channels/demo"),
    ndjson: await stream("/channels/demo?format=ndjson"),
    text: await stream("/channels/demo?format=text"),
    download: await stream("/files/big"),
    hand: await stream("/hand"),
    channel: await socket("/ws?channel=demo"),
    echo: await socket("/ws"),
  };
}

const hand = route("/hand", (_request, { signal }) => {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("by hand\n"));
      signal.addEventListener("abort", () => controller.close());
    },
  });
  return new Response(body);
});

const ended = async (reading: Promise<string>) => await reading.catch(() => "cut");

Deno.test({
  name: "whose token is gone is told so on all that is open, and the others notice nothing",
  ignore,
  async fn() {
    const guard = guardOf();
    await using server = await serve({ routes: [...routes, hand], guard });
    using big = await Deno.create(`${server.folder}/files/big`);
    await big.truncate(100_000_000);
    const gone = await openAll(server.origin, token.reader);
    const stays = await openAll(server.origin, token.admin);
    await gone.hand.until("by hand");

    guard.replace(tokenFile([`admin admin ${token.admin}`]));
    await server.server.bodies.tick();
    const sse = await gone.sse.rest();
    assertEquals(sse.slice(sse.indexOf("event:")), 'event: end\ndata: {"reason":"revoked"}\n\n');
    assert(!sse.includes("id: end"), sse);
    assertEquals(await gone.ndjson.rest(), '{"event":"end","data":{"reason":"revoked"}}\n');
    assertEquals(await ended(gone.text.rest()), "cut");
    assertEquals(await ended(gone.download.rest()), "cut");
    assertEquals(await gone.hand.rest(), "by hand\n");
    assertEquals(await gone.channel.closed, { code: 1008, reason: "no longer allowed" });
    assertMatch(gone.channel.messages.at(-1)!, /"reason":"revoked"/);
    assertEquals(await gone.echo.closed, { code: 1008, reason: "no longer allowed" });

    await fetch(`${server.origin}/channels/demo`, {
      method: "POST",
      headers: bearer(token.admin),
      body: '"hello"',
    }).then((response) => response.text());
    for (const reading of [stays.sse, stays.ndjson, stays.text]) await reading.until("hello");
    stays.echo.socket.send("x");
    await until(() => stays.echo.messages.length === 1 && stays.channel.messages.join("").includes("hello"));
    for (const reading of [stays.sse, stays.ndjson, stays.text, stays.download, stays.hand]) reading.leave();
    await Promise.all([leave(stays.echo), leave(stays.channel)]);
  },
});

Deno.test({
  name: "a token that ends is found out by the heartbeat, and so is a right that was taken",
  ignore,
  async fn() {
    let now = Date.UTC(2030, 0, 1);
    const guard = guardOf(
      [`a read ${token.reader} expires=2030-01-01T00:01:00Z`, `b read ${token.admin}`],
      () => now,
    );
    await using server = await serve({ guard });
    const watch = (text: string) => open(`${server.origin}/channels/demo?format=ndjson`, bearer(text));
    const revoked = '{"event":"end","data":{"reason":"revoked"}}\n';
    const [first, second] = [await watch(token.reader), await watch(token.admin)];
    now += 59_999;
    await server.server.bodies.tick();
    assertEquals(server.server.bodies.size, 2);
    now += 1;
    assertEquals(await first.rest(), revoked);
    const again = await fetch(server.origin, { headers: bearer(token.reader) });
    await again.body?.cancel();
    assertEquals(again.status, 401);
    guard.replace(tokenFile([`b publish ${token.admin}`]));
    assertEquals(await second.rest(), revoked);
  },
});

Deno.test({
  name: "a clock that is set forward ends tokens and tickets, and set back again it lets them in",
  ignore,
  async fn() {
    let now = Date.UTC(2030, 0, 1);
    const guard = guardOf([`a read ${token.reader} expires=2030-01-01T01:00:00Z`, tokenLines[3]], () => now);
    await using server = await serve({ guard });
    const { url } = guard.tickets.sign("a", new URL(`${server.origin}/sensors`), "");
    const watch = (text: string) => open(`${server.origin}/channels/demo?format=ndjson`, bearer(text));
    const [ends, stays] = [await watch(token.reader), await watch(token.admin)];
    const statuses = async () => {
      const asked = [
        fetch(`${server.origin}/sensors`, { headers: bearer(token.reader) }),
        fetch(server.origin + url),
      ];
      return await Promise.all(
        asked.map(async (asking) => {
          const response = await asking;
          await response.body?.cancel();
          return response.status;
        }),
      );
    };
    now += 3_600_000;
    await server.server.bodies.tick();
    assertEquals(await ends.rest(), '{"event":"end","data":{"reason":"revoked"}}\n');
    assertEquals(await statuses(), [401, 401]);
    now -= 2 * 3_600_000;
    assertEquals(await statuses(), [200, 200]);
    await server.server.bodies.tick();
    assertEquals(server.server.bodies.size, 1);
    stays.leave();
  },
});

Deno.test({
  name: "whose token is gone when the body is there publishes nothing",
  ignore,
  async fn() {
    const guard = guardOf();
    await using server = await serve({ guard });
    const head = [
      "POST /channels/demo HTTP/1.1",
      "Host: localhost",
      `Authorization: Bearer ${token.publisher}`,
    ];
    const conn = await send(
      server.port,
      [...head, "Connection: close", "Content-Length: 2", "", "1"].join("\n"),
    );
    await until(() => server.server.open === 1);
    guard.replace(tokenFile([`admin admin ${token.admin}`]));
    await conn.write(new Uint8Array([49]));
    assertMatch(await new Response(conn.readable).text(), /^HTTP\/1\.1 401 /);
    assertEquals(await server.app.channels.list(), []);
  },
});

Deno.test({
  name: "a name with two tokens keeps the streams of the one that stays",
  ignore,
  async fn() {
    const lines = [`shop read ${token.reader}`, `shop read ${token.admin}`];
    const guard = guardOf(lines);
    await using server = await serve({ guard });
    const watch = (text: string) => open(`${server.origin}/channels/demo?format=ndjson`, bearer(text));
    const [old, fresh] = [await watch(token.reader), await watch(token.admin)];
    guard.replace(tokenFile(lines.slice(1)));
    await server.server.bodies.tick();
    assertMatch(await old.rest(), /revoked/);
    assertEquals(server.server.bodies.size, 1);
    fresh.leave();
  },
});
