import { assertEquals } from "@std/assert";
import type { Handler, Route } from "../lib/handler.ts";
import { granted } from "./support/granted.ts";
import { serve } from "./support/server.ts";

Deno.test({ name: "the README's own example is a working stream", ignore: !granted.server }, async () => {
  const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
  const code = readme.match(/```ts\n(\/\/ handlers\/countdown\.ts\n[^]*?)```/)![1];
  const row = readme.match(/```ts\n(\{ method: "GET", path: "\/countdown".*\}),\n```/)![1];
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, code.replaceAll("../lib/", new URL("../lib/", import.meta.url).href));
    const { countdown } = await import(`file://${file}`) as { countdown: Handler };
    const route = new Function("countdown", `return ${row}`)(countdown) as Route;
    await using server = await serve({ routes: [route] });
    const response = await fetch(`${server.origin}${route.path}?format=sse`);
    assertEquals(
      await response.text(),
      [3, 2, 1].map((left) => `id: ${left}\ndata: ${left} to go\n\n`).join("") +
        'id: end\nevent: end\ndata: {"reason":"complete"}\n\n',
    );
    const rest = await fetch(`${server.origin}${route.path}?format=sse`, {
      headers: { "last-event-id": "2" },
    });
    assertEquals((await rest.text()).split("\n")[1], "data: 1 to go");
  } finally {
    await Deno.remove(file);
  }
});

for (const page of ["README.md", "lib/README.md", ".github/CONTRIBUTING.md"]) {
  Deno.test({ name: `every file that ${page} links to is there`, ignore: !granted.files }, async () => {
    const url = new URL(`../${page}`, import.meta.url);
    const links = (await Deno.readTextFile(url)).matchAll(/\]\((?!https?:)([^)#]+)/g);
    const missing: string[] = [];
    for (const [, path] of links) await Deno.stat(new URL(path, url)).catch(() => missing.push(path));
    assertEquals(missing, []);
  });
}
