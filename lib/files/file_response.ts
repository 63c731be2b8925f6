import type { Opens } from "../opens.ts";
import type { Exchange } from "../stream/exchange.ts";
import { whole } from "../stream/json.ts";
import type { Limiter } from "../stream/limiter.ts";
import { codedAs } from "./coded.ts";
import { fileBody } from "./file_body.ts";
import { PieceReader } from "./piece_reader.ts";
import { type Disposition, planFor } from "./plan.ts";
import { type Found, notFound, open, withFound } from "./root.ts";
import { checkPreconditions, validatorsOf } from "./validators.ts";

/** Bodies up to this many bytes are read at once: no stream, and no file that stays open. */
const smallBytes = 64 * 1024;

/** What to send, and how. */
export interface FileOptions {
  /** Downloads under way at once; over it a request is 503. */
  downloads: Limiter;
  /** Opens the file. */
  opens: Opens;
  /** The file. */
  found: Found;
  /** Content-Disposition. */
  how: Disposition;
}

/**
 * Answers GET or HEAD for a file below the root, with ranges and preconditions (RFC 9110, 13 and 14), as `NAME.br` or `NAME.gz`
 * beside it where the client prefers that.
 *
 * @throws HttpError 404, 412, 416, 503 when too many downloads are under way or nothing can be opened
 */
export function fileResponse(
  exchange: Exchange,
  { downloads, opens, found, how }: FileOptions,
): Promise<Response> {
  const isGet = exchange.method === "GET";
  const name = found.segments.join("/");
  return withFound(found, async (plain) => {
    if (!plain.info.isFile) throw notFound(name);
    const { found, ...coded } = await codedAs(exchange.headers, plain, opens);
    const state = (info: Deno.FileInfo) => ({ ...info, ...coded });
    const plan = (info: Deno.FileInfo) => planFor(exchange, state(info), plain.segments.at(-1)!, how);
    // A 304 or 412 sends no bytes and opens no file.
    if (checkPreconditions(exchange.headers, validatorsOf(state(found.info))) !== 200) {
      const early = plan(found.info);
      if (early.status === 304) return new Response(null, early);
    }
    // However this ends, permit and file are given back; only a stream takes them along.
    using held = new DisposableStack();
    const permit = held.use(isGet ? downloads.admit("downloads", exchange) : null);
    const opened = await open(found, opens, () => exchange.signal);
    // Null when the file has been replaced, or has become shorter, since it was found.
    if (opened === null) return null;
    const file = held.use(opened.file);
    const planned = plan(opened.info);
    if (permit === null || planned.status === 304) return new Response(null, planned);
    const reader = new PieceReader(file, planned.pieces, opened.info);
    if (reader.left <= smallBytes) {
      const body = await reader.readAll();
      return body && whole(new Response(body, planned), body.length);
    }
    held.move();
    return new Response(fileBody(exchange, reader, permit, name), planned);
  });
}
