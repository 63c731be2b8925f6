import { assertEquals } from "@std/assert";
import { granted } from "../support/granted.ts";
import { serve } from "../support/server.ts";

const ignore = !granted.server;

Deno.test({
  name: "/async_route answers with a message as JSON",
  ignore,
  async fn() {
    await using server = await serve();
    const response = await fetch(`${server.origin}/async_route`);
    assertEquals(response.headers.get("content-type"), "application/json");
    assertEquals(await response.json(), { message: "This is an async route" });
  },
});

Deno.test({
  name: "/async_route holds nobody up while it waits",
  ignore,
  async fn() {
    await using server = await serve();
    const answered: string[] = [];
    const ask = async (path: string) => {
      await (await fetch(server.origin + path)).text();
      answered.push(path);
    };
    await Promise.all([...Array.from({ length: 20 }, () => ask("/async_route")), ask("/healthz")]);
    assertEquals(answered[0], "/healthz");
  },
});
