import { HttpError } from "../stream/errors.ts";

/** The method and path of a route. */
export interface RoutePath {
  /** An HTTP method; HEAD is answered by GET. */
  method: string;
  /** Literal segments, `:name` for one segment, and a last `*` for any rest. */
  path: string;
}

interface Pattern<Route> {
  segments: string[];
  rest: boolean;
  methods: Map<string, Route>;
}

/** The route of a request, and its parameters. */
export interface Match<Route> {
  /** The row of the table. */
  route: Route;
  /** What the `:name` segments matched, percent-decoded; `*` has the rest of the path, as it was sent. */
  params: Record<string, string>;
}

const noParams: Record<string, string> = Object.freeze({});

/** Finds the route of a request; a literal path wins over one with parameters, and those are tried in their order. */
export class Router<Route extends RoutePath> {
  readonly #literal = new Map<string, Pattern<Route>>();
  readonly #patterns: Pattern<Route>[] = [];

  /** The order counts for patterns only. */
  constructor(routes: readonly Route[]) {
    const byPath = new Map<string, Pattern<Route>>();
    for (const route of routes) {
      const existing = byPath.get(route.path);
      if (existing) {
        existing.methods.set(route.method, route);
        continue;
      }
      const segments = route.path.split("/").slice(1);
      const rest = segments.at(-1) === "*";
      if (rest) segments.pop();
      const pattern = { segments, rest, methods: new Map([[route.method, route]]) };
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
  match(method: string, pathname: string): Match<Route> | Response {
    const literal = this.#literal.get(pathname);
    if (literal !== undefined) return choose(literal, noParams, method);
    if (!isPlainPath(pathname)) throw new HttpError(404, "no such path");
    for (const pattern of this.#patterns) {
      const params = matchPattern(pattern, pathname);
      if (params !== null) return choose(pattern, params, method);
    }
    throw new HttpError(404, "no such path");
  }
}

function choose<Route>(
  { methods }: Pattern<Route>,
  params: Record<string, string>,
  method: string,
): Match<Route> | Response {
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

function matchPattern({ segments, rest }: Pattern<unknown>, pathname: string): Record<string, string> | null {
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

/**
 * Whether a path is what it looks like. A URL parser turns backslashes into slashes and takes `..` out, so the path has to
 * be looked at as it was sent.
 */
function isPlainPath(path: string): boolean {
  return !/\\|\/(?:\.|%2e){1,2}(?:\/|$)/i.test(path);
}
