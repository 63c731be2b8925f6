import { STATUS_CODE } from "@std/http/status";
import { HttpError, quote } from "../stream/errors.ts";

/**
 * Guards a request that changes something, or an upgrade: a browser lets any page send it.
 *
 * @throws HttpError 403 when it comes from another site
 */
export function checkSameOrigin(request: Request, url: URL): void {
  const site = request.headers.get("sec-fetch-site");
  if (site === "cross-site" || site === "same-site") {
    throw new HttpError(STATUS_CODE.Forbidden, "a request from another site must not change anything here");
  }
  const origin = request.headers.get("origin");
  // By host and port alone: behind a proxy that ends TLS the schemes differ.
  if (origin !== null && (!URL.canParse(origin) || new URL(origin).host !== url.host)) {
    throw new HttpError(
      STATUS_CODE.Forbidden,
      `Origin must be that of ${url.host}: current value is ${quote(origin)}`,
    );
  }
}
