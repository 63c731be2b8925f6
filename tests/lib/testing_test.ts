import { assertRejects } from "@std/assert";
import { granted, serve } from "../../lib/testing.ts";

Deno.test(
  { name: "serve() may be closed twice, and leaves no folder", ignore: !granted.server },
  async () => {
    const server = await serve({ routes: [] });
    await Promise.all([server[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]);
    await server[Symbol.asyncDispose]();
    await assertRejects(() => Deno.stat(server.folder), Deno.errors.NotFound);
  },
);
