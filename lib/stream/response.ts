import { errorResponse, shuttingDown } from "./errors.ts";
import type { StreamEvent } from "./event.ts";
import type { Exchange } from "./exchange.ts";
import type { FormatName } from "./formats/table.ts";
import { text, textFormat } from "./formats/text.ts";
import { negotiate, type Negotiated } from "./negotiate.ts";
import { type HeadOptions, responseHead } from "./response_head.ts";
import { ResponseRun } from "./response_run.ts";
import type { Source } from "./source.ts";

/** How {@linkcode streamResponse} answers. */
export interface StreamOptions<T = unknown> extends HeadOptions {
  /** The route's own format, when the client asks for none. Default: text. */
  format?: FormatName;
  /** The formats that the route has. Default: all. */
  formats?: readonly FormatName[];
  /** The text of an event, without the separator. Default: a string as it is, anything else as JSON. */
  line?: (event: StreamEvent<T>) => string;
  /** What a source may have to wait for before it knows whether there is a stream: until then a failure is a status. */
  known?: Promise<void>;
  /** Whether the client has come back with cursors that the source has from elsewhere: it is counted so. */
  resumes?: boolean;
  /** What follows each event of text. Default: a line end, or with a `type` of the handler's own nothing. */
  separator?: string;
}

/**
 * Answers with a live stream of what the source yields, in the format that the client asks for. A HEAD, or a browser that
 * reconnects after a complete stream (204), starts nothing.
 *
 * It never throws: a wrong request (400, 406), too many streams (503), and what the source throws before its first event
 * become the response of that error. Options that would break a promise of live streams are a 500, reported with the rule.
 *
 * @example
 * ```ts
 * import { exchange, sleep, streamResponse } from "@weir/weir";
 * import { assertEquals } from "@std/assert";
 *
 * const handler = (request: Request) =>
 *   streamResponse(exchange(request), async function* ({ after = "0", signal }) {
 *     for (let n = Number(after) + 1; n <= 3; n++) {
 *       await sleep(10, signal);
 *       yield { id: String(n), data: `step ${n}` };
 *     }
 *   });
 *
 * const response = await handler(new Request("http://localhost/?after=1"));
 * assertEquals(await response.text(), "step 2\nstep 3\n");
 * ```
 */
export async function streamResponse<T = unknown>(
  exchange: Exchange,
  source: Source,
  options: StreamOptions<T> = {},
): Promise<Response> {
  try {
    const { format, contentType } = chosen(exchange, options as StreamOptions);
    const respond = responseHead(contentType, options);
    const after = cursor(exchange);
    if (after === "end") exchange.counts.resumed("complete");
    if (after === "end") return new Response(null, { status: 204, headers: { "Cache-Control": "no-store" } });
    // A null body would be announced as `Content-Length: 0`, which the GET is not.
    if (exchange.method === "HEAD") return respond(new ReadableStream());

    const { bodies, draining } = exchange;
    // A handler that has waited for something may come here after everything else has been told to end.
    if (draining.aborted) throw shuttingDown();
    const permit = bodies.streams.admit("streams", exchange);
    const run = new ResponseRun(exchange, permit, after, format, options);
    const stream = run.start(source);
    await run.ready;
    const failure = stream.failure();
    if (failure !== null && (format.end("error") === null || !draining.aborted)) {
      stream.cancel();
      throw failure.error;
    }
    run.countOpen();
    // Most small streams are complete within their first turn, and then neither a timer nor a stream object is needed.
    const whole = stream.whole();
    if (whole !== null) return respond(whole);
    run.open();
    return respond(stream.body());
  } catch (error) {
    return errorResponse(error, exchange.report);
  }
}

/** The format of a response and its Content-Type, with the handler's wording and separator where they apply. */
function chosen(
  exchange: Exchange,
  { format: own, formats, type, line, separator }: StreamOptions,
): Negotiated {
  if (type !== undefined) {
    if (own === undefined) return { format: textFormat(line, separator ?? "", true), contentType: type };
    throw new TypeError(`Cannot stream with both 'format' and 'type': current values are ${own} and ${type}`);
  }
  const negotiated = negotiate(exchange, own ?? "text", formats);
  if (negotiated.format !== text || line === undefined && separator === undefined) return negotiated;
  return { format: textFormat(line, separator), contentType: negotiated.contentType };
}

/**
 * The cursor that a request comes back with: `Last-Event-ID`, else `?lastEventId=`, which polyfills of EventSource send, else
 * `?after=`. An empty one is none.
 */
export function cursor({ headers, query }: Pick<Exchange, "headers" | "query">): string | undefined {
  return headers.get("last-event-id") || query.get("lastEventId") || query.get("after") || undefined;
}
