/** What a message is: a text, or bytes. */
export type SocketData = string | Uint8Array<ArrayBuffer>;

/** An open WebSocket, as a handler's function gets it: what the peer sends is iterated over, until it goes. */
export interface Socket<Message = string> extends AsyncIterable<Message> {
  /** The subprotocol that was agreed on; "" for none. */
  readonly protocol: string;
  /** Aborts when the socket is closed, the peer has gone or the server is draining. Goes to every await. */
  readonly signal: AbortSignal;
  /**
   * Sends a text or bytes. Undefined while less than 1 MiB is unsent: then there is nothing to wait for. Else a promise, which
   * resolves once there is room for the message, and rejects with an AbortError when the socket closes first; the
   * socket is closed with 1013 when there is none for 30 s. One message alone is taken whatever its size.
   */
  send(message: SocketData): Promise<void> | undefined;
  /**
   * Closes (RFC 6455, 7.4), once the peer has been quiet for 50 ms: what it is still sending would hide the reason from
   * it. Of the reason at most 123 bytes are sent.
   *
   * @throws RangeError for a code that may not be sent
   */
  close(code?: number, reason?: string): void;
}

/**
 * What is done with an open socket, from its first line to its last: when it returns, the socket is closed with 1000, or
 * 1001 while the server drains; an `HttpError` that it throws closes with its message, and 1008 (1013 for a 503); anything
 * else with 1011, which says nothing of the inside, and is reported.
 */
export type Serve<Message = string> = (socket: Socket<Message>) => void | Promise<void>;

/** How a request is upgraded. */
export interface UpgradeOptions {
  /** Whether messages of bytes are taken, as `Uint8Array`; without it one closes with 1003. Default: false. */
  binary?: boolean;
  /** The subprotocols that are spoken here; the first of the client's that is among them is agreed on. Default: none. */
  protocols?: readonly string[];
  /** Seconds after which a silent peer is pinged, and given up when it does not answer; 0 for never. Default: 30. */
  idleSeconds?: number;
}
