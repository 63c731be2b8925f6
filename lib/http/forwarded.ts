import { hostOf } from "./allowed_hosts.ts";

/** What the proxy in front of the server says of a request: the last value of a field, as earlier ones came from the client. */
function lastHop(headers: Headers, name: string): string | undefined {
  return headers.get(name)?.split(",").at(-1)?.trim() || undefined;
}

/** The address of the proxy's client, from `X-Forwarded-For`. */
export function forwardedClient(headers: Headers): string | undefined {
  return lastHop(headers, "x-forwarded-for");
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
