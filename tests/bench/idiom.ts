/** The plain Deno idiom of each job, to measure against: what a tutorial would have one write. */
async function* lines(count: number) {
  for (let i = 1; i <= count; i++) yield `step ${i}: ${i} x 2 = ${i * 2}\n`;
}

async function* sse(count: number) {
  for (let i = 1; i <= count; i++) yield `id: ${i}\ndata: ${JSON.stringify({ step: i, result: i * 2 })}\n\n`;
}

async function* ndjson(count: number) {
  for (let i = 1; i <= count; i++) {
    yield JSON.stringify({ id: String(i), data: { step: i, result: i * 2 } }) + "\n";
  }
}

const respond = (source: AsyncIterable<string>) =>
  new Response(ReadableStream.from(source).pipeThrough(new TextEncoderStream()));

// The answers of /healthz and of five steps, ready made, with the headers that the server gives them.
const health =
  '{"status":"ok","uptime":10,"streams":0,"downloads":0,"hand_made":0,"sockets":0,"runs":0,"lingering":0}\n';
const five = Array.from({ length: 5 }, (_, i) => `step ${i + 1}: ${i + 1} x 2 = ${i * 2 + 2}\n`).join("");
const everywhere = {
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "X-Request-Id": "0b1c2d3e-1a2b",
};
const healthHeaders = { "Content-Type": "application/json", "Cache-Control": "no-store", ...everywhere };
const fiveHeaders = {
  "Content-Type": "text/plain; charset=utf-8",
  "Cache-Control": "no-store, no-transform",
  "X-Accel-Buffering": "no",
  "Incremental": "?1",
  ...everywhere,
};

const server = Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`http://127.0.0.1:${port}/`),
}, (request) => {
  if (request.url.endsWith("/health")) return new Response(health, { headers: healthHeaders });
  if (request.url.endsWith("/five")) return new Response(five, { headers: fiveHeaders });
  return answer(request);
});

async function answer(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const count = Number(searchParams.get("count"));
  switch (pathname) {
    case "/lines":
      return respond(lines(count));
    case "/sse":
      return respond(sse(count));
    case "/ndjson":
      return respond(ndjson(count));
    case "/file":
      return new Response((await Deno.open(searchParams.get("file")!)).readable);
  }
  return new Response(null, { status: 404 });
}
Deno.addSignalListener("SIGTERM", () => server.shutdown().then(() => Deno.exit(0)));
