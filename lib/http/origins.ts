import { STATUS_CODE } from "@std/http/status";
import { HttpError, quote } from "../stream/errors.ts";

/**
 * The origins whose pages may use the server: its own, and those of `--allow-origin`. A browser lets any page send requests
 * here, so those of other sites are refused by the headers that it adds and that no page can set.
 */
export class AllowedOrigins {
  readonly #allowed: ReadonlySet<string>;

  /** `allowed`: serialized origins. With `trustProxy` a request's `X-Forwarded-Proto` made the scheme of its URL. */
  constructor(allowed: readonly string[] = [], readonly trustProxy = false) {
    this.#allowed = new Set(allowed);
  }

  /**
   * Refuses a change, or an upgrade, by a page of another origin. Behind a proxy the own name may be unknown here, but the
   * browser says `same-origin`.
   *
   * @throws HttpError 403
   */
  checkChange(headers: Headers, url: string): void {
    const origin = headers.get("origin");
    const site = headers.get("sec-fetch-site");
    // With neither it is a program, not a page.
    if (site === "same-origin" || origin === null && site === null) return;
    if (origin === null) {
      throw new HttpError(STATUS_CODE.Forbidden, "a request from another site must not change anything here");
    }
    const isOther = site === "cross-site" || site === "same-site";
    if (this.#allowed.has(origin) || !isOther && this.#isOwn(origin, url, headers)) return;
    const rule = `Origin must be that of ${new URL(url).host} or one of --allow-origin`;
    throw new HttpError(STATUS_CODE.Forbidden, `${rule}: current value is ${quote(origin)}`);
  }

  /**
   * Refuses what a page of another origin makes a browser get, also inside a frame: each would cost work here. A client that follows
   * a link navigates, and passes. Browsers leave Sec-Fetch-* out over plain HTTP, but send Origin with what a script reads.
   *
   * @throws HttpError 403
   */
  checkRead(headers: Headers, url: string): void {
    const site = headers.get("sec-fetch-site");
    if (site === "same-origin" || site === "none") return;
    const origin = headers.get("origin");
    if (site === null && origin === null || origin !== null && this.#allowed.has(origin)) return;
    if (site === null && this.#isOwn(origin!, url, headers)) return;
    const isFramed = framed.test(headers.get("sec-fetch-dest") ?? "");
    if (headers.get("sec-fetch-mode") === "navigate" && !isFramed) return;
    throw new HttpError(
      STATUS_CODE.Forbidden,
      "a page of another origin must not read this, unless its origin is one of --allow-origin: " +
        `current value is ${origin === null ? "absent" : quote(origin)}`,
    );
  }

  /**
   * Adds what keeps the response from other sites (Fetch, 3.7), or lets the pages of an allowed origin read it (Fetch, 3.3),
   * also a preflight's.
   */
  share(method: string, requested: Headers, { headers }: Response): void {
    const origin = this.#allowed.size === 0 ? null : requested.get("origin");
    if (this.#allowed.size > 0) headers.append("Vary", "Origin");
    if (origin === null || !this.#allowed.has(origin)) {
      return headers.set("Cross-Origin-Resource-Policy", "same-origin");
    }
    headers.set("Access-Control-Allow-Origin", origin);
    headers.set("Access-Control-Expose-Headers", "*");
    if (method !== "OPTIONS" || !requested.has("access-control-request-method")) return;
    headers.set("Access-Control-Allow-Methods", headers.get("allow") ?? "");
    headers.set("Access-Control-Allow-Headers", requested.get("access-control-request-headers") ?? "");
    headers.set("Access-Control-Max-Age", "600");
  }

  /** By host and port alone where a proxy may end TLS and not say so: the origin is then of https, and the URL is not. */
  #isOwn(origin: string, url: string, headers: Headers): boolean {
    const [theirs, own] = [URL.parse(origin), new URL(url)];
    return own.protocol === "https:" || this.trustProxy && headers.has("x-forwarded-proto")
      ? theirs?.origin === own.origin
      : theirs?.host === own.host;
  }
}

/** What a navigation within a page is for: `Sec-Fetch-Dest`. */
const framed = /^(object|embed|i?frame|fencedframe)$/;
