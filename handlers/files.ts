import { folderOrFile as answers } from "../lib/files/answers.ts";
import { accepts } from "../lib/stream/negotiate.ts";
import { HttpError, quote } from "../lib/stream/errors.ts";
import { wholeResponse } from "../lib/stream/json.ts";
import { fileResponse } from "../lib/files/file_response.ts";
import { list } from "../lib/files/listing.ts";
import { listingPage } from "../lib/files/listing_page.ts";
import { harmless } from "../lib/files/plan.ts";
import { find, type Found, notFound } from "../lib/files/root.ts";
import { pathSegments } from "../lib/files/safe_path.ts";
import { zipResponse } from "../lib/files/zip.ts";
import { flag, segment, text } from "../lib/http/params.ts";
import { type Context, described } from "../lib/handler.ts";

const params = {
  "*": segment("a path below the folder of --files; it may have slashes, and a folder's ends in one"),
  after: text("of a folder: the name that the listing goes on after"),
  zip: flag("of a folder: all that is in it as a zip, in place of the listing"),
};

/** GET /files/*: a file below the root, or the listing of a folder: JSON, or a page for a browser. */
export const files = described({ params, answers }, async (_request, context) => {
  const { config: { files: root, followLinks }, limits: { downloads }, fileOpens: opens } = context.app;
  const { "*": rest, after = "", zip } = context.params;
  const { pathname, search } = context.url;
  const asFolder = rest === "" || rest.endsWith("/");
  const segments = rest === "" ? [] : pathSegments(asFolder ? rest.slice(0, -1) : rest, { encoded: true });
  if (segments === null) throw notFound(rest);
  const found = await find(root, segments, followLinks);
  if (found.info.isFile) {
    if (asFolder) throw notFound(rest);
    return await fileResponse(context, { downloads, opens, found, how: "inline" });
  }
  if (!pathname.endsWith("/")) {
    const headers = { Location: `${pathname}/${search}`, "Cache-Control": "no-cache" };
    return new Response(null, { status: 301, headers });
  }
  if (zip) return await zipResponse(context, { downloads, opens, found, limits: context.app.config.limits });
  return await listing(context, found, after);
});

const listingHeaders = {
  ...harmless,
  // A page in a sandbox may have links, its own style, and downloads that they start. It has no script, and keeps its
  // origin: to what others lead to, a browser sends no cookie.
  "Content-Security-Policy":
    "sandbox allow-downloads allow-same-origin; default-src 'none'; style-src 'unsafe-inline'; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "Cache-Control": "no-cache",
  Vary: "Accept",
};

async function listing(context: Context<unknown>, found: Found, after: string): Promise<Response> {
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
  const path = found.segments.map((segment) => `${segment}/`).join("");
  const names = await list(found, config.limits.listing, after);
  const body = isPage ? listingPage(path, names) : JSON.stringify({ path, ...names }) + "\n";
  return wholeResponse(body, 200, headers);
}
