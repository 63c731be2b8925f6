import { isIP } from "node:net";
import { hostOf } from "./allowed_hosts.ts";

/** What the proxy in front of the server says of a request: the last value of a field, as earlier ones came from the client. */
function lastHop(headers: Headers, name: string): string | undefined {
  return headers.get(name)?.split(",").at(-1)?.trim() || undefined;
}

/**
 * The address of the proxy's client, from `X-Forwarded-For`, without the port that some proxies add: that is another one for
 * each connection. Undefined for what is no address, such as `unknown`.
 */
export function forwardedClient(headers: Headers): string | undefined {
  const hop = lastHop(headers, "x-forwarded-for") ?? "";
  const [, v6, v4] = /^(?:\[(.*)\]|([\d.]+))(?::\d+)?$/.exec(hop) ?? [];
  const address = v6 ?? v4 ?? hop;
  return isIP(address) === 0 ? undefined : address;
}

/**
 * The URL that the proxy's client asked for: `X-Forwarded-Proto` and `X-Forwarded-Host` in place of scheme and host.
 *
 * @throws HttpError 400 for a host that does not parse
 */
export function forwardedUrl({ url, headers }: Pick<Request, "url" | "headers">): string {
  const proto = lastHop(headers, "x-forwarded-proto")?.toLowerCase();
  const host = lastHop(headers, "x-forwarded-host");
  if (host !== undefined) hostOf(host);
  const parts = /^([^:]*):\/\/([^/?#]*)(.*)$/s.exec(url);
  if (parts === null) return url;
  const [, scheme, authority, rest] = parts;
  return `${proto === "http" || proto === "https" ? proto : scheme}://${host ?? authority}${rest}`;
}
