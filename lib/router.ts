import type { App } from "./app.ts";
import { HttpError } from "./errors.ts";

/** Answers one request. What it throws becomes an error response: an {@linkcode HttpError} as itself, the rest a 500. */
export type Handler = (request: Request, context: Context) => Response | Promise<Response>;

/** How a response's body went: all of it handed over, or less. */
export type Delivered = (how: "complete" | "cut", bytes: number) => void;

/** What a handler gets beside the request. */
export interface Context {
  /** What was asked for, its host checked. */
  readonly url: URL;
  /** What the route's `:name` segments matched, percent-decoded; `*` has the rest of the path, as it was sent. */
  readonly params: Record<string, string>;
  /** Aborts when the client has gone or the server is draining; a handler never has to tell which. */
  readonly signal: AbortSignal;
  /** The server. */
  readonly app: App;
  /** Whether the response goes to `Deno.serve`, which is done with a chunk when it asks for the next. */
  readonly overTcp: boolean;
  /** Aborts `signal`. For what makes bodies, not for handlers. */
  abort(): void;
  /** For what makes bodies: says that this body will report its own end, by calling what this returns, once. */
  track(): Delivered;
  /** For what makes bodies: counts bytes as they go. Those that nobody counts so are counted at the end. */
  sent(bytes: number): void;
}

/** One row of the route table. */
export interface Route {
  /** HEAD is answered by GET. */
  method: "GET" | "POST";
  /** Literal segments, `:name` for one segment, and a last `*` for any rest. */
  path: string;
  /** What answers it. */
  handler: Handler;
  /** What it does, for the first page. */
  description: string;
  /** A path and query that shows it, for the first page; `{file}` stands for the name of a file that is there. */
  example: string;
}

interface Pattern {
  segments: string[];
  rest: boolean;
  methods: Map<string, Route>;
}

/** What a request matched. */
export interface Match {
  /** The row of the table. */
  route: Route;
  /** As {@linkcode Context} has them. */
  params: Record<string, string>;
}

const noParams: Record<string, string> = Object.freeze({});

/** Finds the route of a request; a literal path wins over one with parameters, and those are tried in their order. */
export class Router {
  readonly #literal = new Map<string, Pattern>();
  readonly #patterns: Pattern[] = [];

  /** The order counts for patterns only. */
  constructor(routes: readonly Route[]) {
    const byPath = new Map<string, Pattern>();
    for (const route of routes) {
      const existing = byPath.get(route.path);
      if (existing) {
        existing.methods.set(route.method, route);
        continue;
      }
      const segments = route.path.split("/").slice(1);
      const rest = segments.at(-1) === "*";
      if (rest) segments.pop();
      const pattern = { segments, rest, methods: new Map([[route.method as string, route]]) };
      byPath.set(route.path, pattern);
      if (rest || segments.some((segment) => segment.startsWith(":"))) this.#patterns.push(pattern);
      else this.#literal.set(route.path, pattern);
    }
  }

  /**
   * The route and its parameters, or the ready answer to OPTIONS. HEAD is answered by the GET route.
   *
   * @throws HttpError 404, or 405 with Allow (RFC 9110, 15.5.6)
   */
  match(method: string, pathname: string): Match | Response {
    const literal = this.#literal.get(pathname);
    if (literal !== undefined) return choose(literal, noParams, method);
    for (const pattern of this.#patterns) {
      const params = matchPattern(pattern, pathname);
      if (params !== null) return choose(pattern, params, method);
    }
    throw new HttpError(404, "no such path");
  }
}

function choose({ methods }: Pattern, params: Record<string, string>, method: string): Match | Response {
  const route = methods.get(method === "HEAD" ? "GET" : method);
  if (route !== undefined) return { route, params };
  const allow = [...methods.keys()].flatMap((name) => name === "GET" ? ["GET", "HEAD"] : [name]).concat(
    "OPTIONS",
  ).join(", ");
  if (method === "OPTIONS") return new Response(null, { status: 204, headers: { Allow: allow } });
  throw new HttpError(405, `the method must be one of ${allow}: current value is ${method}`, {
    headers: { Allow: allow },
  });
}

function matchPattern({ segments, rest }: Pattern, pathname: string): Record<string, string> | null {
  const parts = pathname.split("/").slice(1);
  if (rest ? parts.length < segments.length : parts.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i];
    if (!segment.startsWith(":")) {
      if (segment !== parts[i]) return null;
      continue;
    }
    const value = decode(parts[i]);
    if (value === null || value === "") return null;
    params[segment.slice(1)] = value;
  }
  if (rest) params["*"] = parts.slice(segments.length).join("/");
  return params;
}

/** Percent-decodes a segment; null when it is not UTF-8. */
export function decode(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
