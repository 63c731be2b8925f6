import { escape } from "@std/html";
import { page } from "../page.ts";
import { type Right, rights } from "./token.ts";
import type { Grant } from "./tokens.ts";

/** Whether a browser asks for a page to show. Over plain HTTP beyond loopback it does not say so but by what it accepts. */
export function isNavigation({ method, headers }: Pick<Request, "method" | "headers">): boolean {
  const mode = headers.get("sec-fetch-mode");
  return method === "GET" && (mode === null || mode === "navigate") &&
    /\btext\/html\b/.test(headers.get("accept") ?? "");
}

/**
 * Whether the request follows a link of another site. It has no cookie then, as that is SameSite=Strict. `Sec-Fetch-User` is
 * only there once: what a page does by itself has none.
 */
const isLink = (headers: Headers) =>
  headers.get("sec-fetch-site") === "cross-site" && headers.get("sec-fetch-user") === "?1";

/**
 * The 401 with the form to sign in, which then leads to the path and query of `target`; `wrong`: the token did not let in. A
 * browser that came by a link of another site asks again at once, now from here, and so with its cookie.
 */
export function signInPage(target: string, headers: Headers, wrong = false): Response {
  const to = target.slice(target.indexOf("/", target.indexOf("//") + 2));
  const again = wrong ? `<p role="alert">The token is unknown, or has ended.</p>\n` : "";
  const form = `${again}<form method="post" action="/session">
<input type="hidden" name="to" value="${escape(to)}">
<label>Token <input type="password" name="token" autocomplete="current-password" required autofocus></label>
<button>Sign in</button>
</form>`;
  return page("Weir", form, 401, {
    "WWW-Authenticate": "Bearer",
    Vary: "Accept, Cookie",
    ...(isLink(headers) ? { Refresh: "0" } : {}),
  });
}

/** The form to sign out, which leads to that to sign in. */
export const signOut =
  `<form method="post" action="/session"><button name="sign-out" value="true">Sign out</button></form>`;

/** The 403 for a browser whose token has not the right that a page needs: whose it is, what it has, and the way out. */
export function forbiddenPage({ name, token }: Grant, right: Right): Response {
  const has = rights.filter((each) => token?.rights.has(each)).join(", ");
  const said = `Signed in as ${escape(name)} with a token for ${has}: this page needs the right ${right}.`;
  return page("Weir", `<p role="alert">${said}</p>\n${signOut}`, 403, { Vary: "Accept, Cookie" });
}
