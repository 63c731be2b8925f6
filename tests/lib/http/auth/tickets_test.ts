import { assertEquals, assertMatch } from "@std/assert";
import { Tickets } from "../../../../lib/http/auth/tickets.ts";
import { token } from "../../../support/tokens.ts";

const base = "http://weir.example";
const secret = token.reader;
const url = new URL("/channels/demo?format=sse&after=a%20b", base);

function signed({ origin = "https://app.example", now = (): number => 0 } = {}) {
  const tickets = new Tickets(secret, now);
  return { tickets, ...tickets.sign("shop", url, origin) };
}

Deno.test("a ticket is for one path and query, which it ends", () => {
  const { tickets, url, expires } = signed();
  assertMatch(url, /^\/channels\/demo\?format=sse&after=a%20b&ticket=[\w-]+\.[\w-]+$/);
  assertEquals(tickets.nameOf(base + url, "https://app.example"), "shop");
  assertEquals(expires, 60_000);
});

Deno.test("a ticket of a path without a query begins it", () => {
  const tickets = new Tickets(secret);
  const { url } = tickets.sign("shop", new URL("/events", base), "");
  assertMatch(url, /^\/events\?ticket=/);
  assertEquals(tickets.nameOf(base + url, null), "shop");
});

const others: [what: string, change: (url: string) => string][] = [
  ["another path", (url) => url.replace("demo", "other")],
  ["another query", (url) => url.replace("sse", "text")],
  ["a longer query", (url) => url.replace("?", "?a=1&")],
  ["something after it", (url) => `${url}&after=0`],
  ["two slashes before it", (url) => `/${url}`],
  ["a changed name", (url) => url.replace(/ticket=./, "ticket=A")],
  ["a changed signature", (url) => url.slice(0, -3) + (url.endsWith("AAA") ? "BBB" : "AAA")],
  ["no signature", (url) => url.replace(/\.[^.]*$/, "")],
];
for (const [what, change] of others) {
  Deno.test(`a ticket does not open a URL with ${what}`, () => {
    const { tickets, url } = signed();
    assertEquals(tickets.nameOf(base + change(url), "https://app.example"), null);
  });
}

Deno.test("a ticket for pages of one origin opens nothing for another, or for none", () => {
  const { tickets, url } = signed();
  for (const origin of ["https://other.example", "null", null]) {
    assertEquals(tickets.nameOf(base + url, origin), null);
  }
});

Deno.test("a ticket for no origin in particular opens its URL for all", () => {
  const { tickets, url } = signed({ origin: "" });
  for (const origin of ["https://other.example", null]) {
    assertEquals(tickets.nameOf(base + url, origin), "shop");
  }
});

Deno.test("a ticket ends after a minute", () => {
  let time = 0;
  const { tickets, url } = signed({ now: () => time });
  time = 59_999;
  assertEquals(tickets.nameOf(base + url, "https://app.example"), "shop");
  time = 60_000;
  assertEquals(tickets.nameOf(base + url, "https://app.example"), null);
});

Deno.test("a ticket is taken wherever the secret is the same, and nowhere else", () => {
  const { url } = signed();
  const check = (tickets: Tickets) => tickets.nameOf(base + url, "https://app.example");
  const now = () => 0;
  assertEquals(check(new Tickets(secret, now)), "shop");
  assertEquals(check(new Tickets(token.admin, now)), null);
  assertEquals(check(new Tickets(undefined, now)), null);
});

Deno.test("a new secret ends the tickets of the old one; without any, the drawn one stays", () => {
  const { tickets, url } = signed();
  tickets.replace(undefined);
  assertEquals(tickets.nameOf(base + url, "https://app.example"), null);
  const drawn = tickets.sign("shop", new URL(base), "").url;
  tickets.replace(undefined);
  assertEquals(tickets.nameOf(base + drawn, null), "shop");
});
