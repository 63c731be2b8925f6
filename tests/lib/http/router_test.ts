import { assert, assertEquals, assertThrows } from "@std/assert";
import { HttpError } from "../../../lib/stream/errors.ts";
import { type RoutePath, Router } from "../../../lib/http/router.ts";

const route = (method: string, path: string): RoutePath => ({ method, path });

const router = new Router([
  route("GET", "/"),
  route("GET", "/files/*"),
  route("GET", "/logs"),
  route("GET", "/logs/:name"),
  route("GET", "/channels/:name"),
  route("POST", "/channels/:name"),
  route("POST", "/sensors/:id"),
  route("GET", "/channels/own"),
  route("GET", "/a/:x/b/:y"),
]);

const matches: [path: string, route: string, params: Record<string, string>][] = [
  ["/", "/", {}],
  ["/logs", "/logs", {}],
  ["/logs/access.log", "/logs/:name", { name: "access.log" }],
  ["/logs/a%20b", "/logs/:name", { name: "a b" }],
  ["/logs/a%2Fb", "/logs/:name", { name: "a/b" }],
  ["/logs/%E5%A0%B0", "/logs/:name", { name: "堰" }],
  ["/channels/own", "/channels/own", {}],
  ["/channels/other", "/channels/:name", { name: "other" }],
  ["/a/1/b/2", "/a/:x/b/:y", { x: "1", y: "2" }],
  ["/files/", "/files/*", { "*": "" }],
  ["/files/a/b%20c", "/files/*", { "*": "a/b%20c" }],
  ["/files//a", "/files/*", { "*": "/a" }],
  ["/files/a..b/...", "/files/*", { "*": "a..b/..." }],
];

for (const [path, pattern, params] of matches) {
  Deno.test(`${path} is ${pattern}`, () => {
    const match = router.match("GET", path);
    assert(!(match instanceof Response));
    assertEquals(match.route.path, pattern);
    assertEquals({ ...match.params }, params);
  });
}

for (
  const path of [
    "/nowhere",
    "/logs/..",
    "/logs/%2e%2E",
    "/logs/%2e/a",
    "/logs\\a",
    "/files/a/%2e%2E/b",
    "/files/a/.%2e",
    "/files/a/.",
    "/files/a\\b",
    "/nowhere/",
    "/logs//",
    "/logs/a/b",
    "/logs/%ff",
    "/logs/%",
    "/Logs",
    "//",
    "/a/1/b",
    "/filesx",
  ]
) {
  Deno.test(`${path} is not found`, () => {
    const error = assertThrows(() => router.match("GET", path), HttpError);
    assertEquals(error.status, 404);
    assertEquals(error.message, `the path must be that of a route: current value is ${JSON.stringify(path)}`);
  });
}

const slashed: [path: string, query: string, location: string][] = [
  ["/logs/", "", "/logs"],
  ["/logs/", "?name=a/&name=b?", "/logs?name=a/&name=b?"],
  ["/logs/a%20b/", "?", "/logs/a%20b?"],
  ["/channels/own/", "?a#b", "/channels/own?a"],
];

for (const [path, query, location] of slashed) {
  Deno.test(`${path}${query} is redirected to ${location}`, () => {
    const answer = router.match("POST", path, `http://localhost${path}${query}`);
    assert(answer instanceof Response);
    assertEquals([answer.status, answer.headers.get("location")], [308, location]);
  });
}

Deno.test("what is below a route that takes any rest is never redirected", () => {
  for (const path of ["/files/", "/files/a/", "/files//"]) {
    assert(!(router.match("GET", path) instanceof Response));
  }
});

const refused: [method: string, path: string, allow: string][] = [
  ["POST", "/", "GET, HEAD, OPTIONS"],
  ["DELETE", "/channels/x", "GET, HEAD, POST, OPTIONS"],
  ["GET", "/sensors/x", "POST, OPTIONS"],
  ["HEAD", "/sensors/x", "POST, OPTIONS"],
  ["PROPFIND", "/files/x", "GET, HEAD, OPTIONS"],
  ["get", "/logs", "GET, HEAD, OPTIONS"],
];

for (const [method, path, allow] of refused) {
  Deno.test(`${method} ${path} is answered 405 and allows ${allow}`, () => {
    const error = assertThrows(() => router.match(method, path), HttpError);
    assertEquals([error.status, error.options.headers?.Allow], [405, allow]);
  });
}

Deno.test("OPTIONS is answered with what the path allows", () => {
  const answer = router.match("OPTIONS", "/channels/x");
  assert(answer instanceof Response);
  assertEquals([answer.status, answer.headers.get("allow")], [204, "GET, HEAD, POST, OPTIONS"]);
});

Deno.test("HEAD is answered by the GET route", () => {
  const match = router.match("HEAD", "/logs");
  assert(!(match instanceof Response));
  assertEquals(match.route.method, "GET");
});

for (
  const path of ["/items/{name}", "/items/<name>", "/a/:name?", "/a/:", "/a b", "/堰", "/a?b", "/*/a", "a"]
) {
  Deno.test(`the path ${path} of a route, which no request would match, is refused`, () => {
    assertThrows(() => new Router([route("GET", path)]), TypeError, `current value is "${path}"`);
  });
}
