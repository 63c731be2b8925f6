import { escape } from "@std/html";
import { unauthorized } from "../lib/http/auth/guard.ts";
import { isNavigation, signInPage } from "../lib/http/auth/sign_in_page.ts";
import { rights } from "../lib/http/auth/token.ts";
import { type Context, described } from "../lib/handler.ts";
import { jsonAnswer, object } from "../lib/http/answers.ts";
import { page } from "../lib/http/page.ts";
import { HttpError } from "../lib/stream/errors.ts";
import { json } from "../lib/stream/json.ts";

const maxFormBytes = 16_384;

const signOut =
  `<form method="post" action="/session"><button name="sign-out" value="true">Sign out</button></form>`;

/** GET /session: whose token the client has, what it allows, and until when; a page for a browser. */
export const session = described({
  answers: {
    200: jsonAnswer(
      "whose token it is; the name is null where there are no tokens, and `expires` where it does not end",
      object({
        name: "string|null",
        rights: { type: "array", items: { enum: rights } },
        expires: "string|null",
      }),
    ),
  },
}, (request, { app, grant, url }) => {
  const token = grant?.token;
  if (app.guard !== null && token === undefined) {
    if (isNavigation(request)) return signInPage(url.href, request.headers);
    throw unauthorized(request.headers);
  }
  const { name = null, expires = Infinity } = token ?? {};
  const told = {
    name,
    rights: rights.filter((right) => token === undefined || token.rights.has(right)),
    expires: expires === Infinity ? null : new Date(expires).toISOString(),
  };
  if (!isNavigation(request)) return json(told, { headers: { "Cache-Control": "no-store", Vary: "Accept" } });
  const until = told.expires === null ? "" : ` until ${told.expires}`;
  return page(
    "Weir",
    `<p>${name === null ? "There are no tokens here" : `Signed in as ${escape(name)}`}: ${
      told.rights.join(", ")
    }${until}.</p>
<p><a href="/">First page</a></p>
${name === null ? "" : signOut}`,
    200,
    { Vary: "Accept" },
  );
});

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
    content: { "application/x-www-form-urlencoded": { type: "object" } },
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
export const signOutNow = described({ answers: { 204: "the cookie is cleared" } }, (_request, context) => {
  const cookie = context.app.guard?.signIn(null, context.url.protocol === "https:");
  return new Response(null, { status: 204, headers: cookie ? { "Set-Cookie": cookie } : {} });
});
