import type { Report } from "../stream/errors.ts";
import type { Exchange } from "../stream/exchange.ts";
import type { OpenBodies } from "../stream/open_bodies.ts";
import { lengthOf } from "../stream/json.ts";
import type { RequestBodies } from "./body.ts";

/** One answered request. */
export interface Answered {
  /** When the request came, in ms since 1970. */
  time: number;
  /** Request method. */
  method: string;
  /** The path alone: a query may hold secrets. */
  path: string;
  /** Response status. */
  status: number;
  /** Bytes of the response's body that were handed over. */
  bytes: number;
  /** From the request to the end of the response. */
  ms: number;
  /** How the body ended: handed over whole, in part, or an error. */
  end: "complete" | "cut" | "refused";
}

/** What the contexts of one server share. */
export interface ServerSide<App, Route> {
  /** The services of the server. */
  readonly app: App;
  /** The route table. */
  readonly routes: readonly Route[];
  /** The open response bodies. */
  readonly bodies: OpenBodies;
  /** Reads request bodies. */
  readonly requestBodies: RequestBodies;
  /** Reports a failure inside. */
  readonly report: Report;
  /** Counts bytes of a body as they go. */
  sent(bytes: number): void;
  /** Called once a request, at the end of its response; `uncounted` bytes were not reported to `sent`. */
  record(answered: Answered, uncounted: number): void;
}

const noQuery = new URLSearchParams();
const noParams: Record<string, string> = Object.freeze({});

/** The context of one request, from its first byte to the line in the access log. */
export class RequestContext<App, Route> implements Exchange {
  params: Record<string, string> = noParams;
  readonly #time: number = Date.now();
  #url: URL | null = null;
  #query: URLSearchParams | null = null;
  #controller: AbortController | null = null;
  #aborted = false;
  #opened = false;
  #status = 0;
  #bytes = 0;
  #end: "complete" | "cut" | null = null;
  #gone: (() => void) | null = null;
  #left = false;

  /** `overTcp`: the request came over a connection of its own, whose end can be heard. */
  constructor(
    readonly request: Request,
    readonly server: ServerSide<App, Route>,
    readonly overTcp: boolean,
  ) {}

  /** The path of the request's target, as it was sent; "/" for a request that has none. */
  path = "/";

  get app(): App {
    return this.server.app;
  }

  get routes(): readonly Route[] {
    return this.server.routes;
  }

  get bodies(): OpenBodies {
    return this.server.bodies;
  }

  get draining(): AbortSignal {
    return this.server.bodies.draining;
  }

  get report(): Report {
    return this.server.report;
  }

  get method(): string {
    return this.request.method;
  }

  get headers(): Headers {
    return this.request.headers;
  }

  get url(): URL {
    return this.#url ??= new URL(this.request.url);
  }

  /** Parsed without the rest of the URL, which costs more than twice as much and which most handlers do not need. */
  get query(): URLSearchParams {
    if (this.#query === null) {
      const { url } = this.request;
      const start = url.indexOf("?") + 1;
      this.#query = start === 0 ? noQuery : new URLSearchParams(url.slice(start).split("#", 1)[0]);
    }
    return this.#query;
  }

  /** Made on first use: many requests never look at it. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort();
      // A handler that waits hears only in this way that its client has gone.
      else if (this.#status === 0) {
        this.#gone = () => {
          this.#left = true;
          this.#abort();
        };
        this.request.signal.addEventListener("abort", this.#gone);
      }
    }
    return this.#controller.signal;
  }

  /** Whether the client has gone while the handler was still at work, with its signal. */
  get left(): boolean {
    return this.#left;
  }

  text(): Promise<string> {
    return this.server.requestBodies.text(this.request);
  }

  opened(): void {
    this.#opened = true;
  }

  sent(bytes: number): void {
    this.#bytes += bytes;
    this.server.sent(bytes);
  }

  finished(how: "complete" | "cut"): void {
    if (how === "cut") this.#abort();
    if (this.#status === 0) this.#end = how;
    else this.#record(how, 0);
  }

  /** The response is known. A body that does not report its own end is short, and counts as delivered. */
  answered(response: Response): Response {
    const { status } = response;
    this.#status = status;
    if (this.#gone !== null) {
      // From here on the request's own signal may report success as well.
      this.request.signal.removeEventListener("abort", this.#gone);
      this.#gone = null;
    }
    if (status >= 400 || !this.#opened) {
      const length = this.method === "HEAD" ? 0 : lengthOf(response);
      this.#record(status >= 400 ? "refused" : "complete", length);
    } else if (this.#end !== null) this.#record(this.#end, 0);
    return response;
  }

  #abort(): void {
    this.#aborted = true;
    this.#controller?.abort();
  }

  #record(end: "complete" | "cut" | "refused", uncounted: number): void {
    this.server.record({
      time: this.#time,
      method: this.method,
      path: this.path,
      status: this.#status,
      bytes: this.#bytes + uncounted,
      ms: Math.max(0, Date.now() - this.#time),
      end,
    }, uncounted);
  }
}
