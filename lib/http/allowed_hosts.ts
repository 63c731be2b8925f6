import { HttpError } from "../stream/errors.ts";
import { checkSameOrigin } from "./same_origin.ts";

/**
 * Who may ask. A page of another site can make a browser send requests here, and a name of that site can be made to point
 * here (DNS rebinding); so the server answers to its own names only, and a request that changes something must not come
 * from another origin. Addresses cannot be rebound: behind a wildcard `--host` every literal address is the server's own.
 */
export class AllowedHosts {
  readonly #host: string;
  readonly #wildcard: boolean;
  #lastGood = "";

  /** For what `--host` says. */
  constructor(host: string) {
    this.#host = hostname(host);
    this.#wildcard = host === "0.0.0.0" || host === "::";
  }

  /**
   * The request's URL, when it is for this server.
   *
   * @throws HttpError 400 for a Host that does not parse, 414 for a target beyond `maxBytes`, 421 for another's name,
   * 403 for another's origin
   */
  check(request: Request, maxBytes: number): URL {
    let text, url;
    try {
      text = request.url;
      url = new URL(text);
    } catch {
      throw new HttpError(400, "Host and the request target must form a URL");
    }
    if (text.length > maxBytes) {
      throw new HttpError(
        414,
        `the request target must have at most ${maxBytes} bytes: current value is ${text.length}`,
      );
    }
    // An absolute-form target overrides Host in `request.url`, so both are looked at.
    const host = request.headers.get("host") ?? url.host;
    if (host !== this.#lastGood || host !== url.host) {
      const foreign = [host, url.host].find((name) => !this.#isOwn(hostOf(name)));
      if (foreign !== undefined) {
        throw new HttpError(
          421,
          `Host must be loopback or --host: current value is ${JSON.stringify(foreign.slice(0, 128))}`,
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
  } catch { /* told below */ }
  throw new HttpError(
    400,
    `Host must be a name or an address, and a port: current value is ${
      JSON.stringify(authority.slice(0, 128))
    }`,
  );
}

function hostname(host: string): string {
  return hostOf(host.includes(":") && !host.startsWith("[") ? `[${host}]` : host);
}
