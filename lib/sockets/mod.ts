/**
 * WebSockets whose functions read straight down: what the peer sends is iterated over, what is sent waits for a slow peer,
 * and everything that may wait is bounded.
 *
 * @module
 */
export { answerInOrder } from "./in_order.ts";
export type { Serve, Socket, SocketData, UpgradeOptions } from "./socket.ts";
export { type SocketLimits, Sockets } from "./sockets.ts";
export { streamSocket, type StreamSocketOptions } from "./stream_socket.ts";
export { type SocketExchange, upgrade } from "./upgrade.ts";
