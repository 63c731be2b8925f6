import { json } from "../lib/stream/json.ts";
import { described } from "../lib/handler.ts";
import { jsonAnswer, object } from "../lib/http/answers.ts";

const counts = object({
  status: { const: "ok" },
  uptime: "integer",
  streams: "integer",
  downloads: "integer",
  hand_made: "integer",
  sockets: "integer",
  runs: "integer",
  lingering: "integer",
  access_log_lost: "integer",
});

const headers = { "Cache-Control": "no-store" };

/** GET /healthz: 200 while the server takes requests, with counts of what is open; strangers get the status alone. */
export const health = described(
  { answers: { 200: jsonAnswer("what is open", counts) } },
  (_request, context) => {
    if (!context.may("read")) return json({ status: "ok" }, { headers });
    const { app, bodies } = context;
    return json({
      status: "ok",
      uptime: Math.round((performance.now() - app.started) / 1_000),
      streams: app.limits.streams.used,
      downloads: app.limits.downloads.used,
      hand_made: bodies.handMade,
      sockets: app.sockets.size,
      runs: app.runs.running,
      lingering: app.sockets.lingering,
      access_log_lost: app.accessLog.lost,
    }, { headers });
  },
);
