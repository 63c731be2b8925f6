import type { Limits } from "../limits.ts";
import { overloaded, shuttingDown } from "../stream/errors.ts";
import type { Exchange } from "../stream/exchange.ts";
import { Connection, type Process } from "./connection.ts";
import { checkUpgrade, handshake } from "./handshake.ts";

/** The open WebSockets of one server. */
export class Sockets {
  readonly #open = new Set<Connection>();
  #closing = false;
  readonly #empty = Promise.withResolvers<void>();

  /** Without sockets. */
  constructor(readonly limits: Pick<Limits, "sockets" | "socketCloseMs">) {}

  /** Sockets open now. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Answers an upgrade.
   *
   * @throws HttpError 503 when too many are open or the server is draining; else see {@linkcode handshake}
   */
  upgrade(request: Request, exchange: Exchange, process: Process): Response {
    checkUpgrade(request);
    if (this.#closing) throw shuttingDown();
    if (this.size >= this.limits.sockets) throw overloaded("sockets", this.limits.sockets);
    const { socket, response } = handshake(request);
    const left = (connection: Connection) => {
      this.#open.delete(connection);
      if (this.#closing && this.size === 0) this.#empty.resolve();
    };
    const options = { process, exchange, closeMs: this.limits.socketCloseMs, left };
    const connection = new Connection(socket, options, () => this.#closing && goingAway(connection));
    this.#open.add(connection);
    return response;
  }

  /** Closes every socket with 1001; resolves when all are gone. */
  close(): Promise<void> {
    this.#closing = true;
    this.#open.forEach(goingAway);
    if (this.size === 0) this.#empty.resolve();
    return this.#empty.promise;
  }
}

const goingAway = (connection: Connection) => connection.close(1001, "the server is shutting down");
