import type { Handler } from "../lib/handler.ts";
import { wholeResponse } from "../lib/stream/json.ts";

const wave =
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="none" stroke="#07a" stroke-width="2">
<path d="M1 5q3.5-4 7 0t7 0M1 10q3.5-4 7 0t7 0"/></svg>
`;

/** GET /favicon.ico, which browsers ask for by themselves. */
export const favicon: Handler = () =>
  wholeResponse(wave, 200, { "Content-Type": "image/svg+xml", "Cache-Control": "max-age=86400" });
