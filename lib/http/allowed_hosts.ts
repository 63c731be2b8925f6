import { STATUS_CODE } from "@std/http/status";
import { HttpError, quote } from "../stream/errors.ts";

const loopback = /(^|\.)localhost$|^127\.[\d.]+$|^\[::1\]$/;

/** A literal address: in a parsed URL, digits and dots alone are always an IPv4 address (URL standard, "ends in a number"). */
const address = /^\[|^[\d.]+$/;

/**
 * The names that the server answers to. A page of another site can make a browser send requests here, also by pointing a name
 * of that site here (DNS rebinding): requests for other names are refused.
 * Addresses cannot be rebound: with a wildcard `--host` every literal address is the server's own.
 */
export class AllowedHosts {
  readonly #names: ReadonlySet<string>;
  /** What the names below `*.NAME` end with. */
  readonly #endings: readonly string[];
  readonly #wildcard: boolean;
  #lastHost: string | null | undefined;
  #lastOrigin = "";

  /** Loopback, the value of `--host`, and those of `--allow-host`. */
  constructor(host: string, allowed: readonly string[] = []) {
    const isBelow = (name: string) => name.startsWith("*.");
    const normal = (name: string) => hostOf(name.includes(":") ? `[${name}]` : name);
    this.#names = new Set([host, ...allowed.filter((name) => !isBelow(name))].map(normal));
    this.#endings = allowed.filter(isBelow).map((name) => `.${normal(name.slice(2))}`);
    this.#wildcard = host === "0.0.0.0" || host === "::";
  }

  /**
   * Refuses a request that is not for this server; `url` is the one that the client asked for.
   *
   * @throws HttpError 400 for a Host that does not parse, 414 beyond `maxBytes`, 421 for another name
   */
  check(host: string | null, url: string, maxBytes: number): void {
    if (url.length > maxBytes) {
      const rule = `the request target must have at most ${maxBytes} bytes`;
      throw new HttpError(STATUS_CODE.URITooLong, `${rule}: current value is ${url.length}`);
    }
    // An absolute-form target, or a proxy, overrides Host in the URL, so both are checked; most requests repeat the last pair.
    if (host !== this.#lastHost || !url.startsWith(this.#lastOrigin)) this.#checkHost(host, url);
  }

  #checkHost(host: string | null, text: string): void {
    const url = URL.parse(text);
    if (url === null) {
      throw new HttpError(STATUS_CODE.BadRequest, "Host and the request target must form a URL");
    }
    for (const authority of [host ?? url.host, url.host]) {
      const name = hostOf(authority);
      if (this.#names.has(name) || loopback.test(name) || this.#wildcard && address.test(name)) continue;
      if (this.#endings.some((ending) => name.length > ending.length && name.endsWith(ending))) continue;
      const rule = "Host must be loopback, --host or one of --allow-host";
      throw new HttpError(STATUS_CODE.MisdirectedRequest, `${rule}: current value is ${quote(authority)}`);
    }
    this.#lastHost = host;
    this.#lastOrigin = `${url.protocol}//${url.host}/`;
  }
}

/** The name or address of a Host, without the dot that ends a fully qualified name; throws HttpError 400 for one that does not parse. */
export function hostOf(authority: string): string {
  // Anything that ends an authority would move the rest of a Host into the path of `request.url`.
  const url = /[/\\?#@\s]/.test(authority) ? null : URL.parse(`http://${authority}/`);
  if (url !== null) return url.hostname.replace(/\.$/, "");
  const message = `Host must be a name or an address, and a port: current value is ${quote(authority)}`;
  throw new HttpError(STATUS_CODE.BadRequest, message);
}

/** Whether only programs of this machine reach an address. */
export function isLoopback(host: string): boolean {
  return /^(127\.[\d.]+|localhost|\[::1\])$/.test(hostOf(host.includes(":") ? `[${host}]` : host));
}

/** The path of a URL, from the slash after the authority up to the query: as it was sent, where a URL parser would take `..` out. */
export function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  if (start === -1) return "/";
  let end = url.indexOf("?", start);
  if (end === -1) end = url.length;
  const fragment = url.indexOf("#", start);
  return url.slice(start, fragment !== -1 && fragment < end ? fragment : end);
}
