import type { Report } from "../stream/errors.ts";
import type { Exchange } from "../stream/exchange.ts";
import type { OpenBodies } from "../stream/open_bodies.ts";
import { wholeBytes } from "../stream/json.ts";
import type { StreamCounts } from "../stream/stream_counts.ts";
import { forwardedClient } from "./forwarded.ts";
import { bodied, HandMade, withoutBody } from "./hand_made.ts";
import { checkJsonType, parseJson } from "./json_body.ts";
import { requestId } from "./request_id.ts";
import type { RouteCounts } from "./route_counts.ts";
import { noParams } from "./router.ts";
import type { Answered, ServerSide } from "./server_side.ts";

const noQuery = new URLSearchParams();

/** The context of one request, until its line in the access log. */
export class RequestContext<App extends { runs: unknown; sockets: unknown }, Route> implements Exchange {
  params = noParams;
  /** The URL that the client asked for; behind a trusted proxy it is not the request's. */
  target = "";
  /** The path of the target, as it was sent. */
  path = "/";
  /** The query of the request, as it was sent. */
  sentQuery = "";
  /** Counts of the route; until one is found, of what has none. */
  route: RouteCounts;
  /** Name of the token that the client came with. */
  token: string | null = null;
  /** Taken from the client, or drawn. */
  readonly id: string;
  /** Read at once: an upgraded request no longer knows its address. */
  readonly client: string;
  /** Whether the client has gone while the handler was at work with its signal. */
  left = false;
  /** By the clock that nobody sets. */
  readonly #began: number;
  #url: URL | null = null;
  #query: URLSearchParams | null = null;
  #controller: AbortController | null = null;
  #opened = false;
  #status = 0;
  #bytes = 0;
  #end: "complete" | "cut" | null = null;
  #more: Answered["more"];
  #gone: (() => void) | null = null;
  #handMade = false;

  readonly app: App;
  readonly routes: readonly Route[];
  readonly bodies: OpenBodies;
  readonly draining: AbortSignal;

  constructor(
    readonly request: Request,
    readonly server: ServerSide<App, Route>,
    readonly info?: Deno.ServeHandlerInfo,
  ) {
    ({ app: this.app, routes: this.routes, bodies: this.bodies } = server);
    this.draining = this.bodies.draining;
    this.route = server.unmatched;
    this.#began = server.clock.now();
    this.id = requestId(request.headers);
    const address = info?.remoteAddr;
    this.client = server.trustProxy && forwardedClient(request.headers) ||
      (address?.transport === "tcp" ? address.hostname : "");
  }

  get runs(): App["runs"] {
    return this.app.runs;
  }

  get sockets(): App["sockets"] {
    return this.app.sockets;
  }

  get overTcp(): boolean {
    return this.info !== undefined;
  }

  get age(): number {
    return this.server.clock.now() - this.#began;
  }

  get counts(): StreamCounts {
    return this.route.streams;
  }

  get method(): string {
    return this.request.method;
  }

  get headers(): Headers {
    return this.request.headers;
  }

  get url(): URL {
    return this.#url ??= new URL(this.target);
  }

  /** Parsed alone: the whole URL costs more than twice as much, and most handlers do not need it. */
  get query(): URLSearchParams {
    if (this.#query === null) {
      const start = this.target.indexOf("?") + 1;
      this.#query = start === 0 ? noQuery : new URLSearchParams(this.target.slice(start).split("#", 1)[0]);
    }
    return this.#query;
  }

  /** Names the request; its query may hold secrets. */
  get report(): Report {
    return (message, error) => this.server.report(`${this.method} ${this.path}: ${message}`, error, this.id);
  }

  /** Made on first use: many requests never need it. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      // Where the body does not report its end, only the request's own signal says that the client has gone.
      if (this.#status === 0 || this.#handMade) {
        this.#gone = () => {
          this.left = this.#status === 0;
          this.#controller!.abort();
        };
        this.request.signal.addEventListener("abort", this.#gone);
      }
      if (this.#handMade && this.draining.aborted) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  text(): Promise<string> {
    return this.server.requestBodies.text(this.request);
  }

  async json(): Promise<unknown> {
    checkJsonType(this.headers.get("content-type"));
    return parseJson(await this.text());
  }

  opened(): void {
    this.#opened = true;
    // The handler has read it; a long one, parsed, is 130 KB, and a stream may be open for long.
    this.#query = null;
  }

  sent(bytes: number): void {
    this.#bytes += bytes;
    this.server.sent(bytes);
  }

  ended(how: "complete" | "cut", more?: Answered["more"]): void {
    this.#more = more;
    if (how === "cut") (this.#controller ??= new AbortController()).abort();
    if (this.#status === 0) this.#end = how;
    else this.#record(how, 0);
  }

  /** Takes the response; a whole body is short, and counts as delivered. */
  finish(response: Response): Response {
    const { status } = response;
    this.#status = status;
    const bytes = wholeBytes(response);
    if (bytes === undefined && !this.#opened && bodied(status)) {
      if (this.method === "HEAD") response = withoutBody(response);
      else if (this.info !== undefined) return this.#byHand(response, this.info.completed);
    }
    if (this.#gone !== null) {
      // From here on the request's signal may also abort after success.
      this.request.signal.removeEventListener("abort", this.#gone);
      this.#gone = null;
    }
    if (status >= 400 || !this.#opened) {
      this.#record(status >= 400 ? "refused" : "complete", this.method === "HEAD" ? 0 : bytes ?? 0);
    } else if (this.#end !== null) this.#record(this.#end, 0);
    return response;
  }

  #byHand(response: Response, completed: Promise<void>): Response {
    this.#handMade = true;
    const length = response.headers.get("content-length");
    new HandMade(this.request, this.bodies, completed, {
      draining: () => this.#controller?.abort(),
      ended: (how) => {
        this.#handMade = false;
        if (how === "cut") (this.#controller ??= new AbortController()).abort();
        const bytes = how === "cut" || length === null ? null : Number(length);
        this.#record(this.#status >= 400 ? "refused" : how, bytes);
      },
    });
    return response;
  }

  #record(end: "complete" | "cut" | "refused", uncounted: number | null): void {
    this.route.count(this.method, this.#status);
    this.server.record({
      time: this.server.timeAt(this.#began),
      id: this.id,
      client: this.client,
      token: this.token,
      agent: this.headers.get("user-agent"),
      method: this.method,
      path: this.path,
      query: this.sentQuery,
      route: this.route.path,
      status: this.#status,
      bytes: uncounted === null ? null : this.#bytes + uncounted,
      ms: Math.round(this.age),
      end,
      more: this.#more,
    }, uncounted ?? 0);
  }
}
