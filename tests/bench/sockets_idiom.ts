/** A channel over WebSockets as one would write it first, to measure against: a loop over the sockets with `send`. */
const sockets = new Set<WebSocket>();
let number = 0;

const server = Deno.serve({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0] ?? 0),
  onListen: ({ port }) => console.log(`http://127.0.0.1:${port}/`),
}, async (request) => {
  if (request.method === "POST") {
    const event = JSON.stringify({ id: ++number, data: await request.json() });
    for (const socket of sockets) if (socket.readyState === WebSocket.OPEN) socket.send(event);
    return Response.json({ id: number }, { status: 201 });
  }
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onopen = () => {
    sockets.add(socket);
    socket.send("hello");
  };
  socket.onclose = () => sockets.delete(socket);
  socket.onmessage = ({ data }) => socket.send(`Processed data: ${data}`);
  return response;
});
Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
await server.finished;
