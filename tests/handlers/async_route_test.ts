import { assert, assertEquals } from "@std/assert";
import { granted } from "../support/granted.ts";
import { serve } from "../support/server.ts";

Deno.test({
  name: "/async_route answers with a message after 100 ms, and holds nobody up",
  ignore: !granted.server,
  async fn() {
    await using server = await serve();
    const start = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => fetch(`${server.origin}/async_route`)),
    );
    const ms = performance.now() - start;
    for (const answer of answers) {
      assertEquals(answer.headers.get("content-type"), "application/json");
      assertEquals(await answer.json(), { message: "This is an async route" });
    }
    assert(ms >= 99 && ms < 20 * 100, `${ms} ms for 20 at once`);
  },
});
