import type { Handler } from "../lib/handler.ts";
import { wholeResponse } from "../lib/stream/json.ts";

/** GET /metrics: what Prometheus reads. */
export const metrics: Handler = (_request, { app }) =>
  wholeResponse(app.metrics.text(), 200, {
    "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
    "Cache-Control": "no-store",
  });
