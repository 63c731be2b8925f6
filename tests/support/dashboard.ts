import { valueOf } from "../../lib/channels/value.ts";
import { put } from "./files.ts";
import type { Page } from "./playwright.ts";
import { serve, type TestServer } from "./server.ts";

/** The views of the dashboard, by their address, each with what is in it once it has loaded. */
export const views: Readonly<Record<string, string>> = {
  overview: ":has(canvas):has(.run)",
  logs: " :text('a line')",
  runs: " .run",
  "files/a.txt": " :text('its text')",
  "channels/demo": " .newest :text('some')",
  "channels/ws": " button",
  "routes/GET/stream": " details[open] a",
};

/** A server with something for each view to show. */
export async function serveViews(): Promise<TestServer> {
  const server = await serve();
  await put(`${server.folder}/logs/app.log`, 'a line\n{"level":"error","msg":"failed"}\n');
  await put(`${server.folder}/files/a.txt`, "its text\n");
  server.store.publish("demo", [valueOf("some")]);
  // The run goes on without its reader.
  await (await fetch(`${server.origin}/stream?run=demo&interval=60000&request=false`)).body?.cancel();
  return server;
}

/** Opens a view, and waits until it has loaded. */
export async function openView(page: Page, { origin }: TestServer, view: string): Promise<void> {
  await page.goto(`${origin}/#${view}`);
  await page.locator(`.${view.split("/")[0]}${views[view]}`).nth(0).waitFor();
}
