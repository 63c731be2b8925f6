import type { Handler } from "../lib/handler.ts";
import { wholeResponse } from "../lib/stream/json.ts";
import style from "./home/page.css" with { type: "text" };
import script from "./home/page.js" with { type: "text" };

const wave =
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="none" stroke="#07a" stroke-width="2">
<path d="M1 5q3.5-4 7 0t7 0M1 10q3.5-4 7 0t7 0"/></svg>
`;

const asset = (text: string, type: string, cache = "no-cache"): Handler => () =>
  wholeResponse(text, 200, { "Content-Type": type, "Cache-Control": cache });

/** GET /favicon.ico, which browsers ask for by themselves. */
export const favicon: Handler = asset(wave, "image/svg+xml", "max-age=86400");

/** GET /page.css: the style of every page. */
export const pageStyle: Handler = asset(style, "text/css; charset=utf-8");

/** GET /page.js: the script of the first page. */
export const pageScript: Handler = asset(script, "text/javascript; charset=utf-8");
