import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { granted } from "../support/granted.ts";
import { serve, type TestServer } from "../support/server.ts";
import { bearer, guardOf, token } from "../support/tokens.ts";

const ignore = !granted.server;
const browser: Record<string, string> = {
  accept: "text/html,application/xhtml+xml,*/*;q=0.8",
  "sec-fetch-mode": "navigate",
};

/** Posts the form. */
async function post(
  { origin }: TestServer,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<{ status: number; location: string | null; cookie: string | null; body: string }> {
  const response = await fetch(`${origin}/session`, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { ...browser, ...headers },
    redirect: "manual",
  });
  const [location, cookie] = ["location", "set-cookie"].map((name) => response.headers.get(name));
  return { status: response.status, location, cookie, body: await response.text() };
}

Deno.test({
  name: "a navigation without a token gets the form at its own URL, which leads back there",
  ignore,
  async fn() {
    await using server = await serve({ guard: guardOf() });
    for (
      const headers of [browser, { accept: browser.accept }, { ...browser, cookie: `weir_${server.port}=x` }]
    ) {
      const response = await fetch(`${server.origin}/logs/a?grep="<b>`, { headers, redirect: "manual" });
      assertEquals([response.status, response.headers.get("www-authenticate")], [401, "Bearer"]);
      assertEquals(
        response.headers.get("content-security-policy"),
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
      );
      const page = await response.text();
      assertStringIncludes(page, `<form method="post" action="/session">`);
      assertStringIncludes(page, `name="to" value="/logs/a?grep=%22%3Cb%3E"`);
    }
  },
});

Deno.test({
  name: "what a script asks for, and a program, get the 401 as JSON",
  ignore,
  async fn() {
    await using server = await serve({ guard: guardOf() });
    const asked: Record<string, string>[] = [{}, { accept: "*/*" }, { ...browser, "sec-fetch-mode": "cors" }];
    for (const headers of asked) {
      const response = await fetch(server.origin, { headers });
      assertEquals([response.status, await response.json()], [401, { error: "a token must be given" }]);
    }
  },
});

Deno.test({
  name: "signing in sets a cookie that lets in as the token does, and goes on to the page",
  ignore,
  async fn() {
    await using server = await serve({ guard: guardOf() });
    const { status, location, cookie } = await post(server, {
      token: ` ${token.reader}\n`,
      to: "/logs?name=a",
    });
    assertEquals([status, location], [303, "/logs?name=a"]);
    const name = `weir_${server.port}=${token.reader}`;
    assertEquals(cookie, `${name}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict`);
    const ask = async (cookie: string) => {
      const response = await fetch(`${server.origin}/sensors`, { headers: { cookie } });
      await response.body?.cancel();
      return response.status;
    };
    assertEquals(await ask(name), 200);
    assertEquals(await ask(`weir_${server.port}=; other=1; ${name}`), 200);
    assertEquals(await ask(name.replace("weir_", "weir_1")), 401);
  },
});

Deno.test({
  name: "a wrong token gets the form again, and no cookie",
  ignore,
  async fn() {
    await using server = await serve({ guard: guardOf() });
    for (const text of [token.wrong, "", "short"]) {
      const { status, cookie, body } = await post(server, { token: text, to: "/logs?a=1" });
      assertEquals([status, cookie], [401, null]);
      assertMatch(body, /unknown, or has ended[^]*value="\/logs\?a=1"/);
      if (text !== "") assert(!body.includes(text));
    }
  },
});

for (
  const to of [
    "//evil.example/",
    "https://evil.example/",
    "/\\evil.example",
    "javascript:alert(1)",
    "http://[",
    undefined,
  ]
) {
  Deno.test({
    name: `signing in does not lead to ${to}`,
    ignore,
    async fn() {
      await using server = await serve({ guard: guardOf() });
      assertEquals((await post(server, { token: token.reader, ...(to && { to }) })).location, "/");
      const twice = await post(server, { token: token.reader, to: `${server.origin}//evil.example/a` });
      assertEquals(twice.location, "/evil.example/a");
    },
  });
}

Deno.test({
  name: "a token in anything but a form is 415, and not told to be wrong",
  ignore,
  async fn() {
    await using server = await serve({ guard: guardOf() });
    for (const body of [JSON.stringify({ token: token.reader }), `token=${token.reader}`]) {
      const response = await fetch(`${server.origin}/session`, { method: "POST", body });
      await response.body?.cancel();
      assertEquals(response.status, 415);
    }
  },
});

Deno.test({
  name: "the cookie is Secure where a trusted proxy speaks https",
  ignore,
  async fn() {
    for (const trustProxy of [true, false]) {
      await using server = await serve({ guard: guardOf(), trustProxy });
      const { cookie } = await post(server, { token: token.reader }, { "x-forwarded-proto": "https" });
      assertEquals(cookie!.endsWith("; Secure"), trustProxy);
    }
  },
});

Deno.test({
  name: "a form on a page of another site signs nobody in",
  ignore,
  async fn() {
    await using server = await serve({ guard: guardOf() });
    const { status, cookie } = await post(server, { token: token.reader }, {
      origin: "https://evil.example",
    });
    assertEquals([status, cookie], [403, null]);
  },
});

Deno.test({
  name: "a stranger's form has a length, which is short",
  ignore,
  async fn() {
    await using server = await serve({ guard: guardOf() });
    for (const body of ["x".repeat(16_385), ReadableStream.from([new Uint8Array(1)])]) {
      const response = await fetch(`${server.origin}/session`, { method: "POST", body });
      await response.body?.cancel();
      assertEquals(response.status, 413);
    }
  },
});

Deno.test({
  name: "a browser whose token has not the right gets a page that says so and signs out; a program JSON",
  ignore,
  async fn() {
    await using server = await serve({ guard: guardOf() });
    const cookie = `weir_${server.port}=${token.publisher}`;
    const response = await fetch(server.origin, { headers: { ...browser, cookie } });
    assertEquals(response.status, 403);
    const page = await response.text();
    assertStringIncludes(
      page,
      "Signed in as publisher with a token for publish: this page needs the right read.",
    );
    assertStringIncludes(page, `<form method="post" action="/session"><button name="sign-out"`);
    const programs: Record<string, string>[] = [{ cookie }, { ...browser, ...bearer(token.publisher) }];
    for (const headers of programs) {
      const response = await fetch(server.origin, { headers });
      const error = "the token must have the right read";
      assertEquals([response.status, await response.json()], [403, { error }]);
    }
  },
});

Deno.test({
  name: "signing out clears the cookie",
  ignore,
  async fn() {
    await using server = await serve({ guard: guardOf() });
    const cleared = `weir_${server.port}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict`;
    const { status, location, cookie } = await post(server, { "sign-out": "true" });
    assertEquals([status, location, cookie], [303, "/session", cleared]);
    const response = await fetch(`${server.origin}/session`, { method: "DELETE" });
    assertEquals([response.status, response.headers.get("set-cookie")], [204, cleared]);
  },
});

Deno.test({
  name: "GET /session says who one is, what one may, and until when",
  ignore,
  async fn() {
    const now = () => Date.UTC(2030, 0, 1);
    const guard = guardOf([
      `a publish,read ${token.reader} expires=2030-01-01T00:01:00Z`,
      `b admin ${token.admin}`,
    ], now);
    await using server = await serve({ guard });
    const session = async (headers: Record<string, string>) => {
      const response = await fetch(`${server.origin}/session`, { headers });
      return [response.status, await response.json()];
    };
    const a = { name: "a", rights: ["read", "publish"], expires: "2030-01-01T00:01:00.000Z" };
    assertEquals(await session(bearer(token.reader)), [200, a]);
    assertEquals(await session(bearer(token.admin)), [200, { name: "b", rights: ["admin"], expires: null }]);
    assertEquals((await session({}))[0], 401);
    const page = await fetch(`${server.origin}/session`, {
      headers: { ...browser, ...bearer(token.reader) },
    });
    assertMatch(await page.text(), /Signed in as a: read, publish[^]*Sign out/);
    const form = await fetch(`${server.origin}/session`, { headers: browser });
    assertEquals(form.status, 401);
    assertMatch(await form.text(), /Sign in/);
  },
});

Deno.test({
  name: "without tokens there is nobody to sign in, and everybody may everything",
  ignore,
  async fn() {
    await using server = await serve();
    const all = { name: null, rights: ["read", "publish", "metrics", "admin"], expires: null };
    assertEquals(await (await fetch(`${server.origin}/session`)).json(), all);
    assertEquals((await post(server, { token: token.reader })).status, 404);
  },
});
