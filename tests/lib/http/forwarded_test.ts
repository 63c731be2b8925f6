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

const client = (value: string) => forwardedClient(new Headers({ "x-forwarded-for": value }));

Deno.test("forwardedClient() takes the last hop", () => {
  assertEquals(client("192.0.2.1"), "192.0.2.1");
  assertEquals(client("10.0.0.1, 192.0.2.1"), "192.0.2.1");
  assertEquals(client("10.0.0.1,  2001:db8::1 "), "2001:db8::1");
  assertEquals(client(""), undefined);
});

for (
  const [hop, address] of [
    ["192.0.2.1:1042", "192.0.2.1"],
    ["10.0.0.1:7, 192.0.2.1:1042", "192.0.2.1"],
    ["[2001:db8::3]:80", "2001:db8::3"],
    ["[2001:db8::3]", "2001:db8::3"],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
  ]
) {
  Deno.test(`forwardedClient() takes no port for a part of the address: ${hop}`, () => {
    assertEquals(client(hop), address);
  });
}

for (const hop of ["unknown", "zz17", "_hidden", "192.0.2", "192.0.2.1:", "[192.0.2.1:80", "192.0.2.1, -"]) {
  Deno.test(`forwardedClient() finds no client in ${hop}`, () => assertEquals(client(hop), undefined));
}
