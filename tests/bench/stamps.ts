/** A value every 10 ms that says when it was yielded, by Weir's path and by the plain idiom. */
import { App } from "../../lib/app.ts";
import { every } from "../../lib/stream/clock.ts";
import { defaultLimits } from "../../lib/config.ts";
import type { Handler } from "../../lib/handler.ts";
import { streamResponse } from "../../lib/stream/response.ts";

const now = () => performance.timeOrigin + performance.now();

async function* stamps(signal: AbortSignal) {
  for await (const _ of every(10, signal)) yield `${now()}`;
}

const ours: Handler = (request, context) =>
  streamResponse(request, context, async function* () {
    for await (const data of stamps(context.signal)) yield { data };
  });

const idiom: Handler = () => {
  const lines = async function* () {
    for await (const stamp of stamps(new AbortController().signal)) yield stamp + "\n";
  };
  return new Response(ReadableStream.from(lines()).pipeThrough(new TextEncoderStream()));
};

const folder = await Deno.makeTempDir();
const app = new App({
  host: "127.0.0.1",
  port: 0,
  files: folder,
  logs: [],
  sensors: null,
  upstream: null,
  drain: 1,
  accessLog: `${folder}/access.log`,
  limits: defaultLimits,
}, [
  { method: "GET", path: "/ours", handler: ours, description: "", example: "" },
  { method: "GET", path: "/idiom", handler: idiom, description: "", example: "" },
]);
Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`http://127.0.0.1:${port}/`),
}, app.fetch);
Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
