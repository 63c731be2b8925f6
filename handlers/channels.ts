import { publicChannel, reserved } from "../lib/channels/channel_name.ts";
import { postedValues } from "../lib/channels/posted.ts";
import { type Context, described } from "../lib/handler.ts";
import { jsonAnswer, list, object, streamAnswers } from "../lib/http/answers.ts";
import { checkName, segment, streamParams } from "../lib/http/params.ts";
import { HttpError, quote } from "../lib/stream/errors.ts";
import { json } from "../lib/stream/json.ts";
import { streamResponse } from "../lib/stream/response.ts";

const info = object({ name: "string", events: "integer", last: "string|null", readers: "integer|null" });

/** GET /channels: the list of channels. */
export const channels = described(
  { answers: { 200: jsonAnswer("the channels", list(info)) } },
  async (_request, { app }) => json(await app.channels.list(), { headers: { "Cache-Control": "no-store" } }),
);

const name = segment(
  "a channel's name: 1 to 64 letters, digits, `.`, `_` or `-`, the first a letter or digit",
);

/** GET /channels/NAME: what is published there from now on, or after a cursor. */
export const subscribe = described({
  params: { name, ...streamParams },
  answers: {
    ...streamAnswers("sse", "what is published"),
    308: { description: "the channel `sensors` is `/sensors/stream`" },
  },
}, (_request, context) => {
  const name = checkName("a channel's", context.params.name);
  if (name === reserved) {
    return new Response(null, {
      status: 308,
      headers: { Location: `/sensors/stream${context.url.search}`, "Cache-Control": "no-cache" },
    });
  }
  const { channels } = context.app;
  return streamResponse(context, (wanted) => channels.subscribe(name, wanted), { format: "sse" });
});

/**
 * The header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header), which each token has for itself: a post that is
 * repeated with it is published once.
 *
 * @throws HttpError 400 for one that is too long
 */
function idempotencyKey({ headers, grant }: Pick<Context, "headers" | "grant">): string | undefined {
  const key = headers.get("idempotency-key");
  if (key === null) return;
  if (/^[\x20-\x7e]{1,255}$/.test(key)) return `${grant?.name ?? ""} ${key}`;
  throw new HttpError(
    400,
    `Idempotency-Key must be 1 to 255 characters of ASCII: current value is ${quote(key)}`,
  );
}

/** POST /channels/NAME: one event, or many as NDJSON, all of them or none. */
export const publish = described({
  params: { name },
  body: {
    description: "one JSON value, one text, or many JSON values, one a line",
    content: {
      "application/json": {},
      "text/plain": { type: "string" },
      "application/x-ndjson": { type: "string" },
      "application/jsonl": { type: "string" },
    },
  },
  answers: {
    201: jsonAnswer(
      "how many were published, and the id of the last",
      object({ id: "string", count: "integer" }),
    ),
    409: "the name `sensors` is reserved",
    422: "the Idempotency-Key came with other events before",
  },
}, async (request, context) => {
  const name = publicChannel(context.params.name);
  const values = await postedValues(request.headers.get("content-type"), await context.text());
  const id = await context.app.channels.publish(name, values, idempotencyKey(context));
  return json({ id, count: values.length }, { status: 201 });
});
