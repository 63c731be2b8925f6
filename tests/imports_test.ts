import { assertEquals } from "@std/assert";
import denoJson from "../deno.json" with { type: "json" };
import { granted } from "./support/granted.ts";

/** From the top to the bottom: a row imports what is below it, never what is beside or above it. */
const order = [
  ["main.ts", "lib/server_mod.ts", "lib/testing.ts"],
  ["handlers/routes.ts", "lib/configure.ts", "lib/listening.ts"],
  ["handlers/own.ts"],
  ["lib/server.ts", "handlers/"],
  ["lib/dispatch.ts"],
  ["lib/handler.ts"],
  ["lib/app.ts"],
  ["lib/config.ts"],
  ["lib/flag_values.ts"],
  ["lib/access_log.ts", "lib/metrics.ts", "lib/overview.ts"],
  ["lib/sensors/", "lib/runs/"],
  ["lib/channels/", "lib/files/", "lib/logs/", "lib/sockets/"],
  ["lib/diagnostics.ts", "lib/listener.ts", "lib/opens.ts", "lib/service.ts"],
  ["lib/certificate.ts"],
  ["lib/http/"],
  ["lib/flags.ts", "lib/limits.ts", "lib/mod.ts", "lib/granted.ts"],
  ["lib/stream/"],
];

/** Who alone may import these. */
const readers: Record<string, string[]> = {
  "lib/app.ts": [
    "main.ts",
    "lib/server_mod.ts",
    "lib/testing.ts",
    "lib/server.ts",
    "lib/dispatch.ts",
    "lib/handler.ts",
  ],
  "lib/config.ts": ["main.ts", "lib/configure.ts", "lib/server_mod.ts", "lib/testing.ts", "lib/app.ts"],
};

/** What main.ts and listener.ts alone do. */
const processWide = /Deno\.serve\b|Deno\.args\b|addSignalListener/;

interface Import {
  to: string;
  typeOnly: boolean;
}

/** The imports of a source: static, `import type`, `export … from`, and those of a literal `import()`. */
function importsOf(path: string, source: string): Import[] {
  const statements = source.matchAll(
    /^(?:import|export)\b(?<words>[^"';]*?\bfrom)?\s*["'](?<to>[^"']+)["']|\bimport\(\s*["'](?<later>[^"']+)["']/gm,
  );
  return [...statements].map(({ groups }) => {
    const { words = "", to, later } = groups!;
    const specifier = to ?? later;
    return {
      to: specifier.startsWith(".") ? new URL(specifier, `file:///${path}`).pathname.slice(1) : specifier,
      typeOnly: words.startsWith(" type"),
    };
  });
}

/** The row and the room of a file. */
function placeOf(path: string): { row: number; room: string } | undefined {
  for (const [row, rooms] of order.entries()) {
    const room = rooms.find((room) => room.endsWith("/") ? path.startsWith(room) : path === room);
    if (room !== undefined) return { row, room };
  }
}

/** What is wrong with one import, if anything. */
function fault(from: string, { to, typeOnly }: Import): string | undefined {
  const [source, target] = [placeOf(from), placeOf(to)];
  if (source === undefined) return "has no row in the order";
  const outside = /^(@std\/|node:)/.test(to);
  if (source.room === "lib/stream/" && !outside && target?.room !== "lib/stream/") return "leaves lib/stream";
  if (from === "lib/mod.ts" && target?.room !== "lib/stream/") return "is more than lib/stream";
  if (!/^(lib|handlers)\/.*\.ts$|^main\.ts$/.test(to)) return;
  if (target === undefined) return "has no row in the order";
  if (readers[to]?.includes(from) === false) return "is not for this file";
  if (from === "lib/app.ts" && to === "lib/config.ts" && !typeOnly) return "is for its types alone";
  const within = source.room === target.room && source.room !== "handlers/";
  if (!within && target.row <= source.row) return "points up or sideways";
}

/** A circle of imports through a file, as its paths in turn. */
function circle(graph: Map<string, Import[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (path: string, way: string[]): string[] | undefined => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return;
    done.add(path);
    for (const { to } of graph.get(path) ?? []) {
      const found = visit(to, [...way, path]);
      if (found !== undefined) return found;
    }
  };
  for (const path of graph.keys()) {
    const found = visit(path, []);
    if (found !== undefined) return found;
  }
}

/** Everything that is wrong with these sources. */
function faults(sources: Record<string, string>): string[] {
  const graph = new Map(Object.entries(sources).map(([path, source]) => [path, importsOf(path, source)]));
  const found: string[] = [];
  for (const [from, imports] of graph) {
    for (const one of imports) {
      const rule = fault(from, one);
      if (rule !== undefined) found.push(`${from} → ${one.to} ${rule}`);
    }
    const code = sources[from].replaceAll(/^\s*(\*|\/\/|\/\*).*$/gm, "");
    if (processWide.test(code) && !["main.ts", "lib/listener.ts"].includes(from)) {
      found.push(`${from} uses ${processWide.exec(code)![0]}`);
    }
  }
  const round = circle(graph);
  if (round !== undefined) found.push(`a circle: ${round.join(" → ")}`);
  return found;
}

/** Adds a source and all that it imports; what handlers/own.ts imports is not Weir's. */
async function read(path: string, sources: Record<string, string>): Promise<void> {
  if (path in sources || path === "handlers/own.ts") return;
  if (!/^(main|(lib|handlers)\/.*(?<!\.d))\.ts$/.test(path)) return;
  sources[path] = await Deno.readTextFile(new URL(`../${path}`, import.meta.url));
  for (const { to } of importsOf(path, sources[path])) await read(to, sources);
}

Deno.test({
  name: "the imports of main.ts, lib and handlers point one way",
  ignore: !granted.files,
  async fn() {
    const sources: Record<string, string> = {};
    for (const path of ["main.ts", ...Object.values(denoJson.exports)]) {
      await read(path.replace("./", ""), sources);
    }
    assertEquals(faults(sources), []);
  },
});

const bad: [path: string, source: string, fault: string][] = [
  [
    "lib/stream/a.ts",
    `import { b } from "../http/b.ts";`,
    "lib/stream/a.ts → lib/http/b.ts leaves lib/stream",
  ],
  ["lib/stream/a.ts", `import { z } from "npm:zod";`, "lib/stream/a.ts → npm:zod leaves lib/stream"],
  ["lib/http/a.ts", `import type { B } from "../app.ts";`, "lib/http/a.ts → lib/app.ts is not for this file"],
  [
    "lib/http/a.ts",
    `const b = await import("../opens.ts");`,
    "lib/http/a.ts → lib/opens.ts points up or sideways",
  ],
  [
    "lib/files/a.ts",
    `export { b } from "../logs/b.ts";`,
    "lib/files/a.ts → lib/logs/b.ts points up or sideways",
  ],
  [
    "handlers/a.ts",
    `import {\n  b,\n} from "./b.ts";`,
    "handlers/a.ts → handlers/b.ts points up or sideways",
  ],
  [
    "handlers/a.ts",
    `import { S } from "../lib/server.ts";`,
    "handlers/a.ts → lib/server.ts points up or sideways",
  ],
  ["lib/app.ts", `import { help } from "./config.ts";`, "lib/app.ts → lib/config.ts is for its types alone"],
  ["lib/mod.ts", `export { b } from "./limits.ts";`, "lib/mod.ts → lib/limits.ts is more than lib/stream"],
  ["lib/new.ts", `import "./limits.ts";`, "lib/new.ts → lib/limits.ts has no row in the order"],
  ["lib/http/a.ts", `import "./a.ts";`, "a circle: lib/http/a.ts → lib/http/a.ts"],
  ["handlers/a.ts", `Deno.serve(() => new Response());`, "handlers/a.ts uses Deno.serve"],
];
for (const [path, source, expected] of bad) {
  Deno.test(`an import is refused: ${expected}`, () => assertEquals(faults({ [path]: source }), [expected]));
}

Deno.test("a circle of types between two files of a room is refused", () =>
  assertEquals(
    faults({
      "lib/logs/a.ts": `import type { B } from "./b.ts";`,
      "lib/logs/b.ts": `import { type A } from "./a.ts";`,
    }),
    ["a circle: lib/logs/a.ts → lib/logs/b.ts → lib/logs/a.ts"],
  ));

Deno.test("what points down is allowed, and so is a room's own", () =>
  assertEquals(
    faults({
      "handlers/a.ts":
        `import page from "./a.html" with { type: "text" };\nimport { Limiter } from "../lib/mod.ts";`,
      "lib/app.ts": `import type { Config } from "./config.ts";`,
      "lib/sensors/a.ts": `import { c } from "../channels/c.ts";\nimport { b } from "./b.ts";`,
      "lib/stream/a.ts":
        `import { b } from "./formats/b.ts";\nimport "node:timers";\nimport { c } from "@std/http/c";`,
    }),
    [],
  ));

Deno.test({
  name: "deno.lock leaves out what only some runs import, which each first start would download",
  ignore: !granted.files,
  async fn() {
    const lock = await Deno.readTextFile(new URL("../deno.lock", import.meta.url));
    assertEquals(/playwright|redis/.test(lock), false, "run tests by `deno task test`, or with --no-lock");
  },
});
