import { accepts } from "../lib/stream/negotiate.ts";
import { HttpError, quote } from "../lib/stream/errors.ts";
import { wholeResponse } from "../lib/stream/json.ts";
import { fileResponse } from "../lib/files/file_response.ts";
import { list } from "../lib/files/listing.ts";
import { listingPage } from "../lib/files/listing_page.ts";
import { type Disposition, harmless } from "../lib/files/plan.ts";
import { find, type Found, notFound } from "../lib/files/root.ts";
import { pathSegments } from "../lib/files/safe_path.ts";
import { checkParams, requiredParam } from "../lib/http/params.ts";
import type { Context, Handler } from "../lib/handler.ts";

/** GET /files/*: a file below the root, or the listing of a folder: JSON, or a page for a browser. */
export const files: Handler = async (_request, context) => {
  const { config } = context.app;
  const { pathname, search } = context.url;
  const rest = context.params["*"];
  const asFolder = rest === "" || rest.endsWith("/");
  const segments = rest === "" ? [] : pathSegments(asFolder ? rest.slice(0, -1) : rest, { encoded: true });
  if (segments === null) throw notFound(rest);
  const found = await find(config.files, segments, config.followLinks);
  if (found.info.isFile) {
    if (asFolder) throw notFound(rest);
    return await send(context, found, segments, "inline");
  }
  if (!pathname.endsWith("/")) {
    const headers = { Location: `${pathname}/${search}`, "Cache-Control": "no-cache" };
    return new Response(null, { status: 301, headers });
  }
  return await listing(context, segments, found);
};

/** GET /async_download?file=NAME: the file as an attachment. */
export const asyncDownload: Handler = (_request, context) => named(context, "attachment");

/** GET /stream/file?file=NAME: the file, to be shown. */
export const streamFile: Handler = (_request, context) => named(context, "inline");

async function named(context: Context, how: Disposition): Promise<Response> {
  checkParams(context.query, ["file"]);
  const name = requiredParam(context.query, "file", "report.csv");
  const segments = pathSegments(name, { encoded: false });
  if (segments === null) throw notFound(name);
  const { files, followLinks } = context.app.config;
  return await send(context, await find(files, segments, followLinks), segments, how);
}

function send(context: Context, found: Found, segments: string[], how: Disposition): Promise<Response> {
  const { config: { files: root, followLinks }, limits: { downloads }, fileOpens: opens } = context.app;
  return fileResponse(context, { root, followLinks, downloads, opens, found, segments, how });
}

const listingHeaders = {
  ...harmless,
  // A page in a sandbox may have links, its own style, and downloads that they start.
  "Content-Security-Policy": "sandbox allow-downloads; default-src 'none'; style-src 'unsafe-inline'",
  "Cache-Control": "no-cache",
  Vary: "Accept",
};

async function listing(context: Context, segments: string[], found: Found): Promise<Response> {
  checkParams(context.query, ["after"]);
  const type = accepts(context.headers, "application/json", "text/html");
  if (type === undefined) {
    const accept = quote(context.headers.get("accept")!);
    throw new HttpError(406, `Accept must allow application/json or text/html: current value is ${accept}`);
  }
  const isPage = type === "text/html";
  const headers = { ...listingHeaders, "Content-Type": isPage ? "text/html; charset=utf-8" : type };
  // A null body would be announced as `Content-Length: 0`, which the GET is not.
  if (context.method === "HEAD") return new Response(new ReadableStream(), { headers });
  const { config, limits: { downloads } } = context.app;
  using _permit = downloads.admit("downloads", context);
  const path = segments.map((segment) => `${segment}/`).join("");
  const options = { after: context.query.get("after") ?? "", followLinks: config.followLinks };
  const names = await list(config.files, segments, found, config.limits.listing, options);
  const body = isPage ? listingPage(path, names) : JSON.stringify({ path, ...names }) + "\n";
  return wholeResponse(body, 200, headers);
}
