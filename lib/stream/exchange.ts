import { printReport, type Report } from "./errors.ts";
import { Limiter } from "./limiter.ts";
import { OpenBodies } from "./open_bodies.ts";
import { type StreamCounts, uncounted } from "./stream_counts.ts";

/** One request, as far as a response body needs it. */
export interface Exchange {
  /** Request method. */
  readonly method: string;
  /** Request headers. */
  readonly headers: Headers;
  /** Request target. */
  readonly url: URL;
  /** Query of the target. */
  readonly query: URLSearchParams;
  /** Address of the client; "" when it is not known. */
  readonly client: string;
  /** Aborts when the client has gone or the body was cut, also by a drain. */
  readonly signal: AbortSignal;
  /** Aborts when the server begins to drain. */
  readonly draining: AbortSignal;
  /** The other open bodies of the server. */
  readonly bodies: OpenBodies;
  /** What is counted of the streams of its route. */
  readonly counts: StreamCounts;
  /** Time since the request came, in ms. */
  readonly age: number;
  /** Whether `Deno.serve` reads the body: it is done with a chunk when it asks for the next. */
  readonly overTcp: boolean;
  /**
   * Whether the client may still have what it was let in for: asked once a second while its body is open, which is revoked
   * when it may not. Default: it may.
   */
  readonly allowed?: () => boolean;
  /** The body reports its own bytes and its end. */
  opened(): void;
  /** Reports a failure inside to the operator, with the request's method and path. */
  readonly report: Report;
  /** The body has handed over this many bytes. */
  sent(bytes: number): void;
  /** The body has ended, with what else the access log has to say of it; called once. */
  ended(how: "complete" | "cut", more?: Readonly<Record<string, string | number>>): void;
}

/** What the requests of one server share. */
export interface ExchangeOptions {
  /** Aborts when the server begins to drain: open streams then say so and end. Default: never. */
  draining?: AbortSignal;
  /** Live streams open at once, for all exchanges with the same `draining`; over it a stream is 503. Default: unbounded. */
  maxStreams?: number;
  /** Where failures of streams are reported. Default: stderr. */
  report?: Report;
}

const never = new AbortController().signal;
const shared = new WeakMap<AbortSignal, OpenBodies>();

/**
 * The {@linkcode Exchange} of a request, for a `Deno.serve` without the rest of Weir.
 *
 * @example
 * ```ts
 * import { every, exchange, streamResponse } from "@weir/weir";
 *
 * await using server = Deno.serve({ port: 0 }, (request, info) =>
 *   streamResponse(exchange(request, info), async function* ({ signal }) {
 *     for await (const _ of every(1_000, signal)) yield { data: new Date().toISOString() };
 *   })
 * );
 * const response = await fetch(`http://127.0.0.1:${server.addr.port}/?format=sse`);
 * await response.body!.cancel();
 * ```
 */
export function exchange(
  request: Request,
  info?: Deno.ServeHandlerInfo,
  { draining = never, maxStreams = Infinity, report = printReport }: ExchangeOptions = {},
): Exchange {
  let bodies = shared.get(draining);
  if (bodies === undefined) shared.set(draining, bodies = new OpenBodies(draining, new Limiter(maxStreams)));
  const { method, headers } = request;
  const url = new URL(request.url);
  return {
    method,
    headers,
    url,
    query: url.searchParams,
    client: "",
    get signal() {
      return request.signal;
    },
    draining,
    bodies,
    counts: uncounted,
    age: 0,
    overTcp: info !== undefined,
    report: (message, error) => report(`${method} ${url.pathname}: ${message}`, error),
    opened() {},
    sent() {},
    ended() {},
  };
}
