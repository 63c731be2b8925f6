import { ifNoneMatch } from "@std/http/etag";
import { acceptsEncodings } from "@std/http/negotiation";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { described, type Handler } from "../lib/handler.ts";
import { segment } from "../lib/http/params.ts";
import { HttpError, quote } from "../lib/stream/errors.ts";
import { whole, wholeResponse } from "../lib/stream/json.ts";
import uplot from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import ansi from "./dashboard/ansi.js" with { type: "text" };
import api from "./dashboard/api.js" with { type: "text" };
import channels from "./dashboard/channels.js" with { type: "text" };
import chart from "./dashboard/chart.js" with { type: "text" };
import dom from "./dashboard/dom.js" with { type: "text" };
import feed from "./dashboard/feed.js" with { type: "text" };
import fields from "./dashboard/fields.js" with { type: "text" };
import files from "./dashboard/files.js" with { type: "text" };
import keys from "./dashboard/keys.js" with { type: "text" };
import logLine from "./dashboard/log_line.js" with { type: "text" };
import logPane from "./dashboard/log_pane.js" with { type: "text" };
import logs from "./dashboard/logs.js" with { type: "text" };
import main from "./dashboard/main.js" with { type: "text" };
import newest from "./dashboard/newest.js" with { type: "text" };
import overview from "./dashboard/overview.js" with { type: "text" };
import plot from "./dashboard/plot.js" with { type: "text" };
import progress from "./dashboard/progress.js" with { type: "text" };
import readings from "./dashboard/readings.js" with { type: "text" };
import routes from "./dashboard/routes.js" with { type: "text" };
import runCard from "./dashboard/run_card.js" with { type: "text" };
import runs from "./dashboard/runs.js" with { type: "text" };
import server from "./dashboard/server.js" with { type: "text" };
import sockets from "./dashboard/sockets.js" with { type: "text" };
import strip from "./dashboard/strip.js" with { type: "text" };
import style from "./dashboard/style.css" with { type: "text" };
import tail from "./dashboard/tail.js" with { type: "text" };
import theme from "./dashboard/theme.js" with { type: "text" };
import tile from "./dashboard/tile.js" with { type: "text" };
import tryIt from "./dashboard/try_it.js" with { type: "text" };
import units from "./dashboard/units.js" with { type: "text" };
import words from "./dashboard/words.js" with { type: "text" };
import zh from "./dashboard/zh.json" with { type: "text" };
import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };

const scripts = {
  ansi,
  api,
  channels,
  chart,
  dom,
  feed,
  fields,
  files,
  keys,
  log_line: logLine,
  log_pane: logPane,
  logs,
  main,
  newest,
  overview,
  plot,
  progress,
  readings,
  routes,
  run_card: runCard,
  runs,
  server,
  sockets,
  strip,
  tail,
  theme,
  tile,
  try_it: tryIt,
  units,
  words,
};

const wave =
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="none" stroke="#07a" stroke-width="2">
<path d="M1 5q3.5-4 7 0t7 0M1 10q3.5-4 7 0t7 0"/></svg>
`;

const javascript = "text/javascript; charset=utf-8";
const css = "text/css; charset=utf-8";

/** The text and the media type of each file, by its name. */
const texts = new Map<string, [text: string, type: string]>([
  ["style.css", [style, css]],
  ["uplot.css", [uplotStyle, css]],
  // As a module, so that what imports it waits for it.
  ["uplot.js", [`${uplot}\nexport default uPlot;\n`, javascript]],
  ["zh.json", [zh, "application/json"]],
  ...Object.entries(scripts).map(([name, text]) =>
    [`${name}.js`, [text, javascript]] as [string, [string, string]]
  ),
]);

interface Asset {
  gzipped: Uint8Array<ArrayBuffer>;
  headers: Record<string, string>;
}

/** Those that were asked for: each is packed once. */
const assets = new Map<string, Asset>();

function assetOf(name: string, [text, type]: [string, string]): Asset {
  let asset = assets.get(name);
  if (asset === undefined) {
    const etag = `W/"${createHash("sha256").update(text).digest("base64url").slice(0, 16)}"`;
    const headers = {
      "Content-Type": type,
      "Cache-Control": "no-cache",
      ETag: etag,
      Vary: "Accept-Encoding",
    };
    assets.set(name, asset = { gzipped: new Uint8Array(gzipSync(text)), headers });
  }
  return asset;
}

/** GET /dashboard/FILE: the style, scripts and words of the pages, as they are or packed. */
export const asset = described(
  { params: { file: segment("a file of the page") }, answers: { 200: "the file", 304: "it is as it was" } },
  (_request, { headers: requested, params: { file } }) => {
    const known = texts.get(file);
    if (known === undefined) throw new HttpError(404, `the page has no file ${quote(file)}`);
    const { gzipped, headers } = assetOf(file, known);
    if (!ifNoneMatch(requested.get("if-none-match"), headers.ETag)) {
      return new Response(null, { status: 304, headers });
    }
    if (!requested.get("accept-encoding") || !acceptsEncodings({ headers: requested }, "gzip")) {
      return wholeResponse(known[0], 200, headers);
    }
    const packed = new Response(gzipped, { headers: { ...headers, "Content-Encoding": "gzip" } });
    return whole(packed, gzipped.length);
  },
);

/** GET /favicon.ico, which browsers ask for by themselves. */
export const favicon: Handler = () =>
  wholeResponse(wave, 200, { "Content-Type": "image/svg+xml", "Cache-Control": "max-age=86400" });
