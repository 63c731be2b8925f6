import { STATUS_CODE } from "@std/http/status";
import { HttpError, quote } from "../stream/errors.ts";
import { checkSameOrigin } from "./same_origin.ts";

/**
 * The names that the server answers to. A page of another site can make a browser send requests here, and a name of that
 * site can be made to point here (DNS rebinding); so requests for other names are refused, and so is a request that changes
 * something and comes from another origin. Addresses cannot be rebound: with a wildcard `--host` every literal address is
 * the server's own.
 */
export class AllowedHosts {
  readonly #host: string;
  readonly #wildcard: boolean;
  #lastHost: string | null = "";
  #lastOrigin = "";

  /** Loopback and the value of `--host`. */
  constructor(host: string) {
    this.#host = hostname(host);
    this.#wildcard = host === "0.0.0.0" || host === "::";
  }

  /**
   * The path of a request that is for this server, as it was sent.
   *
   * @throws HttpError 400 for a Host that does not parse, 414 for a target beyond `maxBytes`, 421 for another
   * name, 403 for another origin
   */
  check(request: Request, maxBytes: number): string {
    const text = parsed(() => request.url);
    if (text.length > maxBytes) {
      throw new HttpError(
        STATUS_CODE.URITooLong,
        `the request target must have at most ${maxBytes} bytes: current value is ${text.length}`,
      );
    }
    const { headers, method } = request;
    const host = headers.get("host");
    // An absolute-form target overrides Host in `request.url`, so both are looked at; most requests repeat the last pair.
    if (host !== this.#lastHost || !text.startsWith(this.#lastOrigin)) this.#checkHost(host, text);
    if (method !== "GET" && method !== "HEAD" || headers.has("upgrade")) {
      checkSameOrigin(request, new URL(text));
    }
    return pathOf(text);
  }

  #checkHost(host: string | null, text: string): void {
    const url = parsed(() => new URL(text));
    for (const name of host === null ? [url.host] : [host, url.host]) {
      if (this.#isOwn(hostOf(name))) continue;
      throw new HttpError(
        STATUS_CODE.MisdirectedRequest,
        `Host must be loopback or --host: current value is ${quote(name)}`,
      );
    }
    if (host !== url.host) return;
    this.#lastHost = host;
    this.#lastOrigin = `${url.protocol}//${host}/`;
  }

  #isOwn(name: string): boolean {
    if (name === "localhost" || name.endsWith(".localhost") || name === "[::1]" || name === this.#host) {
      return true;
    }
    const address = isAddress(name);
    return address && (this.#wildcard || name.startsWith("127."));
  }
}

/** Runs what throws for a Host or target that does not parse. */
function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new HttpError(STATUS_CODE.BadRequest, "Host and the request target must form a URL");
  }
}

/** From the slash after the authority up to the query: as it was sent, where a URL parser would take `..` out. */
function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  if (start === -1) return "/";
  let end = url.indexOf("?", start);
  if (end === -1) end = url.length;
  const fragment = url.indexOf("#", start);
  return url.slice(start, fragment !== -1 && fragment < end ? fragment : end);
}

/** Digits and dots at the end are always an IPv4 address once a URL has been parsed (URL standard, "ends in a number"). */
function isAddress(name: string): boolean {
  return name.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(name);
}

function hostOf(authority: string): string {
  // Anything that ends an authority would move the rest of a Host into the path of `request.url`.
  try {
    if (!/[/\\?#@\s]/.test(authority)) return new URL(`http://${authority}/`).hostname;
  } catch { /* thrown below */ }
  throw new HttpError(
    STATUS_CODE.BadRequest,
    `Host must be a name or an address, and a port: current value is ${quote(authority)}`,
  );
}

function hostname(host: string): string {
  return hostOf(host.includes(":") && !host.startsWith("[") ? `[${host}]` : host);
}
