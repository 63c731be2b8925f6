import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { weirRoutes as allRoutes } from "../../handlers/routes.ts";
import { granted } from "../support/granted.ts";
import { serve } from "../support/server.ts";
import { exchange, open } from "../support/wire.ts";

const ignore = !granted.server;
const push = {
  id: "p",
  push: true as const,
  description: "",
  unit: "",
  interval: 1_000,
};
const routes = allRoutes.filter(({ hidden }) => !hidden);
const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

interface Row {
  method: string;
  path: string;
  description: string;
  curl: string;
  link: string;
}

async function rows(origin: string): Promise<Row[]> {
  return await (await fetch(origin, { headers: { accept: "application/json" } })).json();
}

for (const accept of [browser, "*/*", "text/html"]) {
  Deno.test({
    name: `with Accept ${accept} the first page is the dashboard`,
    ignore,
    async fn() {
      await using server = await serve();
      const response = await fetch(server.origin, { headers: { accept } });
      const { headers } = response;
      assertEquals([response.status, headers.get("content-type")], [200, "text/html; charset=utf-8"]);
      assertMatch(headers.get("vary") ?? "", /\bAccept$/);
      assertMatch(headers.get("content-security-policy") ?? "", /^default-src 'self';/);
      assertStringIncludes(await response.text(), 'src="/dashboard/main.js"');
    },
  });
}

Deno.test({
  name: "everything that the dashboard loads is served, as it is in the folder",
  ignore,
  async fn() {
    await using server = await serve();
    const folder = new URL("../../handlers/dashboard/", import.meta.url);
    for await (const { name } of Deno.readDir(folder)) {
      if (name === "index.html" || name === "jsconfig.json") continue;
      const response = await fetch(`${server.origin}/dashboard/${name}`);
      assertEquals(await response.text(), await Deno.readTextFile(new URL(name, folder)), name);
      assertMatch(response.headers.get("content-type") ?? "", /^(text\/(javascript|css)|application\/json)/);
    }
  },
});

Deno.test({
  name: "the icon that browsers ask for is there",
  ignore,
  async fn() {
    await using server = await serve();
    const icon = await fetch(`${server.origin}/favicon.ico`);
    assertEquals([icon.status, icon.headers.get("content-type")], [200, "image/svg+xml"]);
    assertStringIncludes(await icon.text(), "<svg");
  },
});

for (const accept of ["application/json", "application/json;charset=utf-8"]) {
  Deno.test({
    name: `with Accept ${accept} the list of routes is there as JSON`,
    ignore,
    async fn() {
      await using server = await serve();
      const list: Row[] = await (await fetch(server.origin, { headers: { accept } })).json();
      assertEquals(list.map(({ path }) => path), routes.map(({ path }) => path));
    },
  });
}

Deno.test({
  name: "as JSON each route has its parameters, body, answers, and who may ask for it",
  ignore,
  async fn() {
    await using server = await serve();
    const list = await rows(server.origin) as (Row & Record<string, unknown>)[];
    const of = (wanted: string) => list.find(({ method, path }) => `${method} ${path}` === wanted)!;
    const { access, params, body, answers } = of("POST /channels/:name") as Record<string, object>;
    assertEquals([access, Object.keys(body), Object.keys(answers)], [
      "publish",
      ["description", "content"],
      ["201", "409", "422"],
    ]);
    assertEquals((params as { name: string; in: string }[]).map((one) => `${one.in} ${one.name}`), [
      "path name",
    ]);
    const [lines] = (of("GET /logs/:name").params as Record<string, unknown>[]).slice(1);
    assertEquals(lines, {
      name: "lines",
      in: "query",
      required: false,
      repeatable: false,
      description: lines.description,
      schema: { type: "integer", minimum: 0, maximum: 10_000, default: 100 },
    });
  },
});

/** A run for the list to show. */
async function someRun(origin: string): Promise<void> {
  await (await fetch(`${origin}/stream?run=demo&count=1&interval=0&request=false`)).text();
}

Deno.test({
  name: "every link and curl line of the list of routes works",
  ignore,
  async fn() {
    await using server = await serve({ declared: [push] });
    await Deno.writeTextFile(`${server.folder}/files/a b "c" 'd'.txt`, "content");
    await Deno.writeTextFile(`${server.folder}/logs/access.log`, "{}\n");
    await someRun(server.origin);
    for (const { method, path, curl, link, description } of await rows(server.origin)) {
      assert(description.length > 0);
      assertStringIncludes(curl, server.origin + (link.startsWith("#") ? path : link).replaceAll("'", "%27"));
      if (method === "POST") {
        assertEquals((await fetch(server.origin + link, { method: "HEAD" })).status, 200);
      }
      if (method === "GET" && !link.startsWith("#")) {
        const reading = await open(server.origin + link);
        assertEquals(reading.response.status, 200, `${link} is answered ${reading.response.status}`);
        reading.leave();
      }
    }
  },
});

Deno.test({
  name: "every line of the list of routes can be pasted into a shell, with nothing to show as well",
  ignore: !granted.run,
  async fn() {
    await using server = await serve();
    const pasted = async ({ method, path, curl, link }: Row) => {
      const response = await fetch(server.origin + link.replace(/^#.*/, ""), {
        headers: { accept: browser },
      });
      await response.body?.cancel();
      assertEquals(response.status, 200, link);
      if (curl.startsWith("#")) return `${method} ${path}`;
      const args = ["-c", curl.replace("curl ", "curl -s -o /dev/null -w '%{http_code}' --max-time 3 ")];
      const { stdout } = await new Deno.Command("sh", { args }).output();
      assertMatch(new TextDecoder().decode(stdout), /^(101|20[01])$/, curl);
      return null;
    };
    const without = (await Promise.all((await rows(server.origin)).map(pasted))).filter(Boolean);
    assertEquals(without, [
      "GET /async_download",
      "GET /stream/file",
      "GET /runs/:name",
      "DELETE /runs/:name",
      "POST /sensors/:id",
    ]);
  },
});

Deno.test({
  name: "a shell takes every URL of the curl lines as one word, whatever the file and the host are called",
  ignore: !granted.run,
  async fn() {
    const file = 'it\'s $(id) `id` "a" & b.txt';
    await using server = await serve({ declared: [push] });
    await Deno.writeTextFile(`${server.folder}/files/${file}`, "content");
    await someRun(server.origin);
    const host = "it's$(id).localhost";
    const answer = await exchange(
      server.port,
      `GET / HTTP/1.1\nHost: ${host}\nAccept: application/json\nConnection: close\n\n`,
    );
    const all: Row[] = JSON.parse(answer.slice(answer.indexOf("["), answer.lastIndexOf("]") + 1));
    assertEquals(all.length, routes.length);
    for (const { path, curl, link } of all) {
      const { code, stdout } = await new Deno.Command("sh", {
        args: ["-c", curl.replace("curl", "printf '%s\\n'")],
      }).output();
      const url = new TextDecoder().decode(stdout).trimEnd().split("\n").at(-1)!;
      assertEquals([code, url.startsWith("http://it%27s$(id).localhost/")], [0, true], `${path}: ${url}`);
      if (link.includes("?file=")) assertEquals(new URL(url, server.origin).searchParams.get("file"), file);
    }
  },
});

Deno.test({
  name: "the curl line of a POST publishes",
  ignore,
  async fn() {
    await using server = await serve();
    const post = (await rows(server.origin)).find(({ method, path }) =>
      method === "POST" && path === "/channels/:name"
    )!;
    const [, body] = /-d '(.*?)'/.exec(post.curl)!;
    // As curl sends it.
    const response = await fetch(server.origin + post.link, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body,
    });
    await response.text();
    assert(response.ok, `answered ${response.status}`);
  },
});
