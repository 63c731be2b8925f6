import { escape } from "@std/html";
import { unauthorized } from "../lib/http/auth/guard.ts";
import { isNavigation, signInPage, signOut } from "../lib/http/auth/sign_in_page.ts";
import { rights } from "../lib/http/auth/token.ts";
import { described } from "../lib/handler.ts";
import { jsonAnswer, object } from "../lib/http/answers.ts";
import { page } from "../lib/http/page.ts";
import { json } from "../lib/stream/json.ts";

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
