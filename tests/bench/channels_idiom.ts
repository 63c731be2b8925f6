/** A channel as one would write it first, to measure against: a stream for each subscriber, and a write for each event. */
const subscribers = new Set<ReadableStreamDefaultController<Uint8Array>>();
let number = 0;

const server = Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`http://127.0.0.1:${port}/`),
}, async (request) => {
  if (request.method === "POST") {
    const event = `id: ${++number}\ndata: ${JSON.stringify(await request.json())}\n\n`;
    for (const subscriber of subscribers) subscriber.enqueue(new TextEncoder().encode(event));
    return Response.json({ id: number }, { status: 201 });
  }
  let own: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      own = controller;
      subscribers.add(controller);
      controller.enqueue(new TextEncoder().encode(": hello\n\n"));
    },
    cancel: () => void subscribers.delete(own),
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
});
Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
await server.finished;
