import { described } from "../lib/handler.ts";
import { jsonAnswer, object } from "../lib/http/answers.ts";
import { Router } from "../lib/http/router.ts";
import { HttpError } from "../lib/stream/errors.ts";
import { json } from "../lib/stream/json.ts";

const asked = object({ url: "string", "origin?": "string" });

/**
 * POST /tickets: a URL that a page of another origin can open for a minute with EventSource or WebSocket, which send no
 * header. It reads in the name of the token that asks for it, and only while there is one of that name.
 */
export const makeTicket = described({
  body: {
    description:
      "the URL to open, and the origin of the page that will; without it, any page of an allowed one",
    content: { "application/json": asked },
  },
  answers: {
    201: jsonAnswer(
      "`url` is the path and query with the ticket, good until `expires`",
      object({ url: "string", expires: { type: "string", format: "date-time" } }),
    ),
    404: "there are no tokens",
  },
}, async (_request, context) => {
  const { app: { guard, config }, grant, headers } = context;
  if (guard === null) throw new HttpError(404, "there are no tokens here: everybody is let in");
  const { url: text, origin = headers.get("origin") ?? "" } = Object(await context.json());
  const url = typeof text === "string" && text !== "" ? URL.parse(text, context.url) : null;
  if (url?.origin !== context.url.origin) {
    throw new HttpError(400, 'url must be a path and query of this server, as in {"url": "/channels/demo"}');
  }
  // Throws what a GET of it would be answered: the page could not see it.
  new Router(context.routes).match("GET", url.pathname);
  if (!["", url.origin, ...config.allowOrigins ?? []].includes(origin)) {
    throw new HttpError(400, "origin must be one of --allow-origin, as in https://app.example");
  }
  const ticket = guard.tickets.sign(grant!.name, url, origin, grant!.token?.expires);
  return json({ url: ticket.url, expires: new Date(ticket.expires).toISOString() }, {
    status: 201,
    headers: { "Cache-Control": "no-store" },
  });
});
