import { json } from "../lib/stream/json.ts";
import { type Context, described } from "../lib/handler.ts";
import { jsonAnswer, object } from "../lib/http/answers.ts";

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
  { limits: { streams, downloads }, sockets, accessLog, failedServices, channels }: Context["app"],
): string[] {
  const reasons: string[] = [];
  const most = sockets.limits.sockets;
  if (streams.used >= streams.max) reasons.push(`streams: ${streams.used} of ${streams.max}`);
  if (downloads.used >= downloads.max) reasons.push(`downloads: ${downloads.used} of ${downloads.max}`);
  if (sockets.size >= most) reasons.push(`sockets: ${sockets.size} of ${most}`);
  // New ones are refused then.
  if (sockets.lingering > most / 4) reasons.push(`closed sockets that linger: ${sockets.lingering}`);
  if (accessLog.failing) reasons.push("the access log cannot be written");
  if (channels.fault !== null) reasons.push(channels.fault);
  for (const name of failedServices) reasons.push(`the service ${name} has failed`);
  return reasons;
}

const headers = { "Cache-Control": "no-store" };

/**
 * GET /healthz: 200 while the server takes requests, with counts of what is open; degraded while some are refused. Strangers get
 * `ok` alone.
 */
export const health = described(
  { answers: { 200: jsonAnswer("what is open", counts) } },
  (_request, context) => {
    if (!context.may("read")) return json({ status: "ok" }, { headers });
    const { app, bodies } = context;
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
    }, { headers });
  },
);
