import { assertEquals, assertThrows } from "@std/assert";
import { forwardedClient, forwardedUrl } from "../../../lib/http/forwarded.ts";
import { HttpError } from "../../../lib/stream/errors.ts";

const asked = "http://127.0.0.1:8000/a/../b?c=http://d/#e";

const urls: [headers: Record<string, string>, url: string][] = [
  [{}, asked],
  [{ "x-forwarded-proto": "https" }, "https://127.0.0.1:8000/a/../b?c=http://d/#e"],
  [{ "x-forwarded-host": "weir.example" }, "http://weir.example/a/../b?c=http://d/#e"],
  [
    { "x-forwarded-proto": "http, HTTPS", "x-forwarded-host": "evil.example, weir.example:8443" },
    "https://weir.example:8443/a/../b?c=http://d/#e",
  ],
  [{ "x-forwarded-proto": "javascript", "x-forwarded-host": "" }, asked],
];

for (const [headers, url] of urls) {
  Deno.test(`forwardedUrl() makes ${url} of ${JSON.stringify(headers)}`, () => {
    assertEquals(forwardedUrl({ url: asked, headers: new Headers(headers) }), url);
  });
}

for (const host of ["weir.example/x", "a@weir.example", "a b", "weir.example?x", "a:b"]) {
  Deno.test(`forwardedUrl() refuses the host ${host}`, () => {
    const headers = new Headers({ "x-forwarded-host": host });
    assertEquals(assertThrows(() => forwardedUrl({ url: asked, headers }), HttpError).status, 400);
  });
}

Deno.test("forwardedClient() takes the last hop", () => {
  const client = (value: string) => forwardedClient(new Headers({ "x-forwarded-for": value }));
  assertEquals(client("192.0.2.1"), "192.0.2.1");
  assertEquals(client("10.0.0.1, 192.0.2.1"), "192.0.2.1");
  assertEquals(client("10.0.0.1,  2001:db8::1 "), "2001:db8::1");
  assertEquals(client(""), undefined);
});
