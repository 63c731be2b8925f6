import { accepts } from "@std/http/negotiation";
import type { Handler, Route } from "../lib/router.ts";
import page from "./home/page.html" with { type: "text" };

/** A route as the first page tells it. */
interface Row {
  method: string;
  path: string;
  description: string;
  /** A line to paste into a shell. */
  curl: string;
  /** Where to look at it in a browser, relative to this page. */
  link: string;
}

/** The example with a file that is really there, so that its link works. */
function describe({ method, path, description, example }: Route, origin: string, file: string): Row {
  const link = example.replace("{file}", encodeURIComponent(file));
  if (method === "POST") {
    return { method, path, description, curl: `curl -d '{"value":1}' ${origin}${link}`, link };
  }
  if (link.startsWith("#")) {
    const upgrade = [
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: d2VpciBpcyBhIHdlaXI9PQ==",
    ];
    return {
      method,
      path,
      description,
      curl: `curl -iN ${upgrade.map((line) => `-H '${line}'`).join(" ")} ${origin}${path}`,
      link,
    };
  }
  return { method, path, description, curl: `curl -N '${origin}${link}'`, link };
}

async function firstFile(folder: string): Promise<string> {
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (isFile && !name.startsWith(".")) return name;
    }
  } catch { /* a root that cannot be read has no file to show */ }
  return "NAME";
}

const escapes: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escape = (text: string) => text.replace(/[&<>"']/g, (character) => escapes[character]);

function html({ method, path, description, curl, link }: Row): string {
  return `
      <tr><td><a href="${escape(link)}">${escape(`${method} ${path}`)}</a><td>${
    escape(description)
  }<td><code>${escape(curl)}</code>`;
}

const headers = {
  "Cache-Control": "no-store",
  "Content-Security-Policy":
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'",
  Vary: "Accept",
};

/** GET /: every route, with a curl line and a link; JSON for a client that prefers it. */
export const home: Handler = async (request, { app, url }) => {
  const file = await firstFile(app.config.files);
  const rows = app.routes.map((route) => describe(route, url.origin, file));
  if (accepts(request, "text/html", "application/json") === "application/json") {
    return Response.json(rows, { headers });
  }
  return new Response(page.replace("<!-- routes -->", () => rows.map(html).join("")), {
    headers: { ...headers, "Content-Type": "text/html; charset=utf-8" },
  });
};
