import { extname } from "node:path";
import { contentType } from "@std/media-types";
import { HttpError, overloaded } from "../stream/errors.ts";
import type { Exchange } from "../stream/exchange.ts";
import type { Limiter } from "../stream/limiter.ts";
import { maxRanges, parseRange } from "./byte_range.ts";
import { contentDisposition } from "./disposition.ts";
import { fileBody, readWhole, wholeBytes } from "./file_body.ts";
import { contentRange, multipart, type Piece, pieceLength } from "./multipart.ts";
import type { OpenInfo } from "../open_file.ts";
import { attempts, find, type Found, notFound, open } from "./root.ts";
import { checkPreconditions, rangeApplies, type Validators, validatorsOf } from "./validators.ts";

/** Large views are for a server with few downloads: with these at most, so that memory is bounded. */
const fewDownloads = 16;

/** What a request for a file will get: decided by one look at the file's state, once and for all. */
interface Plan {
  status: 200 | 206 | 304;
  headers: Record<string, string>;
  pieces: Piece[];
  length: number;
}

/** What to send, and how. */
export interface FileOptions {
  /** The folder that nothing outside of is sent. */
  root: string;
  /** Downloads under way at once; over it a request is 503. */
  downloads: Limiter;
  /** The file. */
  found: Found;
  /** Its path below the root. */
  segments: string[];
  /** Content-Disposition. */
  how: "attachment" | "inline";
}

/** Headers that keep what is served from acting as a page of this server. */
export const harmless = { "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox" };

/**
 * Answers GET or HEAD for a file below the root, with ranges and preconditions (RFC 9110, 13 and 14).
 *
 * @throws HttpError 404, 412, 416, 503 when too many downloads are under way
 */
export async function fileResponse(
  exchange: Exchange,
  { root, downloads, found, segments, how }: FileOptions,
): Promise<Response> {
  const name = segments.at(-1)!;
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (!found.info.isFile) throw notFound();
    const decide = (info: OpenInfo) => planFor(exchange.headers, exchange.method, info, name, how);
    // What needs no bytes needs no file: a 304 or 412.
    if (checkPreconditions(exchange.headers, validatorsOf(found.info)) !== 200) {
      const { status, headers } = decide(found.info);
      if (status === 304) return new Response(null, { status, headers });
    }
    const response = await openAndAnswer(exchange, downloads, found, decide);
    if (response !== null) return response;
    found = await find(root, segments);
  }
  throw notFound();
}

/** Null when the file has been replaced, or has become shorter, since it was found. */
async function openAndAnswer(
  exchange: Exchange,
  downloads: Limiter,
  found: Found,
  decide: (info: OpenInfo) => Plan,
): Promise<Response | null> {
  // Whatever way this ends, the place and the file are given back; only a stream takes them along.
  using held = new DisposableStack();
  if (exchange.method === "GET") {
    const permit = downloads.tryAcquire();
    if (permit === null) throw overloaded("downloads", downloads.max);
    held.use(permit);
  }
  const opened = await open(found);
  if (opened === null) return null;
  const { file, info } = opened;
  held.use(file);
  const { status, headers, pieces, length } = decide(info);
  if (status === 304) return new Response(null, { status, headers });
  if (exchange.method === "HEAD") {
    return new Response(null, { status, headers });
  }
  if (length <= wholeBytes) {
    const body = await readWhole(file, pieces, length);
    return body && new Response(body, { status, headers });
  }
  const kept = held.move();
  exchange.opened();
  const body = fileBody(file, pieces, {
    mayHurry: () => downloads.used <= fewDownloads,
    releasesChunks: exchange.overTcp,
    sent: (bytes) => exchange.sent(bytes),
    ended(how) {
      kept.dispose();
      exchange.finished(how);
    },
  });
  return new Response(body, { status, headers });
}

function planFor(
  requested: Headers,
  method: string,
  info: OpenInfo,
  name: string,
  how: "attachment" | "inline",
): Plan {
  const { size } = info;
  const validators = validatorsOf(info);
  // `no-transform`: who compresses on the way would change the length, and what a range counts.
  const headers: Record<string, string> = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "no-cache, no-transform",
    ...harmless,
  };
  if (validators.etag !== null) headers["ETag"] = validators.etag;
  if (validators.lastModified !== null) headers["Last-Modified"] = validators.lastModified;

  const verdict = checkPreconditions(requested, validators);
  if (verdict === 304) return { status: 304, headers, pieces: [], length: 0 };
  if (verdict === 412) throw new HttpError(412, "the file is not the version that the request asks for");

  const type = contentType(extname(name)) ?? "application/octet-stream";
  headers["Content-Type"] = type;
  headers["Content-Disposition"] = contentDisposition(how, name);
  const { status, pieces } = piecesFor(requested, method, validators, size, headers);
  const length = pieces.reduce((sum, piece) => sum + pieceLength(piece), 0);
  headers["Content-Length"] = String(length);
  return { status, headers, pieces, length };
}

/** What of the file to send; the headers that depend on it are set. */
function piecesFor(
  requested: Headers,
  method: string,
  validators: Validators,
  size: number,
  headers: Plan["headers"],
) {
  const field = requested.get("range");
  // Range is defined for GET alone (RFC 9110, 14.2), so a HEAD tells of the whole file.
  const asked = field !== null && method === "GET" && rangeApplies(requested, validators);
  const ranges = asked ? parseRange(field, size) : null;
  if (ranges === null) {
    return { status: 200, pieces: size === 0 ? [] : [{ first: 0, last: size - 1 }] } as const;
  }
  if (ranges.length === 0) {
    throw new HttpError(
      416,
      `Range must have at most ${maxRanges} ranges, and one within the file's ${size} bytes`,
      {
        headers: { "Content-Range": `bytes */${size}`, "Accept-Ranges": "bytes" },
      },
    );
  }
  if (ranges.length === 1) {
    headers["Content-Range"] = contentRange(ranges[0], size);
    return { status: 206, pieces: ranges } as const;
  }
  const { type, pieces } = multipart(ranges, size, headers["Content-Type"]);
  headers["Content-Type"] = type;
  return { status: 206, pieces } as const;
}
