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
  #lastGood = "";

  /** Loopback and the value of `--host`. */
  constructor(host: string) {
    this.#host = hostname(host);
    this.#wildcard = host === "0.0.0.0" || host === "::";
  }

  /**
   * The URL of a request that is for this server.
   *
   * @throws HttpError 400 for a Host that does not parse, 414 for a target beyond `maxBytes`, 421 for another
   * name, 403 for another origin
   */
  check(request: Request, maxBytes: number): URL {
    let text, url;
    try {
      text = request.url;
      url = new URL(text);
    } catch {
      throw new HttpError(STATUS_CODE.BadRequest, "Host and the request target must form a URL");
    }
    if (text.length > maxBytes) {
      throw new HttpError(
        STATUS_CODE.URITooLong,
        `the request target must have at most ${maxBytes} bytes: current value is ${text.length}`,
      );
    }
    // An absolute-form target overrides Host in `request.url`, so both are checked.
    const host = request.headers.get("host") ?? url.host;
    if (host !== this.#lastGood || host !== url.host) {
      const foreign = [host, url.host].find((name) => !this.#isOwn(hostOf(name)));
      if (foreign !== undefined) {
        throw new HttpError(
          STATUS_CODE.MisdirectedRequest,
          `Host must be loopback or --host: current value is ${quote(foreign)}`,
        );
      }
      if (host === url.host) this.#lastGood = host;
    }
    if (request.method !== "GET" && request.method !== "HEAD" || request.headers.has("upgrade")) {
      checkSameOrigin(request, url);
    }
    return url;
  }

  #isOwn(name: string): boolean {
    if (name === "localhost" || name.endsWith(".localhost") || name === "[::1]" || name === this.#host) {
      return true;
    }
    const address = isAddress(name);
    return address && (this.#wildcard || name.startsWith("127."));
  }
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
