import { assertEquals, assertMatch } from "@std/assert";
import { granted } from "../support/granted.ts";
import { serve, type TestServer } from "../support/server.ts";
import { connect } from "../support/socket_client.ts";
import { bearer, guardOf, token, tokenFile, tokenLines } from "../support/tokens.ts";
import { open } from "../support/wire.ts";

const ignore = !granted.server;
const app = "https://app.example";

async function ticket({ origin }: TestServer, body: unknown, text: string = token.reader) {
  const response = await fetch(`${origin}/tickets`, {
    method: "POST",
    headers: { ...bearer(text), "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    ...await response.json() as { url: string; expires: string; error: string },
  };
}

Deno.test({
  name: "a ticket lets a page of another origin read one URL, and nothing else",
  ignore,
  async fn() {
    await using server = await serve({ guard: guardOf(), allowOrigins: [app, "https://other.example"] });
    const { status, url } = await ticket(server, { url: "/channels/demo?after=0", origin: app });
    assertEquals(status, 201);
    const reading = await open(server.origin + url, { origin: app });
    assertEquals(reading.response.status, 200);
    assertEquals(reading.response.headers.get("access-control-allow-origin"), app);
    reading.leave();
    const ask = async (url: string, headers: Record<string, string>, method = "GET") => {
      const response = await fetch(server.origin + url, { method, headers });
      await response.body?.cancel();
      return response.status;
    };
    assertEquals(await ask(url, { origin: "https://other.example" }), 401);
    assertEquals(await ask(url.replace("after=0", "after=1"), { origin: app }), 401);
    assertEquals(await ask(url.replace("demo", "other"), { origin: app }), 401);
    assertEquals(await ask(url, { origin: app }, "POST"), 401);
    const wrong = await fetch(server.origin + url + "x", { headers: { origin: app } });
    await wrong.body?.cancel();
    assertEquals([wrong.status, wrong.headers.get("access-control-allow-origin")], [401, app]);
  },
});

Deno.test({
  name: "a ticket is no parameter of the route: /events, which knows all of its own, takes it",
  ignore,
  async fn() {
    await using server = await serve({ guard: guardOf() });
    const { url } = await ticket(server, { url: "/events?channel=demo&format=ndjson" });
    const reading = await open(server.origin + url);
    assertEquals(reading.response.status, 200);
    reading.leave();
    const response = await fetch(`${server.origin}/events?ticket=a`, { headers: bearer(token.reader) });
    await response.body?.cancel();
    assertEquals(response.status, 400);
  },
});

Deno.test({
  name: "of a URL of the server with its host, the ticket is for the path and query",
  ignore,
  async fn() {
    await using server = await serve({ guard: guardOf() });
    const { url } = await ticket(server, { url: `${server.origin}/sensors?a=b#c` });
    assertMatch(url, /^\/sensors\?a=b&ticket=/);
    const response = await fetch(server.origin + url);
    await response.body?.cancel();
    assertEquals(response.status, 200);
  },
});

Deno.test({
  name: "a ticket opens a channel's socket to read, and what is sent there closes it",
  ignore,
  async fn() {
    await using server = await serve({ guard: guardOf(), allowOrigins: [app] });
    const { url } = await ticket(server, { url: "/ws?channel=demo", origin: app }, token.admin);
    const client = await connect(server.origin + url, [], { origin: app });
    client.socket.send("hello");
    assertEquals(await client.closed, { code: 1008, reason: "the token must have the right publish" });
  },
});

Deno.test({
  name: "what a ticket opened ends when no token of its name may read any more",
  ignore,
  async fn() {
    const guard = guardOf([`shop read ${token.reader}`]);
    await using server = await serve({ guard });
    const { url } = await ticket(server, { url: "/channels/demo?format=ndjson" });
    const reading = await open(server.origin + url);
    guard.replace(tokenFile([`shop read ${token.admin}`]));
    await server.server.bodies.tick();
    assertEquals(server.server.bodies.size, 1);
    guard.replace(tokenFile([`shop publish ${token.admin}`]));
    await server.server.bodies.tick();
    assertEquals(await reading.rest(), '{"event":"end","data":{"reason":"revoked"}}\n');
  },
});

Deno.test({
  name: "a ticket ends with its token: it is 401 then, which closes an EventSource",
  ignore,
  async fn() {
    let now = Date.UTC(2030, 0, 1);
    const guard = guardOf([`a read ${token.reader} expires=2030-01-01T00:00:06Z`, tokenLines[3]], () => now);
    await using server = await serve({ guard });
    const { url, expires } = await ticket(server, { url: "/sensors" });
    assertEquals(expires, "2030-01-01T00:00:06.000Z");
    const { url: other } = await ticket(server, { url: "/sensors" }, token.admin);
    now += 6_000;
    guard.replace(tokenFile([`b read ${token.wrong}`]));
    for (const gone of [url, other]) {
      const response = await fetch(server.origin + gone);
      assertEquals([response.status, await response.json()], [401, {
        error: "the token or ticket is unknown, or has ended",
      }]);
    }
  },
});

Deno.test({
  name: "who has signed in opens a URL whose ticket has ended",
  ignore,
  async fn() {
    await using server = await serve({ guard: guardOf() });
    const cookie = `weir_${server.port}=${token.reader}`;
    const response = await fetch(`${server.origin}/sensors?ticket=a.${"b".repeat(43)}`, {
      headers: { cookie },
    });
    await response.body?.cancel();
    assertEquals(response.status, 200);
  },
});

Deno.test({
  name: "a ticket does not open its URL after a minute, but what it opened stays",
  ignore,
  async fn() {
    let now = Date.UTC(2030, 0, 1);
    await using server = await serve({ guard: guardOf(undefined, () => now) });
    const { url, expires } = await ticket(server, { url: "/channels/demo?format=ndjson" });
    assertEquals(expires, "2030-01-01T00:01:00.000Z");
    const reading = await open(server.origin + url);
    now += 60_000;
    const late = await fetch(server.origin + url);
    await late.body?.cancel();
    assertEquals([late.status, late.headers.get("www-authenticate")], [401, 'Bearer error="invalid_token"']);
    await server.server.bodies.tick();
    assertEquals(server.server.bodies.size, 1);
    reading.leave();
  },
});

const refused: [body: unknown, text: string, status: number][] = [
  [{ url: "/sensors" }, token.publisher, 403],
  [{ url: "/sensors" }, token.wrong, 401],
  [{}, token.reader, 400],
  [null, token.reader, 400],
  [{ url: 1 }, token.reader, 400],
  [{ url: "http://[" }, token.reader, 400],
  [{ url: "" }, token.reader, 400],
  [{ url: "/nowhere" }, token.reader, 404],
  [{ url: "/tickets" }, token.reader, 405],
  [{ url: "https://evil.example/sensors" }, token.reader, 400],
  [{ url: "//evil.example/sensors" }, token.reader, 400],
  [{ url: "/sensors", origin: "https://other.example" }, token.reader, 400],
  [{ url: "/sensors", origin: "app.example" }, token.reader, 400],
  [{ url: "/sensors", origin: `${app}/` }, token.reader, 400],
  [{ url: "/sensors", origin: 1 }, token.reader, 400],
];
for (const [body, text, status] of refused) {
  Deno.test({
    name: `POST /tickets of ${JSON.stringify(body)} with ${text.slice(0, 1)}… is ${status}`,
    ignore,
    async fn() {
      await using server = await serve({ guard: guardOf() });
      const answer = await ticket(server, body, text);
      assertEquals([answer.status, typeof answer.error], [status, "string"]);
    },
  });
}

Deno.test({
  name: "without tokens there are no tickets",
  ignore,
  async fn() {
    await using server = await serve();
    assertEquals((await ticket(server, { url: "/sensors" })).status, 404);
  },
});
