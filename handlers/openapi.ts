import denoJson from "../deno.json" with { type: "json" };
import { described, type Route } from "../lib/handler.ts";
import { jsonAnswer } from "../lib/http/answers.ts";
import { openApi } from "../lib/http/openapi.ts";
import { json } from "../lib/stream/json.ts";

const info = {
  title: "Weir",
  version: denoJson.version,
  license: { name: denoJson.license, identifier: denoJson.license },
  description:
    "Async generators as live streams. A stream that was cut never looks complete, and an event's id is a " +
    "cursor that the reader comes back with.",
};

/** Made once a table. */
const documents = new WeakMap<readonly Route[], object>();

/** GET /openapi.json: every route, for generators and viewers. */
export const openapi = described(
  { answers: { 200: jsonAnswer("this document", { type: "object" }) } },
  (_request, { routes }) => {
    const document = documents.get(routes) ?? openApi(routes, info);
    documents.set(routes, document);
    return json(document, { headers: { "Cache-Control": "no-cache" } });
  },
);
