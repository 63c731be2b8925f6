import type { App } from "./app.ts";
import type { Route } from "./handler.ts";
import { AllowedHosts, pathOf } from "./http/allowed_hosts.ts";
import { RequestContext } from "./http/context.ts";
import { forwardedUrl } from "./http/forwarded.ts";
import type { AllowedOrigins } from "./http/origins.ts";
import type { RouteCounts } from "./http/route_counts.ts";
import { type Match, type RoutePath, Router } from "./http/router.ts";
import type { ServerSide } from "./http/server_side.ts";
import { errorResponse, HttpError, shuttingDown } from "./stream/errors.ts";

/** Methods that change nothing (RFC 9110, 9.2.1). */
const safeMethods = ["GET", "HEAD", "OPTIONS"];

/** A row of the route table, with what is counted of its path. */
interface Row extends RoutePath {
  route: Route;
  counts: RouteCounts;
}

/** What dispatching needs of a server. */
export interface Dispatching extends ServerSide<App, Route> {
  /** Which sites' pages may ask. */
  readonly origins: AllowedOrigins;
  /** Aborts when new requests are refused. */
  readonly draining: AbortSignal;
  /** Counts a request whose answer has not ended. */
  opened(): void;
}

/** The way of a request: its host, origin and route, who asks, and the handler. */
export class Dispatch {
  readonly #router: Router<Row>;
  readonly #hosts: AllowedHosts;

  /** For these routes, at a server of this name. */
  constructor(readonly server: Dispatching, hostname: string, routes: readonly Route[]) {
    const { metrics, config } = server.app;
    this.#hosts = new AllowedHosts(hostname, config.allowHosts);
    this.#router = new Router(routes.map((route) => {
      const { method, path } = route;
      return { method, path, route, counts: metrics.route(path) };
    }));
  }

  /**
   * Answers one request, whatever happens; it never throws or rejects. `info` is what `Deno.serve` gives.
   *
   * A response that needs no wait goes out without a promise: an await is a twentieth of the cost of a small answer.
   */
  answer(request: Request, info?: Deno.ServeHandlerInfo): Response | Promise<Response> {
    const context = new RequestContext<App, Route>(request, this.server, info);
    this.server.opened();
    const failed = (error: unknown) => {
      // What a handler throws after its client has gone is no failure; the status is for the access log alone.
      const told = context.left ? new HttpError(499, "the client has gone") : error;
      return finish(errorResponse(told, context.report));
    };
    const finish = (response: Response) => {
      if (!(response instanceof Response)) throw noResponse(context, response);
      return context.finish(this.#shared(request, response, context.id));
    };
    try {
      const response = this.#dispatch(request, context);
      if (response instanceof Response) return finish(response);
      return Promise.resolve(response).then(finish).catch(failed);
    } catch (error) {
      return failed(error);
    }
  }

  #dispatch(request: Request, context: RequestContext<App, Route>): Response | Promise<Response> {
    const { method, headers } = request;
    const { targetBytes } = this.server.app.config.limits;
    // First of all: what is refused has its path in the access log, too.
    context.path = pathOf(context.requested = request.url.slice(0, targetBytes));
    if (this.server.draining.aborted) throw shuttingDown();
    const url = context.target = this.server.trustProxy ? forwardedUrl(request) : request.url;
    this.#hosts.check(headers.get("host"), url, targetBytes);
    if (!safeMethods.includes(method) || headers.has("upgrade")) {
      this.server.origins.checkChange(headers, url);
    }
    const match = this.#match(context, url);
    if (match instanceof Response) return match;
    const { route, counts } = match.route;
    const { anySite, access = "read" } = route;
    context.route = counts;
    if (!anySite) this.server.origins.checkRead(headers, url);
    context.access = access;
    const refusal = this.server.guard?.check(access, context);
    if (refusal !== undefined) return refusal;
    context.params = match.params;
    return route.handler(request, context);
  }

  /** The route, or a ready answer. Strangers do not learn which routes there are, but by a preflight, which has no token. */
  #match(context: RequestContext<App, Route>, url: string): Match<Row> | Response {
    const { method, path, headers } = context;
    try {
      const match = this.#router.match(method, path, url);
      if (!(match instanceof Response) || headers.has("access-control-request-method")) return match;
      return this.#refuseStranger(context) ?? match;
    } catch (error) {
      const refusal = this.#refuseStranger(context);
      if (refusal !== undefined) return refusal;
      throw error;
    }
  }

  #refuseStranger(context: RequestContext<App, Route>): Response | undefined {
    return context.grant === null ? this.server.guard?.check("read", context) : undefined;
  }

  /** The response with the headers of every answer: which pages may read it, and what browsers must not guess or tell. */
  #shared(request: Request, response: Response, id: string): Response {
    // Deno would answer an empty 500, past the access log.
    if (response.bodyUsed) {
      throw new TypeError("Cannot answer with a response whose body has been used already");
    }
    const add = (to: Response) => {
      this.server.origins.share(request.method, request.headers, to);
      to.headers.set("X-Request-Id", id);
      to.headers.set("X-Content-Type-Options", "nosniff");
      to.headers.set("Referrer-Policy", "no-referrer");
      return to;
    };
    try {
      return add(response);
    } catch {
      // The headers of a response that came from fetch() cannot be changed.
      return add(new Response(response.body, response));
    }
  }
}

/** A handler returned something else, which its type forbids and a start without a check of types lets through. */
function noResponse({ method, route }: { method: string; route: RouteCounts }, value: unknown): TypeError {
  const rule = `the handler of ${method} ${route.path} must return a Response, as Response.json() makes one`;
  return new TypeError(`Cannot answer as ${rule}: current value is ${Object.prototype.toString.call(value)}`);
}
