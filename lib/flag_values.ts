import { parseWhole } from "./http/params.ts";
import { logFormats } from "./diagnostics.ts";

/** As browsers send it: without a path, a default port or upper-case letters; of one host, as `*` stands for none. */
export function isOrigin(value: string): boolean {
  return /^https?:[^*]*$/.test(value) && URL.parse(value)?.origin === value;
}

/** Of a host, and at most the index of a database: node-redis would take the rest for something else, or leave it out. */
export function isRedisUrl(value: string): boolean {
  const url = URL.parse(value);
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === "") return false;
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    return false;
  }
  return /^(\/\d*)?$/.test(url.pathname) && url.search === "" && url.hash === "";
}

/** One of {@linkcode logFormats}. */
export function isLogFormat(value: string): boolean {
  return logFormats.some((format) => format === value);
}

/** A host, or all below one, as `*.example.org`. */
export function isName(value: string): boolean {
  return isHost(value.replace(/^\*\./, ""));
}

/** The address of `--admin`; null without one that can be used. */
export function adminOf(value = ""): Readonly<Deno.NetAddr> | null {
  const [, bracketed, plain, digits] = /^(?:(?:\[(.*)\]|([^:]*)):)?(\d+)$/.exec(value) ?? [];
  const hostname = bracketed ?? plain ?? "127.0.0.1";
  const port = parseWhole(digits ?? "", 0, 65_535);
  return port === undefined || !isHost(hostname) ? null : Object.freeze({ transport: "tcp", hostname, port });
}

/** A host name or an address, without a port. */
export function isHost(value: string): boolean {
  const authority = value.includes(":") ? `[${value}]` : value;
  // Not all that looks like an address is one: 256.1.1.1, or ":::".
  return /^[a-zA-Z0-9.:-]+$/.test(value) && URL.canParse(`http://${authority}`);
}
