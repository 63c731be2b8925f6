import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { granted } from "../support/granted.ts";
import { serve } from "../support/server.ts";
import { guardOf } from "../support/tokens.ts";
import { exchange } from "../support/wire.ts";

function test(name: string, fn: (url: string, port: number) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !granted.server,
    async fn() {
      // What a page needs before anybody has signed in.
      await using server = await serve({ guard: guardOf() });
      await fn(`${server.origin}/dashboard/main.js`, server.port);
    },
  });
}

async function head(url: string, init?: RequestInit) {
  const response = await fetch(url, init);
  await response.body?.cancel();
  return response;
}

test("a file of the dashboard is kept by browsers, which ask whether it has changed", async (url) => {
  const { status, headers } = await head(url);
  assertEquals([status, headers.get("cache-control")], [200, "no-cache"]);
  assertEquals(headers.get("vary")?.includes("Accept-Encoding"), true);
  const again = await head(url, { headers: { "if-none-match": headers.get("etag")! } });
  assertEquals([again.status, again.headers.get("etag")], [304, headers.get("etag")]);
  assertEquals((await head(url, { headers: { "if-none-match": '"other"' } })).status, 200);
});

test("a file of the dashboard is packed for who takes gzip alone", async (url, port) => {
  const get = (more: string) =>
    exchange(port, `GET ${new URL(url).pathname} HTTP/1.1\nHost: localhost\nConnection: close\n${more}\n`);
  const [plain, packed, refused] = await Promise.all(
    ["", "Accept-Encoding: br, gzip\n", "Accept-Encoding: gzip;q=0\n"].map(get),
  );
  const length = (answer: string) => Number(/^content-length: (\d+)/im.exec(answer)?.[1]);
  assertMatch(packed, /^content-encoding: gzip\r$/im);
  assert(length(packed) < length(plain) / 2, `${length(packed)} of ${length(plain)} bytes`);
  for (const answer of [plain, refused]) assertEquals(/content-encoding/i.test(answer), false);
});

test("HEAD of a file of the dashboard has the headers of GET", async (url) => {
  const [got, asked] = [await head(url), await head(url, { method: "HEAD" })];
  for (const name of ["etag", "content-type", "cache-control"]) {
    assertEquals(asked.headers.get(name), got.headers.get(name));
  }
});

test("a chart's library comes as a module, and its style beside it", async (url) => {
  const module = await (await fetch(url.replace("main.js", "uplot.js"))).text();
  assertStringIncludes(module, "export default uPlot;");
  assertStringIncludes(await (await fetch(url.replace("main.js", "uplot.css"))).text(), ".uplot");
});

test("a file that the dashboard has not is 404", async (url) => {
  const response = await fetch(url.replace("main.js", "none.js"));
  assertEquals([response.status, await response.json()], [404, {
    error: 'the page has no file "none.js"',
  }]);
});
