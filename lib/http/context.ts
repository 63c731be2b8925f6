import type { Report } from "../stream/errors.ts";
import type { Exchange } from "../stream/exchange.ts";
import type { OpenBodies } from "../stream/open_bodies.ts";
import { wholeBytes } from "../stream/json.ts";
import { Asked } from "./asked.ts";
import { unauthorized } from "./auth/guard.ts";
import type { Right } from "./auth/token.ts";
import type { Grant } from "./auth/tokens.ts";
import type { Access } from "./description.ts";
import { bodied, HandMade, withoutBody } from "./hand_made.ts";
import { checkJsonType, parseJson } from "./json_body.ts";
import { noParams } from "./router.ts";
import type { Answered, ServerSide } from "./server_side.ts";

const noQuery = new URLSearchParams();

/** The context of one request, until its line in the access log. */
export class RequestContext<App extends { runs: unknown; sockets: unknown }, Route> extends Asked<App, Route>
  implements Exchange {
  params = noParams;
  /** What the route wants of who asks. */
  access: Access = "read";
  /** Whether the client has gone while the handler was at work with its signal. */
  left = false;
  #grant: Grant | null | undefined;
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

  constructor(request: Request, server: ServerSide<App, Route>, info?: Deno.ServeHandlerInfo) {
    super(request, server, info);
    ({ app: this.app, routes: this.routes, bodies: this.bodies } = server);
    this.draining = this.bodies.draining;
  }

  get runs(): App["runs"] {
    return this.app.runs;
  }

  get sockets(): App["sockets"] {
    return this.app.sockets;
  }

  /** What the client was let in with; null for a stranger, and where there are no tokens. */
  get grant(): Grant | null {
    if (this.#grant === undefined) this.#grant = this.server.guard?.identify(this) ?? null;
    return this.#grant;
  }

  may(right: Right): boolean {
    return this.server.guard === null || this.grant?.may(right) === true;
  }

  get allowed(): (() => boolean) | undefined {
    const { access } = this;
    return this.server.guard === null || access === "open" ? undefined : () => this.may(access);
  }

  get url(): URL {
    return this.#url ??= new URL(this.target);
  }

  /** Parsed alone: the whole URL costs more than twice as much, and most handlers do not need it. */
  get query(): URLSearchParams {
    if (this.#query === null) {
      const start = this.target.indexOf("?") + 1;
      this.#query = start === 0 ? noQuery : new URLSearchParams(this.target.slice(start).split("#", 1)[0]);
      // It is the guard's, and no parameter of the route.
      if (this.server.guard?.tickets.has(this.target)) this.#query.delete("ticket");
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

  async text(): Promise<string> {
    const text = await this.server.requestBodies.text(this.request);
    // The token may have gone while the body came.
    if (this.allowed?.() === false) throw unauthorized(this.headers);
    return text;
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
      leave: () => this.#controller?.abort(),
      allowed: this.allowed,
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
      time: this.server.timeAt(this.began),
      id: this.id,
      client: this.client,
      token: this.#grant?.name ?? null,
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
