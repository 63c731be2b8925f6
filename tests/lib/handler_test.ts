import { assertEquals } from "@std/assert";
import { described, type Handler, type Route } from "../../lib/handler.ts";
import { int, segment, text } from "../../lib/http/params.ts";
import { dashboard } from "../../handlers/dashboard.ts";
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

const params = { count: int({ min: 1, max: 5, default: 2 }, "how often"), word: text("what is said") };

/** Handlers that must not compile. */
export const misspelt: Handler[] = [
  // @ts-expect-error -- no such parameter
  described({ params }, (_request, context) => new Response(context.params.words)),
  // @ts-expect-error -- a number
  described({ params }, (_request, context) => new Response(context.params.count)),
  // @ts-expect-error -- it may be absent
  described({ params }, (_request, context) => new Response(context.params.word.trim())),
];

Deno.test({
  name: "a described handler gets the values of its parameters, and those of the path",
  ignore: !granted.server,
  async fn() {
    const echo = described(
      { params: { ...params, name: segment("a name") } },
      (_request, { params }) => Response.json(params),
    );
    await using server = await serve({ routes: [route("/:name", echo)] });
    const get = async (path: string) => await (await fetch(server.origin + path)).json();
    assertEquals([await get("/a?count=3&word=b"), await get("/a%20b")], [
      { count: 3, word: "b", name: "a" },
      { count: 2, name: "a b" },
    ]);
    assertEquals(await get("/a?count=6"), {
      error: 'count must be a whole number from 1 to 5: current value is "6"',
    });
  },
});

Deno.test({
  name: "a route without an example is shown by its path",
  ignore: !granted.server,
  async fn() {
    await using server = await serve({ routes: [route("/", dashboard), route("/hello", handler)] });
    const response = await fetch(server.origin, { headers: { accept: "application/json" } });
    const links = (await response.json() as { link: string }[]).map(({ link }) => link);
    assertEquals(links, ["/", "/hello"]);
  },
});
