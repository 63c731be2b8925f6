import { publicChannel } from "../lib/channels/channel_name.ts";
import { valueOfTyped } from "../lib/channels/value.ts";
import { type Context, described } from "../lib/handler.ts";
import { forbidden } from "../lib/http/auth/guard.ts";
import { cursorParams, int, text } from "../lib/http/params.ts";
import { answerInOrder } from "../lib/sockets/in_order.ts";
import { streamSocket } from "../lib/sockets/stream_socket.ts";
import { upgrade } from "../lib/sockets/upgrade.ts";
import { sleep } from "../lib/stream/clock.ts";

const processed = (message: string) => `Processed data: ${message}`;

/** The same after a wait, which takes one of the slots that all sockets share. */
async function slowly(message: string, ms: number, { tasks }: Context["sockets"], signal: AbortSignal) {
  using _slot = await tasks.acquire({ signal });
  await sleep(ms, signal);
  return processed(message);
}

/** The channel as a stream, and what is sent published into it. */
function channel(request: Request, context: Context<unknown>, name: string): Response | Promise<Response> {
  const { channels } = context.app;
  return streamSocket(request, context, (wanted) => channels.subscribe(name, wanted), {
    receive: (message) => {
      if (!context.may("publish")) throw forbidden("publish");
      return channels.publish(name, [valueOfTyped(message)]);
    },
  });
}

const params = {
  channel: text(
    "a channel's name: its events come as records of NDJSON, and what is sent is published there",
  ),
  delay: int({ min: 0, max: 10_000, default: 0 }, "ms of work for each message"),
  ...cursorParams,
};

/**
 * GET /ws: a WebSocket. Each message is processed, eight of one socket at once, and answered in order; with `?delay=MS` the
 * work takes that long. With `?channel=NAME` it is the channel.
 */
export const ws = described({
  params,
  answers: {
    101: {
      description:
        "a WebSocket (RFC 6455): each text message is answered `Processed data: …`, in order; with " +
        "`?channel=`, text messages of whole lines of NDJSON, until the record `end` and the close",
    },
    409: "the channel `sensors` is reserved",
    426: "the request is no upgrade to a WebSocket of version 13",
  },
}, (request, context) => {
  const { params: { channel: name, delay: ms }, sockets } = context;
  if (name !== undefined) return channel(request, context, publicChannel(name));
  return upgrade(
    request,
    context,
    (socket) =>
      answerInOrder(
        socket,
        ms === 0 ? processed : (message) => slowly(message, ms, sockets, socket.signal),
      ),
  );
});
