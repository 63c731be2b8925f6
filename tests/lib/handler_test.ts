import { assertEquals } from "@std/assert";
import type { Route } from "../../lib/handler.ts";
import { home } from "../../handlers/home.ts";
import { granted } from "../support/granted.ts";
import { serve } from "../support/server.ts";
import { route } from "../support/wire.ts";

const handler = () => new Response("hello");

/** Rows that must not compile: `deno check` fails where one of them does. */
export const wrong: Route[] = [
  // @ts-expect-error -- no handler
  { method: "GET", path: "/", description: "" },
  // @ts-expect-error -- no method
  { path: "/", handler, description: "" },
  // @ts-expect-error -- no path
  { method: "GET", handler, description: "" },
  // @ts-expect-error -- no description
  { method: "GET", path: "/", handler },
  // @ts-expect-error -- misspelt
  { method: "GET", path: "/", handler, description: "", exmaple: "/" },
  // @ts-expect-error -- HEAD is answered by GET
  { method: "HEAD", path: "/", handler, description: "" },
  // @ts-expect-error -- no slash
  { method: "GET", path: "stream", handler, description: "" },
  // @ts-expect-error -- no response
  { method: "GET", path: "/", handler: () => "hello", description: "" },
];

Deno.test({
  name: "a route without an example is shown by its path",
  ignore: !granted.server,
  async fn() {
    await using server = await serve({ routes: [route("/", home), route("/hello", handler)] });
    const response = await fetch(server.origin, { headers: { accept: "application/json" } });
    const links = (await response.json() as { link: string }[]).map(({ link }) => link);
    assertEquals(links, ["/", "/hello"]);
  },
});
