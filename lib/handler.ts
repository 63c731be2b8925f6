import type { App } from "./app.ts";
import type { RoutePath } from "./http/router.ts";
import type { Exchange } from "./stream/exchange.ts";

/** Answers one request. What it throws becomes an error response: an `HttpError` as itself, anything else a 500. */
export type Handler = (request: Request, context: Context) => Response | Promise<Response>;

/** What a handler gets beside the request. */
export interface Context extends Exchange {
  /** What the route's `:name` segments matched, percent-decoded; `*` has the rest of the path, as it was sent. */
  readonly params: Record<string, string>;
  /** Address of the client, with `--trust-proxy` as the proxy says; "" when the request did not come over TCP. */
  readonly client: string;
  /** The services of the server. */
  readonly app: App;
  /** The runs, for `share`. */
  readonly runs: App["runs"];
  /** The open WebSockets, for `upgrade` and `streamSocket`. */
  readonly sockets: App["sockets"];
  /** The route table. */
  readonly routes: readonly Route[];
  /**
   * The request's body as text.
   *
   * @throws HttpError 413, 408, 415, 400, 503: see `RequestBodies`
   */
  text(): Promise<string>;
  /**
   * The request's body as JSON; without a Content-Type too, and as `curl -d` sends it.
   *
   * @throws HttpError 415 for another Content-Type, 400 with the place of the fault, and those of `text()`
   */
  json(): Promise<unknown>;
}

/**
 * One row of the route table.
 *
 * @example
 * ```ts
 * import type { Route } from "@weir/weir/server";
 *
 * const hello: Route = {
 *   method: "GET",
 *   path: "/hello/:name",
 *   handler: (_request, { params }) => new Response(`hello ${params.name}\n`),
 *   description: "says hello",
 *   example: "/hello/weir",
 * };
 * ```
 */
export interface Route extends RoutePath {
  path: `/${string}`;
  /** HEAD is answered by GET. */
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Function that answers the route. */
  handler: Handler;
  /** What it does, for the first page. */
  description: string;
  /**
   * A path and query that shows it, for the first page; `{file}` stands for an existing file, `{push}` for a push sensor,
   * `{run}` for a run.
   * Default: the path.
   */
  example?: string;
  /** Whether pages of other sites may make a browser get it. Default: false. */
  anySite?: boolean;
  /** Whether the first page leaves it out. Default: false. */
  hidden?: boolean;
}
