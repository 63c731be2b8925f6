import { delay } from "@std/async/delay";
import type { App } from "./app.ts";
import type { Certificate } from "./certificate.ts";
import type { Route } from "./handler.ts";
import { AllowedHosts, pathOf } from "./http/allowed_hosts.ts";
import type { Guard } from "./http/auth/guard.ts";
import { RequestBodies } from "./http/body.ts";
import { RequestContext } from "./http/context.ts";
import type { Answered, ServerSide } from "./http/server_side.ts";
import { forwardedUrl } from "./http/forwarded.ts";
import { AllowedOrigins } from "./http/origins.ts";
import { type Match, type RoutePath, Router } from "./http/router.ts";
import type { RouteCounts } from "./http/route_counts.ts";
import { type Clock, processClock } from "./stream/clock.ts";
import { CutError, errorResponse, HttpError, type Report, shuttingDown } from "./stream/errors.ts";
import { Listener, type ListenOptions } from "./listener.ts";
import { Services } from "./service.ts";
import { OpenBodies } from "./stream/open_bodies.ts";

/** Time for HTTP/2 streams that the drain cuts to say so, in ms. */
const cutMs = 200;

/** Methods that change nothing (RFC 9110, 9.2.1). */
const safeMethods = ["GET", "HEAD", "OPTIONS"];

/** A row of the route table, with what is counted of its path. */
interface Row extends RoutePath {
  route: Route;
  counts: RouteCounts;
}

/** Dispatches requests to the handlers of a route table. */
export class Server implements ServerSide<App, Route> {
  readonly bodies: OpenBodies;
  readonly requestBodies: RequestBodies;
  readonly trustProxy: boolean;
  readonly unmatched: RouteCounts;
  /** What runs beside the requests. */
  readonly services: Services;
  readonly #drain = new AbortController();
  /**
   * Answers one request, whatever happens; it never throws or rejects. `info` is what `Deno.serve` gives.
   *
   * A response that needs no wait goes out without a promise: an await is a twentieth of the cost of a small answer.
   */
  readonly fetch: (request: Request, info?: Deno.ServeHandlerInfo) => Response | Promise<Response>;
  readonly #origins: AllowedOrigins;
  #open = 0;
  /** From the clock to the time of day, in ms, and when that was read. */
  #offset = 0;
  #offsetAt = -Infinity;
  readonly #listeners: Listener[] = [];

  /** A server that does not listen yet. */
  constructor(readonly app: App, readonly routes: readonly Route[], readonly clock: Clock = processClock) {
    const { host, allowOrigins, trustProxy = false, limits } = app.config;
    this.trustProxy = trustProxy;
    this.unmatched = app.metrics.unmatched;
    this.fetch = this.#answering(host, routes);
    this.#origins = new AllowedOrigins(allowOrigins, trustProxy);
    this.bodies = new OpenBodies(this.#drain.signal, app.limits.streams);
    this.services = new Services(this.#drain.signal, app.report, app.failedServices);
    this.requestBodies = new RequestBodies(limits, this.#drain.signal);
  }

  /** Requests whose answer has not ended: bodies and sockets that are open, and handlers at work. */
  get open(): number {
    return this.#open;
  }

  #answering(hostname: string, routes: readonly Route[]): Server["fetch"] {
    const rows = routes.map((route) => {
      const { method, path } = route;
      return { method, path, route, counts: this.app.metrics.route(path) };
    });
    const router = new Router(rows);
    const hosts = new AllowedHosts(hostname, this.app.config.allowHosts);
    return (request, info) => {
      const context = new RequestContext<App, Route>(request, this, info);
      this.#open++;
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
        const response = this.#dispatch(router, hosts, request, context);
        if (response instanceof Response) return finish(response);
        return Promise.resolve(response).then(finish).catch(failed);
      } catch (error) {
        return failed(error);
      }
    };
  }

  #dispatch(
    router: Router<Row>,
    hosts: AllowedHosts,
    request: Request,
    context: RequestContext<App, Route>,
  ): Response | Promise<Response> {
    const { method, headers } = request;
    const { targetBytes } = this.app.config.limits;
    // First of all: what is refused has its path in the access log, too.
    context.path = pathOf(context.requested = request.url.slice(0, targetBytes));
    if (this.#drain.signal.aborted) throw shuttingDown();
    const url = context.target = this.trustProxy ? forwardedUrl(request) : request.url;
    hosts.check(headers.get("host"), url, targetBytes);
    if (!safeMethods.includes(method) || headers.has("upgrade")) this.#origins.checkChange(headers, url);
    const match = this.#match(router, context, url);
    if (match instanceof Response) return match;
    const { route, counts } = match.route;
    const { anySite, access = "read" } = route;
    context.route = counts;
    if (!anySite) this.#origins.checkRead(headers, url);
    context.access = access;
    const refusal = this.guard?.check(access, context);
    if (refusal !== undefined) return refusal;
    context.params = match.params;
    return route.handler(request, context);
  }

  /** The route, or a ready answer. Strangers do not learn which routes there are, but by a preflight, which has no token. */
  #match(router: Router<Row>, context: RequestContext<App, Route>, url: string): Match<Row> | Response {
    const { method, path, headers } = context;
    try {
      const match = router.match(method, path, url);
      if (!(match instanceof Response) || headers.has("access-control-request-method")) return match;
      return this.#refuseStranger(context) ?? match;
    } catch (error) {
      const refusal = this.#refuseStranger(context);
      if (refusal !== undefined) return refusal;
      throw error;
    }
  }

  #refuseStranger(context: RequestContext<App, Route>): Response | undefined {
    return context.grant === null ? this.guard?.check("read", context) : undefined;
  }

  /** The response with the headers of every answer: which pages may read it, and what browsers must not guess or tell. */
  #shared(request: Request, response: Response, id: string): Response {
    // Deno would answer an empty 500, past the access log.
    if (response.bodyUsed) {
      throw new TypeError("Cannot answer with a response whose body has been used already");
    }
    const add = (to: Response) => {
      this.#origins.share(request.method, request.headers, to);
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

  get guard(): Guard | null {
    return this.app.guard;
  }

  get report(): Report {
    return this.app.report;
  }

  /** Read once a second: a look at a clock is a fiftieth of a small answer. */
  timeAt(now: number): number {
    if (now - this.#offsetAt >= 1_000) {
      this.#offset = Date.now() - this.clock.now();
      this.#offsetAt = now;
    }
    return Math.round(this.#offset + now);
  }

  sent(bytes: number): void {
    this.app.traffic.bytes += bytes;
  }

  record(answered: Answered, uncounted: number): void {
    this.#open--;
    this.app.traffic.requests++;
    this.app.traffic.bytes += uncounted;
    this.app.accessLog.record(answered);
  }

  /**
   * Accepts connections, for some of the routes if these are given, and then under the name of this address. Returns the port.
   *
   * @throws Error when the address cannot be bound
   */
  listen(hostname: string, port: number, options: ListenOptions = {}, routes?: readonly Route[]): number {
    const listener = new Listener(hostname, port, {
      fetch: routes === undefined ? this.fetch : this.#answering(hostname, routes),
      failed: (error) => {
        if (!(error instanceof CutError)) this.bodies.failed();
        this.report(error instanceof Error ? error.stack ?? error.message : String(error));
      },
      report: this.report,
      closing: this.#drain.signal,
    }, options);
    this.#listeners.push(listener);
    if (this.guard !== null) this.guard.cookie = `weir_${this.#listeners[0].port}`;
    return listener.port;
  }

  /** New connections by TLS get this certificate; those that are open end as they are. */
  replaceCertificate(certificate: Certificate): void {
    for (const listener of this.#listeners) {
      if (listener.certificate !== null) listener.replace(certificate);
    }
  }

  /**
   * Refuses new requests and tells every stream, socket and service that the server is going away; resolves when the sockets
   * have closed and the services ended.
   */
  async drain(): Promise<void> {
    const { overview, sockets } = this.app;
    if (overview.isRead) await overview.drain();
    this.#drain.abort();
    await Promise.all([sockets.close(), this.services.ended()]);
  }

  /**
   * Drains, accepts no more connections, and stops the services once every open body has ended, which a reader
   * that has stopped reading can delay for ever.
   */
  async close(): Promise<void> {
    const mayCut = this.#open > 0 && this.#listeners.some(({ certificate }) => certificate !== null);
    const drained = this.drain();
    // Closing the listeners closes every WebSocket at once, with words of Deno's: they have their time first, and new
    // requests a 503.
    if (this.app.sockets.size > 0) await this.app.sockets.close();
    // Told to go away first, an HTTP/2 connection would end without saying which streams were cut.
    else if (mayCut) await delay(cutMs);
    const closed = this.#listeners.map((listener) => listener.close());
    await Promise.allSettled([drained, ...closed]);
    await this.app.close();
  }
}

/** A handler returned something else, which its type forbids and a start without a check of types lets through. */
function noResponse({ method, route }: { method: string; route: RouteCounts }, value: unknown): TypeError {
  const rule = `the handler of ${method} ${route.path} must return a Response, as Response.json() makes one`;
  return new TypeError(`Cannot answer as ${rule}: current value is ${Object.prototype.toString.call(value)}`);
}
