import { publicChannel, reserved } from "../lib/channels/channel_name.ts";
import { postedValues } from "../lib/channels/posted.ts";
import { checkName, checkParams, streamParams } from "../lib/http/params.ts";
import { json } from "../lib/stream/json.ts";
import type { Handler } from "../lib/handler.ts";
import { streamResponse } from "../lib/stream/response.ts";

/** GET /channels: the list of channels. */
export const channels: Handler = async (_request, { app }) =>
  json(await app.channels.list(), { headers: { "Cache-Control": "no-store" } });

/** GET /channels/NAME: what is published there from now on, or after a cursor. */
export const subscribe: Handler = (_request, context) => {
  const name = checkName("a channel's", context.params.name);
  if (name === reserved) {
    return new Response(null, {
      status: 308,
      headers: { Location: `/sensors/stream${context.url.search}`, "Cache-Control": "no-cache" },
    });
  }
  checkParams(context.query, streamParams);
  const { channels } = context.app;
  return streamResponse(context, (wanted) => channels.subscribe(name, wanted), { format: "sse" });
};

/** POST /channels/NAME: one event, or many as NDJSON, all of them or none. */
export const publish: Handler = async (request, context) => {
  const name = publicChannel(context.params.name);
  const values = await postedValues(request.headers.get("content-type"), await context.text());
  const id = await context.app.channels.publish(name, values);
  return json({ id, count: values.length }, { status: 201 });
};
