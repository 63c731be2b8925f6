import { assertEquals } from "@std/assert";
import { HttpError } from "../../../lib/stream/errors.ts";
import { AllowedOrigins } from "../../../lib/http/origins.ts";

const origins = new AllowedOrigins(["https://app.example"]);

function status(check: () => void): number {
  try {
    check();
    return 200;
  } catch (error) {
    if (error instanceof HttpError) return error.status;
    throw error;
  }
}

const changes: [headers: Record<string, string>, status: number][] = [
  [{}, 200],
  [{ origin: "http://localhost:8000" }, 200],
  [{ origin: "https://localhost:8000" }, 200],
  [{ origin: "http://localhost:8000", "sec-fetch-site": "none" }, 200],
  [{ origin: "http://localhost" }, 403],
  [{ origin: "http://localhost:8001" }, 403],
  [{ origin: "http://evil.example" }, 403],
  [{ origin: "null" }, 403],
  [{ origin: "" }, 403],
  [{ "sec-fetch-site": "same-origin" }, 200],
  // Behind a proxy that sends its own Host.
  [{ origin: "https://weir.example", "sec-fetch-site": "same-origin" }, 200],
  [{ "sec-fetch-site": "none" }, 403],
  [{ "sec-fetch-site": "same-site" }, 403],
  [{ "sec-fetch-site": "cross-site" }, 403],
  [{ origin: "http://localhost:8000", "sec-fetch-site": "cross-site" }, 403],
  [{ origin: "https://app.example" }, 200],
  [{ origin: "https://app.example", "sec-fetch-site": "cross-site" }, 200],
  [{ origin: "http://app.example", "sec-fetch-site": "cross-site" }, 403],
  [{ origin: "https://app.example:8443", "sec-fetch-site": "cross-site" }, 403],
];

for (const [headers, expected] of changes) {
  Deno.test(`a change with ${JSON.stringify(headers)} is answered ${expected}`, () => {
    const check = () => origins.checkChange(new Headers(headers), "http://localhost:8000/");
    assertEquals(status(check), expected);
  });
}

for (
  const [origin, expected] of [["https://weir.example", 200], ["http://weir.example", 403], ["null", 403]]
) {
  Deno.test(`where a trusted proxy says the scheme, Origin ${origin} is answered ${expected} at https://weir.example`, () => {
    const headers = new Headers({ origin: String(origin), "x-forwarded-proto": "https" });
    const behindProxy = new AllowedOrigins([], true);
    assertEquals(status(() => behindProxy.checkChange(headers, "https://weir.example/")), expected);
    assertEquals(status(() => behindProxy.checkRead(headers, "https://weir.example/")), expected);
  });
}

for (
  const [origin, expected] of [["https://weir.example", 200], ["http://weir.example", 403], [
    "http://weir.example:443",
    403,
  ]]
) {
  Deno.test(`by TLS, Origin ${origin} is answered ${expected} at https://weir.example`, () => {
    const headers = new Headers({ origin: String(origin) });
    assertEquals(status(() => origins.checkChange(headers, "https://weir.example/")), expected);
    assertEquals(status(() => origins.checkRead(headers, "https://weir.example/")), expected);
  });
}

const reads: [headers: Record<string, string>, status: number][] = [
  [{}, 200],
  [{ "sec-fetch-site": "none", "sec-fetch-mode": "navigate" }, 200],
  [{ "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" }, 200],
  // A neighbour of the site, or another port of the host: its cookies come along.
  [{ "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors" }, 403],
  [{ "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate" }, 200],
  [{ "sec-fetch-site": "same-site", "sec-fetch-mode": "cors", origin: "https://app.example" }, 200],
  [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" }, 200],
  [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }, 200],
  [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" }, 403],
  [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "object" }, 403],
  [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }, 403],
  [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", origin: "https://evil.example" }, 403],
  [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", origin: "null" }, 403],
  [{ "sec-fetch-site": "cross-site" }, 403],
  [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", origin: "https://app.example" }, 200],
  // As a browser that sends no Sec-Fetch-* asks, for a script.
  [{ origin: "http://evil.example" }, 403],
  [{ origin: "null" }, 403],
  [{ origin: "http://localhost:8000" }, 200],
  [{ origin: "https://app.example" }, 200],
];

for (const [headers, expected] of reads) {
  Deno.test(`a GET with ${JSON.stringify(headers)} is answered ${expected}`, () => {
    const check = () => origins.checkRead(new Headers(headers), "http://localhost:8000/");
    assertEquals(status(check), expected);
  });
}
