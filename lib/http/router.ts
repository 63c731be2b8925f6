import { HttpError, quote } from "../stream/errors.ts";

/** The method and path of a route. */
export interface RoutePath {
  /** An HTTP method; HEAD is answered by GET. */
  method: string;
  /** Literal segments, `:name` for one segment, and a last `*` for any rest. A path without a slash at its end is redirected to from one with it, never the other way. */
  path: string;
}

interface Pattern<Route> {
  segments: string[];
  rest: boolean;
  methods: Map<string, Route>;
}

/** The route of a request. */
export interface Match<Route> {
  route: Route;
  /** What the `:name` segments matched, percent-decoded; `*` has the rest of the path, as it was sent. */
  params: Record<string, string>;
}

/** The parameters of a literal path. */
export const noParams: Record<string, string> = Object.freeze({});

/** Finds the route of a request; a literal path wins over one with parameters, and those are tried in their order. */
export class Router<Route extends RoutePath> {
  readonly #literal = new Map<string, Map<string, Route>>();
  readonly #patterns: Pattern<Route>[] = [];

  /** @throws TypeError for a path that no request would match, such as `/items/{name}` */
  constructor(routes: readonly Route[]) {
    for (const [path, rows] of Map.groupBy(routes, ({ path }) => path)) {
      checkPattern(path);
      const methods = new Map(rows.map((route) => [route.method, route]));
      const segments = path.split("/").slice(1);
      const rest = segments.at(-1) === "*";
      if (rest) segments.pop();
      if (rest || path.includes("/:")) this.#patterns.push({ segments, rest, methods });
      else this.#literal.set(path, methods);
    }
  }

  /**
   * The route, or the ready answer: to OPTIONS, or to a path that is a route but for a slash at its end, with the query of
   * `url`; throws 404, or 405 with Allow (RFC 9110, 15.5.6).
   */
  match(method: string, pathname: string, url = pathname): Match<Route> | Response {
    const found = this.#find(pathname);
    if (found !== null) return choose(found.methods, found.params, method);
    const bare = pathname.slice(0, -1);
    if (bare.length > 1 && pathname.endsWith("/") && this.#find(bare) !== null) {
      const query = /\?[^#]*/.exec(url)?.[0] ?? "";
      return new Response(null, {
        status: 308,
        headers: { Location: bare + query, "Cache-Control": "no-cache" },
      });
    }
    throw new HttpError(404, `the path must be that of a route: current value is ${quote(pathname)}`);
  }

  #find(pathname: string): Pick<Pattern<Route>, "methods"> & Pick<Match<Route>, "params"> | null {
    const literal = this.#literal.get(pathname);
    if (literal !== undefined) return { methods: literal, params: noParams };
    if (!isPlainPath(pathname)) return null;
    for (const pattern of this.#patterns) {
      const params = matchPattern(pattern, pathname);
      if (params !== null) return { methods: pattern.methods, params };
    }
    return null;
  }
}

/** A segment of a path as clients send it, `:name`, or a last `*`. */
const pattern = /^(\/(:\w+|(?!:)[\w.~!$&'()+,;=:@%-]*))+$/;

function checkPattern(path: string): void {
  if (pattern.test(path.replace(/(?<=\/)\*$/, ""))) return;
  const rule =
    "Cannot serve a route as the segments of its path must be ':name', a last '*', or text as a URL has it";
  throw new TypeError(`${rule}: current value is ${quote(path)}`);
}

function choose<Route>(
  methods: Map<string, Route>,
  params: Record<string, string>,
  method: string,
): Match<Route> | Response {
  const route = methods.get(method === "HEAD" ? "GET" : method);
  if (route !== undefined) return { route, params };
  const allow = [...methods.keys(), "OPTIONS"].join(", ").replace("GET", "GET, HEAD");
  const headers = { Allow: allow };
  if (method === "OPTIONS") return new Response(null, { status: 204, headers });
  throw new HttpError(405, `the method must be one of ${allow}: current value is ${method}`, { headers });
}

function matchPattern({ segments, rest }: Pattern<unknown>, pathname: string): Record<string, string> | null {
  const parts = pathname.split("/").slice(1);
  if (rest ? parts.length < segments.length : parts.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [i, segment] of segments.entries()) {
    if (segment.startsWith(":")) {
      const value = decode(parts[i]);
      if (value === "") return null;
      params[segment.slice(1)] = value;
    } else if (segment !== parts[i]) return null;
  }
  if (rest) params["*"] = parts.slice(segments.length).join("/");
  return params;
}

/** Percent-decodes a segment; "", which no name is, when it is not UTF-8. */
export function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return "";
  }
}

/** Whether a URL parser would leave a path as it is: it turns backslashes into slashes and takes `.` and `..` out. */
function isPlainPath(path: string): boolean {
  return !/\\|\/(?:\.|%2e){1,2}(?:\/|$)/i.test(path);
}
