import { assertEquals, assertThrows } from "@std/assert";
import { clientOf, ClientShare } from "../../../lib/stream/client_share.ts";
import { HttpError } from "../../../lib/stream/errors.ts";
import { Limiter, type Permit } from "../../../lib/stream/limiter.ts";

const addresses: [address: string, client: string][] = [
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8:0:7:1:2:3:4", "2001:db8:0:7"],
  ["2001:0DB8:0000:0007::9", "2001:db8:0:7"],
  ["2001:db8::7:1:2:3:4", "2001:db8:0:7"],
  ["2001:db8::1", "2001:db8:0:0"],
  ["2001:db8::", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
  ["fe80::1%eth0", "fe80:0:0:0"],
  ["", ""],
];

for (const [address, client] of addresses) {
  Deno.test(`clientOf() takes ${JSON.stringify(address)} for ${JSON.stringify(client)}`, () => {
    assertEquals(clientOf(address), client);
  });
}

const one = { client: "192.0.2.1" }, other = { client: "2001:db8::1" };
const shared = (max: number, percent: number) => new Limiter(max, new ClientShare(percent));

/** Permits that a client gets until it is refused, and why it was. */
function takeAll(limiter: Limiter, client: { client: string }) {
  const permits: Permit[] = [];
  const error = assertThrows(() => {
    for (;;) permits.push(limiter.admit("downloads", client));
  }, HttpError);
  return { permits, error };
}

Deno.test("a client gets half of a limit, and others their share of what is left", () => {
  const limiter = shared(10, 20);
  assertEquals(takeAll(limiter, one).permits.length, 5);
  assertEquals(takeAll(limiter, other).permits.length, 2);
  assertEquals(takeAll(limiter, { client: "2001:db8::2" }).permits.length, 0);
  assertEquals(takeAll(limiter, { client: "192.0.2.2" }).permits.length, 2);
});

Deno.test("a client over its share gets 503 that says so, with Retry-After", () => {
  const { error } = takeAll(shared(10, 20), one);
  assertEquals(error.message, "too many downloads for one client: at most 2 while half of 10 are taken");
  assertEquals([error.status, error.options.headers], [503, { "Retry-After": "1" }]);
});

Deno.test("a client that gives its permits back may take others", () => {
  const limiter = shared(10, 20);
  const { permits } = takeAll(limiter, one);
  for (const permit of permits) {
    permit.release();
    permit.release();
  }
  assertEquals([limiter.used, takeAll(limiter, one).permits.length], [0, 5]);
});

Deno.test("a limit that is full refuses a client below its share, which then holds nothing", () => {
  const limiter = shared(2, 100);
  const { permits: [permit] } = takeAll(limiter, one);
  for (let n = 0; n < 9; n++) {
    assertThrows(() => limiter.admit("downloads", other), HttpError, "at most 2 at once");
  }
  permit.release();
  limiter.admit("downloads", other);
});

Deno.test("a share is one permit at least", () => {
  const limiter = shared(4, 1);
  takeAll(limiter, one);
  assertEquals(takeAll(limiter, other).permits.length, 1);
});

Deno.test("a limit without shares is for whoever comes first, and reads no address", () => {
  const unread = {
    get client(): string {
      throw new Error("read");
    },
  };
  const limiter = new Limiter(3);
  assertEquals(takeAll(limiter, unread).permits.length, 3);
});
