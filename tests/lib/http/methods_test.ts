import { assertEquals } from "@std/assert";
import type { Route } from "../../../lib/handler.ts";
import { dashboard } from "../../../handlers/dashboard.ts";
import { granted } from "../../support/granted.ts";
import { serve } from "../../support/server.ts";
import { route } from "../../support/wire.ts";

const ignore = !granted.server;
const methods: Route["method"][] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const unsafe = methods.slice(1);
const named = (path: string, method: Route["method"]) => route(path, () => new Response(method), method);
const routes = methods.map((method) => named("/item", method));

for (const method of methods) {
  Deno.test({
    name: `a route answers ${method}`,
    ignore,
    async fn() {
      await using server = await serve({ routes });
      assertEquals(await (await fetch(`${server.origin}/item`, { method })).text(), method);
    },
  });
}

Deno.test({
  name: "Allow names every method of a path, to OPTIONS and with 405",
  ignore,
  async fn() {
    await using server = await serve({
      routes: [named("/item", "DELETE"), named("/item", "GET"), ...unsafe.map((m) => named("/b", m))],
    });
    const options = await fetch(`${server.origin}/item`, { method: "OPTIONS" });
    assertEquals([options.status, options.headers.get("allow")], [204, "DELETE, GET, HEAD, OPTIONS"]);
    const refused = await fetch(`${server.origin}/b`);
    assertEquals([refused.status, refused.headers.get("allow")], [405, "POST, PUT, PATCH, DELETE, OPTIONS"]);
    await refused.body?.cancel();
  },
});

for (const method of unsafe) {
  Deno.test({
    name: `${method} from a page of another origin is 403, unless the origin is allowed`,
    ignore,
    async fn() {
      await using server = await serve({ routes, allowOrigins: ["https://app.example"] });
      const ask = async (origin: string) => {
        // As a navigation, which may read whatever its origin is.
        const headers = { origin, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
        const response = await fetch(`${server.origin}/item`, { method, headers });
        await response.body?.cancel();
        return [response.status, response.headers.get("access-control-allow-origin")];
      };
      assertEquals(await ask("https://evil.example"), [403, null]);
      assertEquals(await ask("https://app.example"), [200, "https://app.example"]);
    },
  });

  Deno.test({
    name: `a preflight for ${method} lists it for an allowed origin`,
    ignore,
    async fn() {
      await using server = await serve({ routes, allowOrigins: ["https://app.example"] });
      const headers = { origin: "https://app.example", "access-control-request-method": method };
      const response = await fetch(`${server.origin}/item`, { method: "OPTIONS", headers });
      assertEquals(response.headers.get("access-control-allow-methods")?.split(", ").includes(method), true);
    },
  });
}

Deno.test({
  name: "the list of routes shows each method with a curl line that sends it",
  ignore,
  async fn() {
    await using server = await serve({ routes: [route("/", dashboard), ...routes] });
    const response = await fetch(server.origin, { headers: { accept: "application/json" } });
    const rows = await response.json() as { method: string; path: string; curl: string }[];
    const url = `'${server.origin}/item'`;
    assertEquals(rows.filter(({ path }) => path === "/item").map(({ curl }) => curl), [
      `curl -N ${url}`,
      `curl -d '{"value":1}' ${url}`,
      `curl -X PUT -d '{"value":1}' ${url}`,
      `curl -X PATCH -d '{"value":1}' ${url}`,
      `curl -X DELETE ${url}`,
    ]);
  },
});
