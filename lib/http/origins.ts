import { STATUS_CODE } from "@std/http/status";
import { HttpError, quote } from "../stream/errors.ts";

/**
 * The origins whose pages may use the server: its own, and those of `--allow-origin`. A browser lets any page send requests
 * here, so those of other sites are refused by the headers that it adds and that no page can set.
 */
export class AllowedOrigins {
  readonly #allowed: ReadonlySet<string>;

  /** `allowed`: serialized origins. */
  constructor(allowed: readonly string[] = []) {
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
    if (this.#allowed.has(origin) || site !== "cross-site" && site !== "same-site" && isOwn(origin, url)) {
      return;
    }
    const rule = `Origin must be that of ${new URL(url).host} or one of --allow-origin`;
    throw new HttpError(STATUS_CODE.Forbidden, `${rule}: current value is ${quote(origin)}`);
  }

  /** Adds what lets the pages of an allowed origin read the response (Fetch, 3.3), also a preflight's. */
  share(method: string, requested: Headers, { headers }: Response): void {
    if (this.#allowed.size === 0) return;
    headers.append("Vary", "Origin");
    const origin = requested.get("origin");
    if (origin === null || !this.#allowed.has(origin)) return;
    headers.set("Access-Control-Allow-Origin", origin);
    headers.set("Access-Control-Expose-Headers", "*");
    if (method !== "OPTIONS" || !requested.has("access-control-request-method")) return;
    headers.set("Access-Control-Allow-Methods", headers.get("allow") ?? "");
    headers.set("Access-Control-Allow-Headers", requested.get("access-control-request-headers") ?? "");
    headers.set("Access-Control-Max-Age", "600");
  }
}

/** By host and port alone: behind a proxy that ends TLS the schemes differ. */
function isOwn(origin: string, url: string): boolean {
  return URL.parse(origin)?.host === new URL(url).host;
}
