/** A TCP proxy on a free port, for what a network does to a client. `await using` closes it. */
export class TcpProxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.TcpConn>();
  readonly #serving: Promise<void>;
  /** Resolves at once unless it stalls. */
  #flowing = Promise.withResolvers<void>();
  /** Connections that hold back something of the server's. */
  held = 0;

  /** `port`: the server's, on 127.0.0.1. */
  constructor(port: number) {
    this.resume();
    this.#serving = this.#serve(port);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Holds back what the server sends, as a network that has gone silent. */
  stall(): void {
    this.#flowing = Promise.withResolvers();
  }

  resume(): void {
    this.#flowing.resolve();
  }

  /** Closes the connections on both sides; what was held back is lost. New ones flow. */
  cut(): void {
    for (const conn of this.#conns) conn.close();
    this.#conns.clear();
    this.resume();
  }

  async #serve(port: number): Promise<void> {
    const connections: Promise<void>[] = [];
    for await (const client of this.#listener) connections.push(this.#join(client, port));
    await Promise.all(connections);
  }

  /** Ends when either side has, or is cut. */
  async #join(client: Deno.TcpConn, port: number): Promise<void> {
    this.#conns.add(client);
    const server = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => null);
    if (server !== null) {
      this.#conns.add(server);
      await Promise.all([this.#copy(client, server), this.#copy(server, client, true)]);
    } else this.#close(client);
  }

  /** What closes a connection ends its pending read, and so the copy of the other direction. */
  async #copy(from: Deno.TcpConn, to: Deno.TcpConn, isAnswer = false): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let count; (count = await from.read(buffer)) !== null;) {
        if (isAnswer) {
          this.held++;
          await this.#flowing.promise;
          this.held--;
        }
        for (let sent = 0; sent < count;) sent += await to.write(buffer.subarray(sent, count));
      }
    } catch {
      // Cut, or reset by a peer.
    }
    this.#close(from);
    this.#close(to);
  }

  #close(conn: Deno.TcpConn): void {
    if (this.#conns.delete(conn)) conn.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    await this.#serving;
  }
}
