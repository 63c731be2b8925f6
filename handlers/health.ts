import { json } from "../lib/stream/json.ts";
import { type Context, described } from "../lib/handler.ts";
import { jsonAnswer, object } from "../lib/http/description.ts";

const counts = object({
  status: { enum: ["ok", "degraded"] },
  reasons: { type: "array", items: { type: "string" } },
  uptime: "integer",
  streams: "integer",
  downloads: "integer",
  hand_made: "integer",
  sockets: "integer",
  runs: "integer",
  lingering: "integer",
  access_log_lost: "integer",
});

/** What keeps some requests, or some of the work beside them, from being done. */
function reasonsOf(
  { limits: { streams, downloads }, sockets, accessLog, failedServices }: Context["app"],
): string[] {
  const most = sockets.limits.sockets;
  const full = Object.entries({
    streams: [streams.used, streams.max],
    downloads: [downloads.used, downloads.max],
    sockets: [sockets.size, most],
    // Beyond it new ones are refused.
    "closed sockets that linger": [sockets.lingering, Math.floor(most / 4) + 1],
  }).filter(([, [used, max]]) => used >= max);
  return [
    ...full.map(([what, [used, max]]) => `${what}: ${used} of ${max}`),
    ...accessLog.failing ? ["the access log cannot be written"] : [],
    ...[...failedServices].map((name) => `the service ${name} has failed`),
  ];
}

/** GET /healthz: 200 while the server takes requests, with counts of what is open; degraded while some are refused. */
export const health = described(
  { answers: { 200: jsonAnswer("what is open", counts) } },
  (_request, { app, bodies }) => {
    const reasons = reasonsOf(app);
    return json({
      status: reasons.length === 0 ? "ok" : "degraded",
      reasons,
      uptime: Math.round((performance.now() - app.started) / 1_000),
      streams: app.limits.streams.used,
      downloads: app.limits.downloads.used,
      hand_made: bodies.handMade,
      sockets: app.sockets.size,
      runs: app.runs.running,
      lingering: app.sockets.lingering,
      access_log_lost: app.accessLog.lost,
    }, { headers: { "Cache-Control": "no-store" } });
  },
);
