import type { Limits } from "../limits.ts";
import type { ClientShare } from "../stream/client_share.ts";
import { overloaded, shuttingDown } from "../stream/errors.ts";
import type { Exchange } from "../stream/exchange.ts";
import { Connection, type Process } from "./connection.ts";
import { handshake } from "./handshake.ts";

/** The open WebSockets of one server. */
export class Sockets {
  readonly #open = new Set<Connection>();
  readonly #lingering = new Set<Connection>();

  /** `share` is what one client may hold of `limits.sockets`. */
  constructor(
    readonly limits: Pick<Limits, "sockets" | "socketCloseMs">,
    readonly share: ClientShare | null = null,
  ) {}

  /** Sockets open now. */
  get size(): number {
    return this.#open.size;
  }

  /** Sockets that were closed and that the runtime still holds, with what their peers have not read. */
  get lingering(): number {
    return this.#lingering.size;
  }

  /**
   * Answers an upgrade.
   *
   * @throws HttpError 503 when too many are open or lingering or the server is draining; else see {@linkcode handshake}
   */
  upgrade(request: Request, exchange: Exchange, process: Process): Response {
    const { sockets, socketCloseMs } = this.limits;
    // Read now: an upgraded request no longer knows its address.
    const client = this.share && exchange.client;
    const { socket, response } = handshake(request, () => {
      if (exchange.draining.aborted) throw shuttingDown();
      if (this.size >= sockets) throw overloaded("sockets", sockets);
      if (this.lingering > sockets / 4) throw overloaded("closed sockets that linger", sockets / 4);
      this.share?.check("sockets", { max: sockets, used: this.size }, client!);
    });
    const connection = new Connection(socket, exchange, process, socketCloseMs);
    this.#open.add(connection);
    connection.left.then(() => this.#open.delete(connection) && this.#lingering.add(connection));
    connection.gone.then(() => this.#lingering.delete(connection));
    if (this.share !== null) connection.gone.then(this.share.hold(client!));
    return response;
  }

  /** Resolves when every socket is gone or has had its time for that; the drain of the server closes them. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#open, ({ left }) => left));
  }
}
