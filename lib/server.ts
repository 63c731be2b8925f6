import { delay } from "@std/async/delay";
import type { App } from "./app.ts";
import type { Certificate } from "./certificate.ts";
import { Dispatch, type Dispatching } from "./dispatch.ts";
import type { Route } from "./handler.ts";
import type { Guard } from "./http/auth/guard.ts";
import { RequestBodies } from "./http/body.ts";
import type { Answered } from "./http/server_side.ts";
import { AllowedOrigins } from "./http/origins.ts";
import type { RouteCounts } from "./http/route_counts.ts";
import { type Clock, processClock } from "./stream/clock.ts";
import { CutError, type Report } from "./stream/errors.ts";
import { Listener, type ListenOptions } from "./listener.ts";
import { Services } from "./service.ts";
import { OpenBodies } from "./stream/open_bodies.ts";

/** Time for HTTP/2 streams that the drain cuts to say so, in ms. */
const cutMs = 200;

/** A server: it listens, counts what is open, and drains. Each request goes the way of a {@linkcode Dispatch}. */
export class Server implements Dispatching {
  readonly bodies: OpenBodies;
  readonly requestBodies: RequestBodies;
  readonly trustProxy: boolean;
  readonly unmatched: RouteCounts;
  /** What runs beside the requests. */
  readonly services: Services;
  readonly #drain = new AbortController();
  /** Answers one request, whatever happens; it never throws or rejects. `info` is what `Deno.serve` gives. */
  readonly fetch: Dispatch["answer"];
  readonly origins: AllowedOrigins;
  readonly draining: AbortSignal = this.#drain.signal;
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
    this.origins = new AllowedOrigins(allowOrigins, trustProxy);
    this.bodies = new OpenBodies(this.#drain.signal, app.limits.streams);
    this.services = new Services(this.#drain.signal, app.report, app.failedServices);
    this.requestBodies = new RequestBodies(limits, this.#drain.signal);
  }

  /** Requests whose answer has not ended: bodies and sockets that are open, and handlers at work. */
  get open(): number {
    return this.#open;
  }

  #answering(hostname: string, routes: readonly Route[]): Dispatch["answer"] {
    const dispatch = new Dispatch(this, hostname, routes);
    return (request, info) => dispatch.answer(request, info);
  }

  opened(): void {
    this.#open++;
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
