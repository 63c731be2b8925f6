import { join } from "node:path";
import type { Limits } from "../limits.ts";
import type { Opens } from "../opens.ts";
import { HttpError, quote } from "../stream/errors.ts";
import type { Exchange } from "../stream/exchange.ts";
import type { Limiter } from "../stream/limiter.ts";
import { fileBody } from "./file_body.ts";
import { list } from "./listing.ts";
import { contentDisposition, harmless } from "./plan.ts";
import { find, type Found } from "./root.ts";
import { type ClientZip, type Listed, ZipReader } from "./zip_reader.ts";

/** Fetched when the first zip is asked for, not at the start: what is no literal is not looked for. */
const library: string = "npm:client-zip@2.5.1";

/** What to pack, and with what. */
export interface ZipOptions {
  /** Downloads under way at once; over it a request is 503. */
  downloads: Limiter;
  /** Opens the files. */
  opens: Opens;
  /** Bounds of what is packed. */
  limits: Pick<Limits, "zipEntries" | "zipBytes">;
  /** The folder. */
  found: Found;
}

/**
 * Answers GET or HEAD for a folder below the root as a zip, which is made as it is read, uncompressed: what a listing would
 * show, and the same of the folders in it.
 *
 * @throws HttpError 400 when there is more than the limits allow, 404, 503 when too many downloads are under way
 */
export async function zipResponse(
  exchange: Exchange,
  { downloads, opens, limits, found }: ZipOptions,
): Promise<Response> {
  const name = `${found.segments.at(-1) ?? "files"}.zip`;
  const headers = {
    ...harmless,
    "Cache-Control": "no-store, no-transform",
    "Content-Type": "application/zip",
    "Content-Disposition": contentDisposition("attachment", name),
  };
  // A null body would be announced as `Content-Length: 0`.
  if (exchange.method === "HEAD") return new Response(new ReadableStream(), { headers });
  using held = new DisposableStack();
  const permit = held.use(downloads.admit("downloads", exchange));
  const entries = await entriesOf(found, opens, limits);
  const { makeZip }: ClientZip = await import(library);
  const reader = new ZipReader(makeZip, entries, {
    root: found,
    opens,
    signal: () => exchange.signal,
    ...limits,
  });
  held.move();
  return new Response(fileBody(exchange, reader, permit, name), { headers });
}

/** All that is below a folder, each folder before what is in it. */
async function entriesOf(
  top: Found,
  opens: Opens,
  { zipEntries, zipBytes }: ZipOptions["limits"],
): Promise<Listed[]> {
  const entries: Listed[] = [];
  let bytes = 0;
  const add = async (folder: Found, path: string[], packed: string, above: string[]) => {
    const listing = await list(folder, zipEntries - entries.length);
    const taken = new Set(listing.entries.map(({ name }) => name));
    for (const { name, type, size, time } of listing.entries) {
      if (type === "file" && opens.isSecret(join(folder.path, name))) continue;
      const listed = { path: [...path, name], name: packed + portable(name, taken), type, time };
      entries.push(listed);
      bytes += size ?? 0;
      if (listing.truncated || entries.length > zipEntries || bytes > zipBytes) {
        const rule = `a folder must have at most ${zipEntries} names and ${zipBytes} bytes to be packed`;
        throw new HttpError(400, `${rule}: current value is ${quote(top.segments.join("/") + "/")}`);
      }
      if (type === "file") continue;
      const inner = await find(top.root, [...folder.segments, name], top.followLinks);
      // Of a link to a folder that it is in, only the name is packed.
      if (!above.includes(inner.path)) {
        await add(inner, listed.path, `${listed.name}/`, [...above, inner.path]);
      }
    }
  };
  await add(top, [], "", [top.path]);
  return entries;
}

/** A name without backslashes, which would separate to who unpacks it on Windows: one that no other in its folder has. */
function portable(name: string, taken: Set<string>): string {
  if (!name.includes("\\")) return name;
  let line = "_";
  while (taken.has(name.replaceAll("\\", line))) line += "_";
  const portable = name.replaceAll("\\", line).toWellFormed();
  taken.add(portable);
  return portable;
}
