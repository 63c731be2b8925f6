import { Buffer } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** How long a ticket opens its URL, in ms. */
const lifeMs = 60_000;

/** What a ticket stands for: who had it made, for which page's origin ("" for any), and until when, in ms since 1970. */
type Claims = [name: string, origin: string, expires: number];

/** A ticket is the last parameter of a URL. */
const inUrl = /[?&]ticket=([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})$/;

/**
 * Tickets for EventSource and WebSocket on pages of other origins, which can send no header: each opens one path and query
 * for a minute. They are signed, not stored, so every process with the same secret takes them.
 */
export class Tickets {
  readonly #drawn = randomBytes(32).toString("base64url");
  #secret: string;

  /** Without a `secret` one is drawn. `now` is the time of day, in ms since 1970. */
  constructor(secret?: string, readonly now: () => number = Date.now) {
    this.#secret = secret ?? this.#drawn;
  }

  /** From now on tickets are signed, and checked, with this; without it, with the one that was drawn. */
  replace(secret: string | undefined): void {
    this.#secret = secret ?? this.#drawn;
  }

  /** Makes a ticket, good for a minute or `until` then; gives the path and query of `url` with it at the end. */
  sign(
    name: string,
    { pathname, search }: URL,
    origin: string,
    until = Infinity,
  ): { url: string; expires: number } {
    const expires = Math.min(this.now() + lifeMs, until);
    const claims = Buffer.from(JSON.stringify([name, origin, expires] satisfies Claims)).toString(
      "base64url",
    );
    const path = pathname + search;
    const mac = this.#mac(claims, path).toString("base64url");
    return { url: `${path}${search === "" ? "?" : "&"}ticket=${claims}.${mac}`, expires };
  }

  /** Whether a request has a ticket, good or not. */
  has(target: string): boolean {
    return target.includes("ticket=") && inUrl.test(target);
  }

  /** The name that the ticket of a request stands for, if it is for this path and query, this origin, and not too old. */
  nameOf(target: string, origin: string | null): string | null {
    const ticket = inUrl.exec(target);
    if (ticket === null) return null;
    const path = target.slice(target.indexOf("/", target.indexOf("//") + 2), ticket.index);
    const [, claims, mac] = ticket;
    if (!timingSafeEqual(Buffer.from(mac, "base64url"), this.#mac(claims, path))) return null;
    const [name, page, expires] = JSON.parse(Buffer.from(claims, "base64url").toString()) as Claims;
    return expires > this.now() && (page === "" || page === origin) ? name : null;
  }

  #mac(claims: string, path: string): Buffer {
    // Claims have no blank.
    return createHmac("sha256", this.#secret).update(`${claims} ${path}`).digest();
  }
}
