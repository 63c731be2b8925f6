import { accepts } from "../lib/stream/negotiate.ts";
import { json, wholeResponse } from "../lib/stream/json.ts";
import { described, type Route } from "../lib/handler.ts";
import { either, jsonAnswer, list } from "../lib/http/answers.ts";
import { factsOf, paramsOf } from "../lib/http/description.ts";
import { pageHeaders } from "../lib/http/page.ts";
import page from "./dashboard/index.html" with { type: "text" };

/** A route in the list: a line to paste into a shell, and a link relative to the page of the dashboard. */
interface Row extends Pick<Route, "method" | "path" | "description"> {
  curl: string;
  link: string;
}

/** What makes curl a WebSocket client; the key is any 16 bytes (RFC 6455, 4.1). */
const upgrade = "-H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' " +
  "-H 'Sec-WebSocket-Key: d2VpciBpcyBhIHdlaXI9PQ=='";

/** One word for a shell: file names and Host can bring apostrophes into a URL. */
const word = (url: string) => `'${url.replaceAll("'", "%27")}'`;

/** What an example needs, where there is none to show it with: a comment to a shell, and a page to look at. */
const missing: Record<string, Pick<Row, "curl" | "link">> = {
  file: { curl: "# needs a file in the folder of --files", link: "/files/" },
  run: { curl: "# needs a run, as /stream?run=demo starts one", link: "/runs" },
  push: { curl: "# needs a sensor of type push, declared in --sensors FILE", link: "/sensors" },
};

/** The path, with what a query must have, where the row shows no example. */
function plainExample(route: Route): string {
  const given = paramsOf(route).filter((param) => param.in === "query" && param.required)
    .map(({ name, schema: { examples = [""] } }) => [name, examples[0]]);
  return given.length === 0 ? route.path : `${route.path}?${new URLSearchParams(given)}`;
}

/** Shows the example with a real file or sensor. A browser can follow a link by GET alone: for others it gets the page above. */
function describe(
  route: Route,
  routes: readonly Route[],
  origin: string,
  real: Record<string, string | undefined>,
): Row {
  const { method, path, description, example = plainExample(route), handler: { about } } = route;
  const name = /\{(file|push|run)\}/.exec(example)?.[1];
  const value = name === undefined ? "" : real[name];
  if (value === undefined) return { method, path, description, ...missing[name!] };
  const target = example.replace(`{${name}}`, encodeURIComponent(value));
  const row = { method, path, description, link: target };
  const isTab = target.startsWith("#");
  if (isTab || about?.answers?.[101]) {
    return { ...row, curl: `curl -iN ${upgrade} ${word(origin + (isTab ? path : target))}` };
  }
  if (method === "GET") return { ...row, curl: `curl -N ${word(origin + target)}` };
  const isReadable = routes.some((route) => route.method === "GET" && route.path === path);
  const link = isReadable ? target : target.replace(/\/[^/]+$/, "");
  const how = (method === "POST" ? "" : `-X ${method} `) + (method === "DELETE" ? "" : `-d '{"value":1}' `);
  return { ...row, curl: `curl ${how}${word(origin + target)}`, link };
}

async function firstFile(folder: string): Promise<string | undefined> {
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (isFile && !name.startsWith(".")) return name;
    }
  } catch { /* a root that cannot be read has no file to show */ }
}

const page200 = { description: "a page", content: { "text/html": {} } };
const answers = { 200: either(page200, jsonAnswer("or JSON", list({ type: "object" }))) };

/** GET /: the dashboard; for a client that prefers JSON every route, with a curl line, what it takes and answers. */
export const dashboard = described(
  { answers },
  async (_request, { app, headers: requested, routes, url }) => {
    if (accepts(requested, "text/html", "application/json") !== "application/json") {
      return wholeResponse(page, 200, { ...pageHeaders, Vary: "Accept" });
    }
    const real = {
      file: await firstFile(app.config.files),
      push: app.sensors.somePush(),
      run: await app.runs.list().then(([first]) => first?.name, () => undefined),
    };
    const curl = app.guard === null ? "curl" : 'curl -H "Authorization: Bearer $WEIR_TOKEN"';
    const rows = routes.filter(({ hidden }) => !hidden).map((route) => {
      const row = describe(route, routes, url.origin, real);
      return { ...row, curl: row.curl.replace(/^curl/, () => curl), ...factsOf(route) };
    });
    return json(rows, { headers: { "Cache-Control": "no-store", Vary: "Accept" } });
  },
);
