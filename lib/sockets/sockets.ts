import { HttpError, overloaded, shuttingDown } from "../stream/errors.ts";
import type { Exchange } from "../stream/exchange.ts";

/** Turns a text message into its answer. `signal` aborts when the socket is gone. */
export type Process = (message: string, signal: AbortSignal) => Promise<string>;

/** What one socket may hold, in bytes of UTF-8 and in messages. */
const maxMessageBytes = 1_048_576;
const maxQueued = 1_000;
const maxQueuedChars = 4_194_304;
const maxUnsentBytes = 8_388_608;

interface Connection {
  socket: WebSocket;
  controller: AbortController;
  queue: string[];
  queuedChars: number;
  working: boolean;
  process: Process;
  /** Runs from our close to the peer's answer. */
  farewell: ReturnType<typeof setTimeout> | undefined;
  exchange: Exchange;
}

/**
 * Every WebSocket of the server. A message is processed when the one before it has been answered, so answers keep their
 * order; what a socket may have waiting is bounded in both directions, and beyond that it is closed with the reason: 1003
 * not text, 1008 too fast, 1009 too big, 1013 too slow, 1011 the processing failed, 1001 the server is going away
 * (RFC 6455, 7.4.1).
 */
export class Sockets {
  readonly #connections = new Set<Connection>();
  #closing = false;
  #onEmpty: (() => void) | null = null;
  #empty: Promise<void> | null = null;

  /** At most `max` sockets at once; a peer has `farewellMs` to answer our close. */
  constructor(readonly max: number, readonly farewellMs: number) {}

  /** Sockets open now. */
  get size(): number {
    return this.#connections.size;
  }

  /**
   * Answers an upgrade.
   *
   * @throws HttpError 426 when it is none or of another version, 400 when the handshake is wrong, 503 when too many are open or the server is draining
   */
  upgrade(request: Request, exchange: Exchange, process: Process): Response {
    // Only a GET can be one (RFC 6455, 4.1), but the runtime would upgrade a HEAD as well.
    if (request.method !== "GET" || request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      throw upgradeRequired("this path speaks WebSocket");
    }
    if (this.#closing) throw shuttingDown();
    if (this.size >= this.max) throw overloaded("sockets", this.max);
    const { socket, response } = handshake(request);
    const connection: Connection = {
      socket,
      controller: new AbortController(),
      queue: [],
      queuedChars: 0,
      working: false,
      process,
      farewell: undefined,
      exchange,
    };
    exchange.opened();
    this.#connections.add(connection);
    socket.onopen = () => this.#closing && this.#close(connection, 1001, "the server is shutting down");
    socket.onmessage = ({ data }) => this.#receive(connection, data);
    socket.onerror = () => this.#leave(connection, 0);
    socket.onclose = ({ code }) => this.#leave(connection, code);
    return response;
  }

  /** Sends a message to every open socket; one that cannot take it is closed as too slow. */
  broadcast(message: string): void {
    for (const connection of this.#connections) this.#send(connection, message);
  }

  /** Closes every socket with 1001; resolves when all are gone. */
  close(): Promise<void> {
    this.#closing = true;
    for (const connection of this.#connections) this.#close(connection, 1001, "the server is shutting down");
    if (this.size === 0) return Promise.resolve();
    return this.#empty ??= new Promise((resolve) => this.#onEmpty = resolve);
  }

  /** `onclose` can come twice, and not at all before `onerror`: leaving has to be idempotent. */
  #leave(connection: Connection, code: number): void {
    if (!this.#connections.delete(connection)) return;
    clearTimeout(connection.farewell);
    connection.controller.abort();
    connection.exchange.finished(code === 1000 || code === 1001 || code === 1005 ? "complete" : "cut");
    if (this.size === 0) this.#onEmpty?.();
  }

  #receive(connection: Connection, data: unknown): void {
    const { socket, queue } = connection;
    if (socket.readyState !== WebSocket.OPEN) return;
    if (typeof data !== "string") return this.#close(connection, 1003, "a message must be text");
    if (!fits(data)) {
      return this.#close(connection, 1009, `a message must have at most ${maxMessageBytes} bytes`);
    }
    if (queue.length >= maxQueued || connection.queuedChars + data.length > maxQueuedChars) {
      return this.#close(connection, 1008, "too many messages are waiting for their answers");
    }
    queue.push(data);
    connection.queuedChars += data.length;
    if (!connection.working) this.#work(connection);
  }

  async #work(connection: Connection): Promise<void> {
    const { queue, controller, process } = connection;
    connection.working = true;
    try {
      for (let at = 0; at < queue.length && !controller.signal.aborted;) {
        const message = queue[at++];
        const answer = await process(message, controller.signal);
        connection.queuedChars -= message.length;
        if (at === queue.length || at === 256) queue.splice(0, at), at = 0;
        this.#send(connection, answer);
      }
    } catch (error) {
      if (!controller.signal.aborted) {
        console.error("a socket's message could not be processed:", error);
        this.#close(connection, 1011, "internal error");
      }
    } finally {
      connection.working = false;
    }
  }

  #send(connection: Connection, message: string): void {
    const { socket } = connection;
    if (socket.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount <= maxUnsentBytes) return socket.send(message);
    this.#close(connection, 1013, "too slow: what was sent has not been read");
  }

  /** A peer that does not answer the close in time gives its place up all the same. */
  #close(connection: Connection, code: number, reason: string): void {
    if (connection.socket.readyState !== WebSocket.OPEN) return;
    connection.socket.close(code, reason);
    connection.farewell = setTimeout(() => this.#leave(connection, 0), this.farewellMs);
  }
}

/** Tells what is spoken here (RFC 6455, 4.2.2 and 4.4). */
function upgradeRequired(message: string): HttpError {
  return new HttpError(426, message, {
    headers: { Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Version": "13" },
  });
}

/** The runtime looks at neither the version nor the key, which is 16 bytes in base64 (RFC 6455, 4.1). */
function handshake(request: Request): { socket: WebSocket; response: Response } {
  if (request.headers.get("sec-websocket-version") !== "13") {
    throw upgradeRequired("Sec-WebSocket-Version must be 13");
  }
  if (!/^[A-Za-z0-9+/]{22}==$/.test(request.headers.get("sec-websocket-key") ?? "")) {
    throw new HttpError(400, "Sec-WebSocket-Key must be 16 bytes in base64");
  }
  try {
    return Deno.upgradeWebSocket(request);
  } catch (error) {
    throw new HttpError(400, "the WebSocket handshake must follow RFC 6455, 4.1", { cause: error });
  }
}

const encoder = new TextEncoder();

/** A UTF-16 unit is one to three bytes of UTF-8: only what lies between has to be counted. */
function fits(message: string): boolean {
  return message.length * 3 <= maxMessageBytes ||
    message.length <= maxMessageBytes && encoder.encode(message).length <= maxMessageBytes;
}
