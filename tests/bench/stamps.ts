/** A value every 10 ms that says when it was yielded, by Weir's path and by the plain idiom. */
import { every, exchange, streamResponse } from "../../lib/mod.ts";

const now = () => performance.timeOrigin + performance.now();

async function* stamps(signal: AbortSignal) {
  for await (const _ of every(10, signal)) yield `${now()}`;
}

const ours: Deno.ServeHandler = (request, info) =>
  streamResponse(exchange(request, info), async function* ({ signal }) {
    for await (const data of stamps(signal)) yield { data };
  });

const idiom = () => {
  const lines = async function* () {
    for await (const stamp of stamps(new AbortController().signal)) yield stamp + "\n";
  };
  return new Response(ReadableStream.from(lines()).pipeThrough(new TextEncoderStream()));
};

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`http://127.0.0.1:${port}/`),
}, (request, info) => new URL(request.url).pathname === "/ours" ? ours(request, info) : idiom());
Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
