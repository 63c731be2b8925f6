import type { Exchange } from "../stream/exchange.ts";
import { type Begin, Connection } from "./connection.ts";
import { handshake } from "./handshake.ts";
import type { Serve, SocketData, UpgradeOptions } from "./socket.ts";
import type { Sockets } from "./sockets.ts";

/** A request of a server that has sockets; a handler's context is one. */
export type SocketExchange = Exchange & { readonly sockets: Sockets };

/**
 * Answers an upgrade, and runs `serve` on the socket once it is open.
 *
 * @example
 * ```ts
 * import { exchange } from "@weir/weir";
 * import { Sockets, upgrade } from "@weir/weir/sockets";
 *
 * const sockets = new Sockets();
 * await using server = Deno.serve({ port: 0 }, (request, info) =>
 *   upgrade(request, Object.assign(exchange(request, info), { sockets }), async (socket) => {
 *     for await (const message of socket) await socket.send(`you said ${message}`);
 *   })
 * );
 *
 * const client = new WebSocket(`ws://127.0.0.1:${server.addr.port}/`);
 * client.onopen = () => client.send("hello");
 * await new Promise((resolve) => client.onmessage = ({ data }) => resolve(data)); // "you said hello"
 * client.close();
 * await sockets.close();
 * ```
 *
 * @throws HttpError 426 and 400 for a wrong handshake (RFC 6455, 4.2), 503 when too many sockets are open or linger, or the
 * server is draining
 */
export function upgrade<const Options extends UpgradeOptions>(
  request: Request,
  context: SocketExchange,
  serve: Serve<Options extends { binary: true } ? SocketData : string>,
  options?: Options,
): Response {
  const begin: Begin = (connection) => () => (serve as Serve<SocketData>)(connection);
  return connect(request, context, begin, options ?? {});
}

/** {@linkcode upgrade} for this room, which sees more of a socket. */
export function connect(
  request: Request,
  context: SocketExchange,
  begin: Begin,
  options: UpgradeOptions,
): Response {
  const { sockets } = context;
  // Read now: an upgraded request no longer knows its address.
  const client = sockets.share === null ? "" : context.client;
  const { socket, response, protocol } = handshake(request, options, () => sockets.admit(context, client));
  const { binary = false } = options;
  sockets.add(new Connection(socket, context, sockets, begin, binary, protocol), client);
  return response;
}
