import { delay } from "@std/async/delay";
import type { Certificate } from "./certificate.ts";
import type { Report } from "./stream/errors.ts";

/** Pause before listening again, in ms. */
const againMs = 500;

/** Time for which an old and a new certificate are both in use, in ms. */
const sharedMs = 100;

/** Whether two may listen on one port, as `--unstable-net` or deno.json says: Deno ends a process that tries it without. */
export const mayShare: boolean = "listenDatagram" in Deno;

/** How connections are accepted at an address. */
export interface ListenOptions {
  /** For TLS, and HTTP/2 to those who can; null for plain HTTP. Default: null. */
  certificate?: Certificate | null;
  /** Whether other processes of this user may listen there as well; it needs {@linkcode mayShare}. Default: false. */
  reusePort?: boolean;
}

/** What a listener gives its requests to. */
export interface Accepting {
  /** Answers a request; it never throws or rejects. */
  fetch: Deno.ServeHandler;
  /** Reports a body that failed; its connection, or its HTTP/2 stream, is cut. */
  failed(error: unknown): void;
  report: Report;
  /** Aborted once nothing is to be accepted any more. */
  closing: AbortSignal;
}

/**
 * Accepts connections at one address, and accepts again when Deno stops: it does for good once no file handle is left for a
 * new connection. With a certificate it speaks TLS, and HTTP/2 to those who can.
 */
export class Listener {
  /** What 0 in place of a port has become. */
  readonly port: number;
  /** Those that were replaced are among them until their connections have ended. */
  readonly #open = new Set<Deno.HttpServer<Deno.NetAddr>>();
  #current: Deno.HttpServer<Deno.NetAddr>;
  /** Null for plain HTTP. */
  certificate: Certificate | null;
  readonly #reusePort: boolean;

  /** @throws Error when the address cannot be bound, or a certificate not be used */
  constructor(
    readonly hostname: string,
    port: number,
    readonly accepting: Accepting,
    { certificate = null, reusePort = false }: ListenOptions = {},
  ) {
    this.certificate = certificate;
    this.#reusePort = reusePort || certificate !== null && mayShare;
    // Alone, so that no other program has the port: what can be replaced has to share it, and would with anybody of this user.
    if (certificate !== null && !reusePort && port !== 0) Deno.listen({ hostname, port }).close();
    this.#current = this.#listen(port);
    this.port = this.#current.addr.port;
  }

  /**
   * New connections get this certificate; those that are open keep theirs until their requests have ended. Both listen for a
   * moment, so that no connection is refused.
   *
   * @throws Error when it cannot be used; all is as before then
   */
  replace(certificate: Certificate): void {
    const { cert, key } = certificate;
    if (cert === this.certificate?.cert && key === this.certificate.key) return;
    if (!mayShare) throw new Error("another certificate needs --unstable-net of deno run, or a restart");
    const [before, old] = [this.certificate, this.#current];
    this.certificate = certificate;
    try {
      this.#current = this.#listen(this.port);
    } catch (error) {
      this.certificate = before;
      throw error;
    }
    // What came while the new one was made is accepted first, where closing would reset it.
    void delay(sharedMs).then(() => old.shutdown());
  }

  /** Accepts no more connections; resolves once those that are open have ended. */
  async close(): Promise<void> {
    // Aborting them instead would cut the open bodies, and end the process.
    await Promise.allSettled([...this.#open].map((server) => server.shutdown()));
  }

  #listen(port: number): Deno.HttpServer<Deno.NetAddr> {
    const { hostname, certificate, accepting: { fetch, failed, report } } = this;
    // `fetch` never throws: what comes here is a body that was cut, which the runtime itself would wait to print.
    const onError = (error: unknown) => {
      failed(error);
      return new Response(null, { status: 500 });
    };
    // Thousands of clients come back at once after a restart: with Deno's own backlog of 511 some would wait for seconds.
    const options = { hostname, port, tcpBacklog: 4096, onListen() {}, onError };
    const server = Deno.serve({ ...options, ...certificate, reusePort: this.#reusePort }, fetch);
    this.#open.add(server);
    server.finished.catch((error) => {
      report(`no connection could be accepted, listening again: ${(error as Error).message}`);
      return this.#again(server);
    }).finally(() => this.#open.delete(server));
    return server;
  }

  async #again(stopped: Deno.HttpServer<Deno.NetAddr>): Promise<void> {
    await delay(againMs);
    // A new certificate may have been faster.
    if (this.accepting.closing.aborted || this.#current !== stopped) return;
    try {
      this.#current = this.#listen(this.port);
    } catch {
      await this.#again(stopped);
    }
  }
}
