import type { App } from "./app.ts";
import type { Right } from "./http/auth/token.ts";
import type { Grant } from "./http/auth/tokens.ts";
import type { Access, Description } from "./http/description.ts";
import { paramReader, type Params, type Values } from "./http/param_reader.ts";
import type { RoutePath } from "./http/router.ts";
import type { Exchange } from "./stream/exchange.ts";

/** Answers one request. What it throws becomes an error response: an `HttpError` as itself, anything else a 500. */
export interface Handler {
  (request: Request, context: Context): Response | Promise<Response>;
  /** What it takes and answers, if it was {@linkcode described}. */
  readonly about?: Description;
}

/**
 * A handler with its description, from which come the checks of its parameters, its rows in the lists of routes, and its part
 * of `/openapi.json`. Its `context.params` has the values of the parameters: typed, checked, and with their defaults.
 *
 * @example
 * ```ts
 * import { described, int, text } from "@weir/weir/server";
 * import { streamResponse } from "@weir/weir";
 *
 * const params = {
 *   from: int({ min: 1, max: 100, default: 3 }, "where it starts"),
 *   name: text("who counts"),
 * };
 * export const countdown = described({ params }, (_request, context) => {
 *   const { from, name = "somebody" } = context.params;
 *   return streamResponse(context, async function* () {
 *     for (let left = from; left > 0; left--) yield `${name}: ${left} to go`;
 *   });
 * });
 * ```
 */
export function described<const P extends Params>(
  about: Description<P>,
  handler: (request: Request, context: Context<Values<P>>) => Response | Promise<Response>,
): Handler {
  const read = paramReader(about.params ?? {} as P);
  const checked: Handler = (request, context) => {
    const own = context as Context<unknown> as Context<Values<P>> & { params: Values<P> };
    own.params = read(context.query, context.params);
    return handler(request, own);
  };
  return Object.assign(about.params === undefined ? handler as Handler : checked, { about });
}

/** What a handler gets beside the request. */
export interface Context<P = Readonly<Record<string, string>>> extends Exchange {
  /**
   * What the route's `:name` segments matched, percent-decoded; `*` has the rest of the path, as it was sent. Those of a
   * {@linkcode described} handler, and the parameters of its query.
   */
  readonly params: P;
  /** Address of the client, with `--trust-proxy` as the proxy says; "" when the request did not come over TCP. */
  readonly client: string;
  /** What the client was let in with; null for a stranger, who gets open routes alone, and where there are no tokens. */
  readonly grant: Grant | null;
  /** Whether the client may do what needs this right: everybody may where there are no tokens. */
  may(right: Right): boolean;
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
  /** What it does, for the list of routes. */
  description: string;
  /**
   * A path and query that shows it, for the list of routes; `{file}` stands for an existing file, `{push}` for a push sensor,
   * `{run}` for a run.
   * Default: the path.
   */
  example?: string;
  /** Whether pages of other sites may make a browser get it. Default: false. */
  anySite?: boolean;
  /** Whether the list of routes and `/openapi.json` leave it out. Default: false. */
  hidden?: boolean;
  /**
   * Who may ask for it, where there are tokens. Default: read. What a request wants beside that, such as to start a run, its
   * handler asks `context.may` for in the very moment; none of the rights implies another.
   */
  access?: Access;
}
