import { randomBytes } from "node:crypto";
import { HttpError } from "../../stream/errors.ts";
import type { Access } from "../description.ts";
import { forbiddenPage, isNavigation, signInPage } from "./sign_in_page.ts";
import { Tickets } from "./tickets.ts";
import { hashOf, type Right, type Token } from "./token.ts";
import type { TokenFile } from "./token_file.ts";
import { type Grant, Tokens } from "./tokens.ts";

/** Seconds that a browser keeps its cookie. */
const cookieSeconds = 30 * 86_400;

/** What is known of a request before it has a handler. */
export interface Asking {
  readonly method: string;
  readonly headers: Headers;
  /** The URL that the client asked for. */
  readonly target: string;
}

/** Lets in who presents a token: `Authorization: Bearer`, else a ticket, else the cookie of a browser that has signed in. */
export class Guard {
  readonly tickets: Tickets;
  /** The cookie's name: cookies do not keep the ports of a host apart. Whoever listens sets it. */
  cookie = "weir";
  /** A token that may read, for what the server asks of itself. */
  readonly own: string = randomBytes(32).toString("base64url");
  readonly #tokens: Tokens;
  readonly #fixed: readonly Token[];

  /** `all` is the text of a token with all rights, named `env`. `now` is the time of day, in ms since 1970. */
  constructor(file: TokenFile, all?: string, now: () => number = Date.now) {
    this.#fixed = [
      { name: "weir", rights: new Set(["read"]), hash: hashOf(this.own), expires: Infinity },
      ...(all === undefined
        ? []
        : [{ name: "env", rights: new Set<Right>(["admin"]), hash: hashOf(all), expires: Infinity }]),
    ];
    this.#tokens = new Tokens([...file.tokens, ...this.#fixed], now);
    this.tickets = new Tickets(file.secret, now);
  }

  /** From now on the tokens of this file let in, in place of those of the one before. */
  replace({ tokens, secret }: TokenFile): void {
    this.#tokens.replace([...tokens, ...this.#fixed]);
    this.tickets.replace(secret);
  }

  /** Who asks; null for a stranger. */
  identify({ method, headers, target }: Asking): Grant | null {
    const bearer = bearerOf(headers);
    if (bearer !== undefined) return this.#tokens.find(bearer);
    if (method === "GET" && this.tickets.has(target)) {
      const name = this.tickets.nameOf(target, headers.get("origin"));
      const grant = name === null ? null : this.#tokens.reading(name);
      // Who opens such a URL in a browser, and signs in there, has a cookie as well.
      if (grant?.may("read")) return grant;
    }
    const cookies = headers.get("cookie");
    if (cookies === null) return null;
    const prefix = `${this.cookie}=`;
    // A page of a neighbouring name can set a second one, for all names of the domain.
    const ours = cookies.split(/; ?/).filter((cookie) => cookie.startsWith(prefix)).slice(0, 4);
    for (const cookie of ours) {
      const grant = this.#tokens.find(cookie.slice(prefix.length));
      if (grant !== null) return grant;
    }
    return null;
  }

  /**
   * Lets a request pass, or answers one by which a browser navigates with the form to sign in, or to sign out where its
   * token has not the right.
   *
   * @throws HttpError 401 for a stranger, 403 for one whose token has not this right
   */
  check(access: Access, asking: Asking & { readonly grant: Grant | null }): Response | undefined {
    if (access === "open") return;
    const { grant, headers, target } = asking;
    if (grant?.may(access)) return;
    const hasCookie = bearerOf(headers) === undefined && headers.has("cookie");
    if (grant !== null && hasCookie && isNavigation(asking)) return forbiddenPage(grant, access);
    if (grant !== null) throw forbidden(access);
    if (isNavigation(asking)) return signInPage(target, headers);
    throw unauthorized(headers, this.tickets.has(target));
  }

  /** The `Set-Cookie` of who signs in with a token; null for one that does not let in. Without a token, of who signs out. */
  signIn(token: string | null, isSecure: boolean): string | null {
    if (token !== null && this.#tokens.find(token) === null) return null;
    const age = token === null ? 0 : cookieSeconds;
    return `${this.cookie}=${token ?? ""}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Strict` +
      (isSecure ? "; Secure" : "");
  }
}

/** The token of an `Authorization` (RFC 6750, 2.1); other schemes are for a proxy in front. */
function bearerOf(headers: Headers): string | undefined {
  return /^bearer +(.*)$/i.exec(headers.get("authorization") ?? "")?.[1];
}

/** The 401 of a stranger, or of one whose token or ticket does not let in (RFC 6750, 3). */
export function unauthorized(headers: Headers, hasTicket = false): HttpError {
  const wrong = hasTicket || bearerOf(headers) !== undefined;
  return new HttpError(
    401,
    wrong ? "the token or ticket is unknown, or has ended" : "a token must be given",
    {
      headers: { "WWW-Authenticate": wrong ? 'Bearer error="invalid_token"' : "Bearer" },
    },
  );
}

/** The 403 of a token that lacks a right (RFC 6750, 3.1). */
export function forbidden(right: Right): HttpError {
  return new HttpError(403, `the token must have the right ${right}`, {
    headers: { "WWW-Authenticate": `Bearer error="insufficient_scope", scope="${right}"` },
  });
}
