import type { Handler } from "../lib/handler.ts";

/** What each message becomes; it may await whatever it likes, as long as it passes the signal on. */
function process(message: string, _signal: AbortSignal): Promise<string> {
  return Promise.resolve(`Processed data: ${message}`);
}

/** GET /ws: a WebSocket whose messages are processed asynchronously and answered in order. */
export const ws: Handler = (request, context) => context.app.sockets.upgrade(request, context, process);
