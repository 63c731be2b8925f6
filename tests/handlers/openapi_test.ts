import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { weirRoutes as routes } from "../../handlers/routes.ts";
import { paramsOf } from "../../lib/http/description.ts";
import { formats } from "../../lib/stream/formats/table.ts";
import { granted } from "../support/granted.ts";
import { serve } from "../support/server.ts";
import { route } from "../support/wire.ts";

const ignore = !granted.server;
const shown = routes.filter(({ hidden }) => !hidden);

interface Operation {
  operationId: string;
  "x-access": string;
  parameters?: { name: string; in: string; required: boolean; description: string; schema: object }[];
  requestBody?: { content: Record<string, object> };
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>;
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
}

async function documentOf(origin: string): Promise<Document> {
  return await (await fetch(`${origin}/openapi.json`)).json();
}

/** What the validators of npm say of a document, and of values by their schemas. */
async function faults(
  document: object,
  samples: { schema: object; value: unknown }[] = [],
): Promise<unknown[]> {
  const script = fileURLToPath(new URL("../support/openapi_validator.ts", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-lock", "--no-check", "--allow-read", "--allow-env", script],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify({ document, samples })));
  await writer.close();
  return JSON.parse(new TextDecoder().decode((await child.output()).stdout));
}

Deno.test({ name: "the document is valid OpenAPI 3.1", ignore: !granted.run }, async () => {
  await using server = await serve();
  assertEquals(await faults(await documentOf(server.origin)), []);
});

Deno.test({ name: "what the JSON routes answer is as the document says", ignore: !granted.run }, async () => {
  await using server = await serve();
  await Deno.writeTextFile(`${server.folder}/files/a.txt`, "a");
  await Deno.writeTextFile(`${server.folder}/logs/a.log`, "a\n");
  await (await fetch(`${server.origin}/stream?run=demo&count=1&interval=0&request=false`)).text();
  const document = await documentOf(server.origin);
  const ask = async (method: string, path: string, template = path, body?: string) => {
    const response = await fetch(server.origin + path, {
      method,
      body,
      headers: { accept: "application/json" },
    });
    const { content } = document.paths[template][method.toLowerCase()].responses[response.status];
    return { schema: content!["application/json"].schema, value: await response.json() };
  };
  const samples = [
    await ask("POST", "/channels/demo", "/channels/{name}", "1"),
    await ask("GET", "/"),
    await ask("GET", "/async_route"),
    await ask("GET", "/files/", "/files/{path}"),
    await ask("GET", "/logs"),
    await ask("GET", "/channels"),
    await ask("GET", "/runs"),
    await ask("GET", "/runs/demo", "/runs/{name}"),
    await ask("DELETE", "/runs/demo", "/runs/{name}"),
    await ask("GET", "/sensors"),
    await ask("GET", "/sensors/cpu", "/sensors/{id}"),
    await ask("GET", "/sensors/cpu/history", "/sensors/{id}/history"),
    await ask("GET", "/healthz"),
  ];
  for (const { value } of samples.slice(1)) assert(!Array.isArray(value) || value.length > 0);
  assertEquals(await faults(document, samples), []);
});

Deno.test({ name: "every route but the hidden ones is described, and no other", ignore }, async () => {
  await using server = await serve();
  const { paths } = await documentOf(server.origin);
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
  );
  const expected = shown.map(({ method, path }) =>
    `${method} ${path.replace(/:(\w+)/, "{$1}").replace("*", "{path}")}`
  );
  assertEquals(described.toSorted(), expected.toSorted());
  const ids = Object.values(paths).flatMap((methods) => Object.values(methods).map((of) => of.operationId));
  assertEquals(new Set(ids).size, expected.length);
});

Deno.test("every row of the table describes what it takes and answers, with each segment of its path", () => {
  const without = shown.filter(({ path, handler: { about } }) =>
    about?.answers === undefined ||
    [...path.matchAll(/:(\w+)/g)].some(([, name]) => about.params?.[name]?.in !== "path")
  );
  assertEquals(without.map(({ method, path }) => `${method} ${path}`), []);
});

Deno.test({ name: "a parameter has its place, type, range, default and what it does", ignore }, async () => {
  await using server = await serve();
  const { paths } = await documentOf(server.origin);
  const of = (path: string, name: string) => paths[path].get.parameters!.find((one) => one.name === name)!;
  const { description, ...count } = of("/stream", "count");
  assertEquals(count, {
    name: "count",
    in: "query",
    required: false,
    schema: { type: "integer", minimum: 1, maximum: 1_000_000, default: 5 },
  });
  assert(description.length > 0);
  assertEquals(of("/sensors/stream", "id").schema, { type: "array", items: { type: "string" } });
  assertEquals(of("/async_download", "file").required, true);
  assertStringIncludes(of("/files/{path}", "path").description, "slashes");
});

Deno.test({ name: "each stream is described in the types that it comes in", ignore }, async () => {
  await using server = await serve();
  await Deno.writeTextFile(`${server.folder}/logs/access.log`, "{}\n");
  const { paths } = await documentOf(server.origin);
  let streams = 0;
  for (const { method, path, example = path } of shown) {
    const template = path.replace(/:(\w+)/, "{$1}").replace("*", "{path}");
    const { responses, parameters = [] } = paths[template][method.toLowerCase()];
    const names = parameters.find(({ name }) => name === "format")?.schema as { enum: string[] } | undefined;
    if (names === undefined || path === "/logs") continue;
    streams++;
    const types = Object.keys(responses[200].content!);
    for (const format of [null, ...formats.filter(({ name }) => names.enum.includes(name))]) {
      const url = new URL(example, server.origin);
      if (format === null) url.searchParams.delete("format");
      else url.searchParams.set("format", format.name);
      const type = (await fetch(url, { method: "HEAD" })).headers.get("content-type")!.split(";")[0];
      assert(format === null ? type === types[0] : types.includes(type), `${url} is ${type}`);
    }
  }
  assert(streams >= 6);
});

Deno.test({ name: "each route refuses the parameters that its description refuses", ignore }, async (t) => {
  await using server = await serve();
  for (const route of shown.filter(({ method }) => method === "GET")) {
    for (const { name, in: where, schema, repeatable } of paramsOf(route)) {
      const { type, minimum, maximum, maxLength, enum: words } = schema;
      const wrong = repeatable ? [] : [["a", "a"]];
      if (type === "integer") wrong.push([`${minimum! - 1}`], [`${maximum! + 1}`]);
      if (type === "boolean" || words !== undefined && words[0] !== "") wrong.push(["wrong"]);
      if (maxLength !== undefined) wrong.push(["a".repeat(maxLength + 1)]);
      for (const values of where === "path" ? [] : wrong) {
        const path = (route.example ?? route.path).replace(/[?#].*/, "") || route.path;
        const query = new URLSearchParams(values.map((value) => [name, value]));
        await t.step(`${path}?${query}`.slice(0, 80), async () => {
          const response = await fetch(`${server.origin}${path}?${query}`);
          // What is not refused may be a stream without an end.
          if (response.ok) await response.body?.cancel();
          assertEquals(response.status, 400);
          assertStringIncludes(await response.text(), `"${name} must be `);
        });
      }
    }
  }
});

Deno.test(
  { name: "who may ask for a route is said, and read where the row says nothing", ignore },
  async () => {
    await using server = await serve();
    const { paths } = await documentOf(server.origin);
    const of = (path: string, method: string) => paths[path][method]["x-access"];
    assertEquals(
      [
        of("/channels/{name}", "get"),
        of("/channels/{name}", "post"),
        of("/sensors/{id}", "post"),
        of("/runs/{name}", "delete"),
        of("/healthz", "get"),
      ],
      ["read", "publish", "publish", "admin", "open"],
    );
  },
);

Deno.test(
  { name: "a route that is not described has the segments of its path, and an answer", ignore },
  async () => {
    const { handler } = shown.find(({ path }) => path === "/openapi.json")!;
    await using server = await serve({
      routes: [route("/openapi.json", handler), route("/:a/of/:b", () => new Response())],
    });
    const { parameters, responses } = (await documentOf(server.origin)).paths["/{a}/of/{b}"].get;
    assertEquals(parameters!.map(({ name, in: where }) => `${where} ${name}`), ["path a", "path b"]);
    assertEquals(Object.keys(responses), ["200", "401", "403", "421", "503"]);
  },
);
