import { signInPage } from "../lib/http/auth/sign_in_page.ts";
import { type Context, described } from "../lib/handler.ts";
import { mediaType } from "../lib/http/media_type.ts";
import { HttpError } from "../lib/stream/errors.ts";

/** Bytes of a form: nothing that a browser sends by it has more. */
const maxFormBytes = 16_384;

const formType = "application/x-www-form-urlencoded";

/** The answer of a form that leads on: the browser gets the next page (RFC 9110, 15.4.4). */
function leadTo(location: string, cookie: string): Response {
  return new Response(null, {
    status: 303,
    headers: { Location: location, "Set-Cookie": cookie, "Cache-Control": "no-store" },
  });
}

/** A path and query of this server, if `to` is one; else the first page. */
function ownPath(to: string | null, { url }: Context<unknown>): string {
  const target = to === null ? null : URL.parse(to, url);
  if (target?.origin !== url.origin) return "/";
  // Two slashes would begin the name of another host.
  return target.pathname.replace(/^\/+/, "/") + target.search;
}

/** POST /session: the form of the page to sign in, and that to sign out. */
export const signIn = described({
  body: {
    description: "`token`, and `to`, the path to go on to; or `sign-out`",
    content: { [formType]: { type: "object" } },
  },
  answers: {
    303: "signed in, with a cookie, or out",
    401: "the token is unknown, or has ended",
    404: "there are no tokens",
  },
}, async (_request, context) => {
  const { guard } = context.app;
  if (guard === null) throw new HttpError(404, "there are no tokens here: everybody is let in");
  // From strangers, and so no more of it than a form has: what is read at once is bounded for all together.
  const length = context.headers.get("content-length");
  if (length === null || Number(length) > maxFormBytes) {
    throw new HttpError(413, `the body must have a Content-Length of at most ${maxFormBytes}`);
  }
  if (mediaType(context.headers.get("content-type")).type !== formType) {
    throw new HttpError(415, `Content-Type must be ${formType}`);
  }
  const form = new URLSearchParams(await context.text());
  const isSecure = context.url.protocol === "https:";
  if (form.has("sign-out")) return leadTo("/session", guard.signIn(null, isSecure)!);
  const to = ownPath(form.get("to"), context);
  const cookie = guard.signIn(form.get("token")?.trim() ?? "", isSecure);
  return cookie === null
    ? signInPage(new URL(to, context.url).href, context.headers, true)
    : leadTo(to, cookie);
});

/** DELETE /session: signs a browser out. */
export const signOut = described({ answers: { 204: "the cookie is cleared" } }, (_request, context) => {
  const cookie = context.app.guard?.signIn(null, context.url.protocol === "https:");
  return new Response(null, { status: 204, headers: cookie ? { "Set-Cookie": cookie } : {} });
});
