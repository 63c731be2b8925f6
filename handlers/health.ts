import { json } from "../lib/stream/json.ts";
import type { Handler } from "../lib/handler.ts";

/** GET /healthz: 200 while the server takes requests, with counts of what is open. */
export const health: Handler = (_request, { app, bodies }) =>
  json({
    status: "ok",
    uptime: Math.round((performance.now() - app.started) / 1_000),
    streams: app.limits.streams.used,
    downloads: app.limits.downloads.used,
    hand_made: bodies.handMade,
    sockets: app.sockets.size,
    runs: app.runs.running,
    lingering: app.sockets.lingering,
    access_log_lost: app.accessLog.lost,
  }, { headers: { "Cache-Control": "no-store" } });
