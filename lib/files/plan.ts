import { extname } from "node:path";
import { contentType } from "@std/media-types";
import { HttpError, quote } from "../stream/errors.ts";
import { maxRanges, parseRange } from "./byte_range.ts";
import { contentRange, multipart, type Piece, pieceLength } from "./multipart.ts";
import { checkPreconditions, type FileState, rangeApplies, validatorsOf } from "./validators.ts";

/** Response to a request for a file: the pieces of its body are in order. */
export interface Plan {
  status: 200 | 206 | 304;
  headers: Record<string, string>;
  pieces: Piece[];
}

/** Value of Content-Disposition: to be saved, or shown. */
export type Disposition = "attachment" | "inline";

/** Headers that keep a file from acting as a page of this server, and from being framed by another's. */
export const harmless = {
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "sandbox; frame-ancestors 'self'",
};

/** Decides the response to a GET or HEAD of a file (RFC 9110, 13 and 14); throws 412 and 416. */
export function planFor(
  { method, headers: requested }: Pick<Request, "method" | "headers">,
  info: FileState,
  name: string,
  how: Disposition,
): Plan {
  const validators = validatorsOf(info);
  const headers: Record<string, string> = {
    "Accept-Ranges": "bytes",
    // Compression on the way would change the length, and what a range counts.
    "Cache-Control": "no-cache, no-transform",
    ...harmless,
    "ETag": validators.etag,
    "Last-Modified": new Date(validators.lastModified).toUTCString(),
  };
  if (info.varies) headers["Vary"] = "Accept-Encoding";
  const verdict = checkPreconditions(requested, validators);
  if (verdict === 304) return { status: 304, headers, pieces: [] };
  if (verdict === 412) throw new HttpError(412, "the file is not the version that the request asks for");

  headers["Content-Type"] = contentType(extname(name)) ?? "application/octet-stream";
  if (info.coding) headers["Content-Encoding"] = info.coding;
  headers["Content-Disposition"] = contentDisposition(how, name);
  const field = requested.get("range");
  // Range is defined for GET alone (RFC 9110, 14.2): HEAD describes the whole file.
  const applies = field !== null && method === "GET" && rangeApplies(requested, validators);
  const { status, pieces } = piecesFor(applies ? field : null, info.size, headers);
  headers["Content-Length"] = String(pieces.reduce((sum, piece) => sum + pieceLength(piece), 0));
  return { status, headers, pieces };
}

/** What to send of the file; sets the headers that depend on it. */
function piecesFor(range: string | null, size: number, headers: Plan["headers"]): Omit<Plan, "headers"> {
  const ranges = range === null ? null : parseRange(range, size);
  if (ranges === null) return { status: 200, pieces: [{ first: 0, last: size - 1 }] };
  if (ranges.length === 0) {
    const rule = `Range must have at most ${maxRanges} ranges, and one within the file's ${size} bytes`;
    const headers = { "Content-Range": `bytes */${size}`, "Accept-Ranges": "bytes" };
    throw new HttpError(416, `${rule}: current value is ${quote(range!)}`, { headers });
  }
  if (ranges.length === 1) {
    headers["Content-Range"] = contentRange(ranges[0], size);
    return { status: 206, pieces: ranges };
  }
  const { type, pieces } = multipart(ranges, size, headers["Content-Type"]);
  headers["Content-Type"] = type;
  return { status: 206, pieces };
}

/**
 * Content-Disposition with a file's name (RFC 6266). A plain name stands as it is; any other is given twice: in ASCII for old
 * readers, and in full as RFC 8187 encodes it, which wins.
 */
export function contentDisposition(how: Disposition, name: string): string {
  if (/^[\w.-]+$/.test(name)) return `${how}; filename="${name}"`;
  // Some readers take a percent sign for an escape (RFC 6266, appendix D).
  const ascii = name.replace(/[^ !#-$&-[\]-~]/gu, "_");
  const encode = (char: string) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
  const full = encodeURIComponent(name.toWellFormed()).replace(/['()*]/g, encode);
  return `${how}; filename="${ascii}"; filename*=UTF-8''${full}`;
}
