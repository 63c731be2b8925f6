import { send } from "./wire.ts";

/** A WebSocket client that keeps what it gets. */
export interface Client {
  socket: WebSocket;
  messages: string[];
  /** Resolves when the socket has closed. */
  closed: Promise<{ code: number; reason: string }>;
}

/** Connects; rejects when the server refuses. */
export async function connect(
  url: string,
  protocols: string[] = [],
  headers: Record<string, string> = {},
): Promise<Client> {
  const socket = new WebSocket(url.replace("http", "ws"), { protocols, headers });
  const messages: string[] = [];
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.onclose = ({ code, reason }) => resolve({ code, reason })
  );
  socket.onmessage = ({ data }) => messages.push(data);
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error("refused"));
  });
  socket.onerror = null;
  return { socket, messages, closed };
}

/** Closes, and waits until the server has closed as well. */
export async function leave({ socket, closed }: Client): Promise<void> {
  socket.close();
  await closed;
}

/** The request of an upgrade, with these header lines added to the required ones. */
export function upgrade(path: string, ...headers: string[]): string {
  return [
    `GET ${path} HTTP/1.1`,
    "Host: localhost",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: d2VpciBpcyBhIHdlaXI9PQ==",
    ...headers,
    "\n",
  ].join("\n");
}

/** Upgrades by hand, for a client that does what no WebSocket object does. */
export async function raw(port: number, path: string): Promise<Deno.TcpConn> {
  const conn = await send(port, upgrade(path));
  // Byte by byte: the first frame may follow at once.
  const byte = new Uint8Array(1);
  let head = "";
  while (!head.endsWith("\r\n\r\n") && await conn.read(byte) !== null) head += String.fromCharCode(byte[0]);
  if (!head.startsWith("HTTP/1.1 101 ")) throw new Error(`not upgraded: ${head}`);
  return conn;
}

/** A short frame (RFC 6455, 5.2), masked with zeros: 1 is text, 8 a close, 9 a ping. */
export function frame(opcode: number, payload: string): Uint8Array {
  const bytes = new TextEncoder().encode(payload);
  return new Uint8Array([0x80 | opcode, 0x80 | bytes.length, 0, 0, 0, 0, ...bytes]);
}
