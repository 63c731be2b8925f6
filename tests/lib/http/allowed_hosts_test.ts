import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { HttpError } from "../../../lib/stream/errors.ts";
import { AllowedHosts } from "../../../lib/http/allowed_hosts.ts";

interface Asked {
  url: string;
  host: string | null;
}

/** As Deno.serve gives them: the URL from the Host or an absolute-form target, the header as it was sent. */
function request(url: string, { host = null }: { host?: string | null } = {}): Asked {
  return { url, host };
}

function check(hosts: AllowedHosts, { url, host }: Asked, maxBytes = 32_768): void {
  hosts.check(host, url, maxBytes);
}

function status(hosts: AllowedHosts, asked: Asked, maxBytes = 32_768): number {
  try {
    check(hosts, asked, maxBytes);
    return 200;
  } catch (error) {
    if (error instanceof HttpError) return error.status;
    throw error;
  }
}

const rows: [listens: string, host: string, status: number][] = [
  ["127.0.0.1", "127.0.0.1:8000", 200],
  ["127.0.0.1", "127.0.0.1", 200],
  ["127.0.0.1", "localhost:8000", 200],
  ["127.0.0.1", "LOCALHOST", 200],
  ["127.0.0.1", "weir.localhost", 200],
  ["127.0.0.1", "localhost.", 200],
  ["127.0.0.1", "localhost.:8000", 200],
  ["127.0.0.1", "localhost..", 421],
  ["127.0.0.1", "evil.example.", 421],
  ["127.0.0.1", ".", 421],
  ["127.0.0.1", "127.8.8.8", 200],
  ["127.0.0.1", "[::1]:8000", 200],
  ["127.0.0.1", "127.1", 200],
  ["127.0.0.1", "evil.example", 421],
  ["127.0.0.1", "localhost.evil.example", 421],
  ["127.0.0.1", "127.0.0.1.evil.example", 421],
  ["127.0.0.1", "evillocalhost", 421],
  ["127.0.0.1", "192.168.1.7", 421],
  ["127.0.0.1", "0.0.0.0", 421],
  ["127.0.0.1", "[::2]", 421],
  ["0.0.0.0", "192.168.1.7:80", 200],
  ["0.0.0.0", "[fe80::1]", 200],
  ["0.0.0.0", "evil.example", 421],
  ["::", "[2001:db8::1]:80", 200],
  ["::1", "[::1]", 200],
  ["weir.example", "weir.example:8000", 200],
  ["Weir.Example", "weir.example:8000", 200],
  ["weir.example", "weir.example.", 200],
  ["weir.example.", "weir.example", 200],
  ["weir.example", "a.weir.example", 421],
  ["weir.example", "127.0.0.1", 200],
];

for (const [listens, host, expected] of rows) {
  Deno.test(`--host ${listens} answers ${expected} to Host ${host}`, () => {
    assertEquals(status(new AllowedHosts(listens), request(`http://${host}/`, { host })), expected);
  });
}

const allowed: [host: string, status: number][] = [
  ["weir.example", 200],
  ["WEIR.example:8000", 200],
  ["192.168.1.7", 200],
  ["[2001:db8::1]:80", 200],
  ["a.example.org", 200],
  ["a.example.org.:80", 200],
  ["a.b.example.org", 200],
  ["localhost", 200],
  ["example.org", 421],
  [".example.org", 421],
  ["evilexample.org", 421],
  ["a.example.org.evil.example", 421],
  ["a.weir.example", 421],
  ["evil.example", 421],
];

for (const [host, expected] of allowed) {
  Deno.test(`with names allowed, Host ${host} is answered ${expected}`, () => {
    const names = ["Weir.Example", "192.168.1.7", "2001:db8::1", "*.example.org"];
    assertEquals(
      status(new AllowedHosts("127.0.0.1", names), request("http://localhost/", { host })),
      expected,
    );
  });
}

Deno.test("a 421 names the foreign host, of Host or of an absolute target", () => {
  const hosts = new AllowedHosts("127.0.0.1");
  for (const [target, host] of [["evil.example", "localhost"], ["localhost", "evil.example"]]) {
    const error = assertThrows(() => check(hosts, request(`http://${target}/`, { host })), HttpError);
    assertStringIncludes(error.message, '"evil.example"');
  }
});

for (
  const host of [
    "",
    "a b",
    "localhost/x",
    "user@localhost",
    "localhost?x",
    "localhost#x",
    "localhost\\x",
    "[::1",
    "a:b",
  ]
) {
  Deno.test(`Host ${JSON.stringify(host)} is answered 400`, () => {
    assertEquals(status(new AllowedHosts("127.0.0.1"), request("http://localhost/", { host })), 400);
  });
}

Deno.test("a URL that does not parse is answered 400", () => {
  assertEquals(status(new AllowedHosts("127.0.0.1"), request("http://a b/", { host: "a b" })), 400);
});

Deno.test("both an absolute-form target and Host are checked, also after a good request", () => {
  const hosts = new AllowedHosts("127.0.0.1");
  assertEquals(status(hosts, request("http://localhost/", { host: "localhost" })), 200);
  assertEquals(status(hosts, request("http://evil.example/", { host: "localhost" })), 421);
  assertEquals(status(hosts, request("http://localhost/", { host: "evil.example" })), 421);
  assertEquals(status(hosts, request("http://evil.example/", { host: "evil.example" })), 421);
  assertEquals(status(hosts, request("http://evil.example/")), 421);
  assertEquals(status(hosts, request("http://localhost/")), 200);
});

Deno.test("a target beyond the limit is answered 414", () => {
  assertEquals(
    status(new AllowedHosts("127.0.0.1"), request(`http://localhost/${"x".repeat(100)}`), 100),
    414,
  );
});

Deno.test("the message of a foreign Host is cut and quoted", () => {
  const error = assertThrows(
    () => check(new AllowedHosts("127.0.0.1"), request("http://localhost/", { host: "e".repeat(1_000) })),
    HttpError,
  );
  assertStringIncludes(error.message, 'current value is "eee');
  assertEquals(error.message.length < 200, true);
});
