import { described } from "../lib/handler.ts";
import { wholeResponse } from "../lib/stream/json.ts";

const type = "text/plain; version=0.0.4; charset=utf-8";

/** GET /metrics: what Prometheus reads. */
export const metrics = described(
  { answers: { 200: { description: "the metrics", content: { [type]: { type: "string" } } } } },
  (_request, { app }) =>
    wholeResponse(app.metrics.text(), 200, { "Content-Type": type, "Cache-Control": "no-store" }),
);
