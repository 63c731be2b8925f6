import { Limits } from "../limits.ts";
import type { ClientShare } from "../stream/client_share.ts";
import { overloaded, shuttingDown } from "../stream/errors.ts";
import type { Exchange } from "../stream/exchange.ts";
import { Limiter } from "../stream/limiter.ts";
import type { Connection } from "./connection.ts";
import { RoomWatch } from "./room_watch.ts";

/** Limits of {@linkcode Sockets}. */
export type SocketLimits = Pick<
  Limits,
  "sockets" | "socketsBytes" | "socketTasks" | "socketCloseMs" | "socketStalledMs"
>;

/** The open WebSockets of one server. */
export class Sockets {
  readonly #open = new Map<Connection, (() => void) | undefined>();
  readonly #lingering = new Map<Connection, (() => void) | undefined>();
  /** Slots for work on messages that has to wait, of all sockets together. */
  readonly tasks: Limiter;
  /** @internal Finds room for all of them. */
  readonly watch: RoomWatch = new RoomWatch();
  /** @internal Bytes of messages that wait for their functions, or are in work. */
  heldBytes = 0;
  #closed: PromiseWithResolvers<void> | null = null;

  /** `share` is what one client may hold of `limits.sockets`. */
  constructor(readonly limits: SocketLimits = new Limits(), readonly share: ClientShare | null = null) {
    this.tasks = new Limiter(limits.socketTasks);
  }

  /** Sockets open now, and those whose functions have not ended. */
  get size(): number {
    return this.#open.size;
  }

  /** Sockets that were closed and that the runtime still holds, with what their peers have not read. */
  get lingering(): number {
    return this.#lingering.size;
  }

  /**
   * Refuses a socket for which there is no room.
   *
   * @throws HttpError 503 when too many are open or lingering, in all or of this client, or the server is draining
   */
  admit({ draining }: Exchange, client: string): void {
    const { sockets } = this.limits;
    if (draining.aborted) throw shuttingDown();
    if (this.size >= sockets) throw overloaded("sockets", sockets);
    if (this.lingering > sockets / 4) throw overloaded("closed sockets that linger", sockets / 4);
    this.share?.check("sockets", { max: sockets, used: this.size }, client);
  }

  /** @internal Counts a socket, until it has ended and is gone. */
  add(connection: Connection, client: string): void {
    this.#open.set(connection, this.share?.hold(client));
  }

  /** @internal A connection has ended, or is gone, or both. */
  changed(connection: Connection): void {
    const from = this.#open.has(connection) ? this.#open : this.#lingering;
    const release = from.get(connection);
    if (!connection.ended) return;
    from.delete(connection);
    if (connection.gone) release?.();
    else this.#lingering.set(connection, release);
    if (this.size === 0) this.#closed?.resolve();
  }

  /** Resolves when every socket has ended or has had its time for that; the drain of the server closes them. */
  async close(): Promise<void> {
    if (this.size > 0) await (this.#closed ??= Promise.withResolvers()).promise;
  }
}
