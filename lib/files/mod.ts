/**
 * Files below a folder over HTTP: ranges and preconditions (RFC 9110), listings, nothing outside of the folder.
 *
 * @example
 * ```ts
 * import { errorResponse, exchange, Limiter } from "@weir/weir";
 * import { fileResponse, find, notFound, Opens, pathSegments } from "@weir/weir/files";
 *
 * const downloads = new Limiter(500), opens = new Opens();
 *
 * await using server = Deno.serve({ port: 0 }, async (request, info) => {
 *   try {
 *     const { pathname } = new URL(request.url);
 *     const segments = pathSegments(pathname.slice(1), { encoded: true });
 *     if (segments === null) throw notFound(pathname);
 *     const found = await find("files", segments);
 *     return await fileResponse(exchange(request, info), { downloads, opens, found, how: "inline" });
 *   } catch (error) {
 *     return errorResponse(error);
 *   }
 * });
 * ```
 *
 * @module
 */
export { Opens, OpensBusy } from "../opens.ts";
export { type FileOptions, fileResponse } from "./file_response.ts";
export { type Entry, list, type Listing } from "./listing.ts";
export { listingPage } from "./listing_page.ts";
export { type Disposition, harmless } from "./plan.ts";
export { find, type Found, notFound } from "./root.ts";
export { pathSegments } from "./safe_path.ts";
export { type ZipOptions, zipResponse } from "./zip.ts";
