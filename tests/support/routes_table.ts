/**
 * README's table of routes and parameters, made of Weir's rows of handlers/routes.ts. Run as a program it writes the table into
 * README.md, between the two comments; `deno fmt` aligns it.
 */
import { weirRoutes as routes } from "../../handlers/routes.ts";
import { type ParamInfo, paramsOf, type Schema } from "../../lib/http/description.ts";
import { streamParams } from "../../lib/http/params.ts";
import { formats } from "../../lib/stream/formats/table.ts";
import type { Route } from "../../lib/handler.ts";

const begin =
  "<!-- routes: `deno run -RW tests/support/routes_table.ts && deno fmt README.md` writes this table -->";
const end = "<!-- end of routes -->";

/** What a README has between the comments. */
export function writtenTable(readme: string): string {
  return readme.split(begin)[1].split(end)[0].trim();
}

/** The table as it should be, but for the spaces that align it. */
export function routesTable(): string {
  const rows = [["Route or parameter", "Answers, or takes (default)", "What it does"], ["-", "-", "-"]];
  /** The row that first has a parameter, by all that is said of it. */
  const first = new Map<string, string>();
  const every = { method: "GET", path: "/", description: "", handler: { about: { params: streamParams } } };
  const keyOf = (info: ParamInfo, path: string) => JSON.stringify(info) + (info.in === "path" ? path : "");
  for (const info of paramsOf(every)) first.set(keyOf(info, ""), "");
  for (const { hidden, path: pattern, ...route } of routes) {
    if (hidden) continue;
    const path = pattern.replace(/:(\w+)/g, (_, name) => name.toUpperCase()).replace("*", "PATH");
    const title = `\`${route.method} ${path}\``;
    rows.push([`**${title}**`, answersOf(route), route.description]);
    const again: Record<string, string[]> = {};
    for (const info of paramsOf({ path: pattern, ...route })) {
      const earlier = first.get(keyOf(info, path));
      if (earlier === undefined) rows.push([nameOf(info), takes(info), info.description]);
      else if (info.in === "query" && earlier !== "") (again[earlier] ??= []).push(nameOf(info));
      first.set(keyOf(info, path), earlier ?? title);
    }
    for (const [earlier, names] of Object.entries(again)) {
      rows.push([names.join(" "), "", `as in ${earlier}`]);
    }
    const { body } = route.handler.about!;
    if (body) rows.push(["the body", Object.keys(body.content).join(", "), body.description]);
  }
  rows.push(
    ["**each stream**", "", ""],
    ...paramsOf(every).map((one) => [nameOf(one), takes(one), one.description]),
  );
  return rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`).join(
    "\n",
  );
}

const nameOf = ({ name, in: where }: ParamInfo) =>
  where === "path" ? `\`${name.toUpperCase()}\`` : `\`?${name}=\``;

/** What the values of a parameter may be. */
function takes({ in: where, required, repeatable, atMost, schema }: ParamInfo): string {
  if (where === "path") return "in the path";
  const whole = (value: unknown) => Number(value).toLocaleString("en");
  const { type, minimum, maximum, maxLength, enum: words, default: usual } = schema;
  const values = () => {
    if (type === "integer") return `${whole(minimum)} to ${whole(maximum)} (${whole(usual)})`;
    if (type === "boolean") return `true or false (${usual})`;
    return words?.join(", ") ?? (maxLength ? `up to ${whole(maxLength)} characters` : "text");
  };
  const times = repeatable ? `, ${atMost ? `up to ${whole(atMost)} times` : "repeatable"}` : "";
  return values() + times + (required ? ", required" : "");
}

const names = { text: "text", ndjson: "NDJSON", sse: "SSE" };

/** What a route answers when all goes well; of the formats of a stream the first is its own. */
function answersOf({ handler: { about } }: Pick<Route, "handler">): string {
  const answer = Object.values(about!.answers!).find((answer) => typeof answer !== "string");
  const words = Object.entries(answer?.content ?? {}).map(([type, schema]) => {
    if (type === "application/json") return `JSON \`${shapeOf(schema)}\``.replace(/ ``$/, "");
    if (type === "text/html") return "a page";
    if (type.startsWith("text/plain;")) return "text";
    const format = formats.find(({ mediaTypes }) => mediaTypes.some((one) => one.startsWith(type)));
    return format ? `a stream (${names[format.name]})` : "bytes";
  });
  const stream = words.find((word) => word.startsWith("a stream"));
  const all = words.filter((word) => !word.startsWith("a stream") || word === stream);
  return [...new Set(all)].join(", ") || "a WebSocket";
}

/** The names in a JSON value. */
function shapeOf({ type, items, properties }: Schema): string {
  if (type === "array") return `[${shapeOf(items as Schema ?? {}) || "…"}]`;
  const fields = Object.entries(properties as Record<string, Schema> ?? {}).map(([name, of]) => {
    const shape = shapeOf(of);
    return `"${name}"` + (shape && `: ${shape}`);
  });
  return fields.length > 0 ? `{${fields.join(", ")}}` : "";
}

if (import.meta.main) {
  const url = new URL("../../README.md", import.meta.url);
  const readme = await Deno.readTextFile(url);
  const [before, after] = [readme.split(begin)[0], readme.split(end)[1]];
  await Deno.writeTextFile(url, `${before}${begin}\n\n${routesTable()}\n\n${end}${after}`);
}
