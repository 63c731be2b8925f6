import { createRedisClient, type RedisClient } from "./client.ts";

/** Redis cannot be asked: there is no connection, or it ended before the reply. */
export class RedisAway extends Error {
  override name = "RedisAway";

  /** `sent`: the command may have been carried out. */
  constructor(readonly sent: boolean, why: string) {
    super(why);
  }
}

/** Errors of a Redis that loads its data, is busy, or is a replica by now: all that a connection to it can do is end. */
const notServing = /^(LOADING|BUSY|MASTERDOWN|READONLY|CLUSTERDOWN|UNBLOCKED) /;

/** What an error says; that of a name with several addresses says nothing by itself. */
export function reasonOf(error: unknown): string {
  const { message, code, errors } = error as Error & { code?: string; errors?: unknown[] };
  return message || (errors?.[0] === undefined ? String(code) : reasonOf(errors[0]));
}

/** One connection to Redis, from its start to its end. */
export class Link {
  /** Resolves with what ended it. */
  readonly ended: Promise<string>;
  readonly #end: (why: string) => void;
  readonly #watchdog: ReturnType<typeof setInterval>;
  #why: string | null = null;
  #waiting = 0;
  /** Ticks since the last reply, or since the first command that waits for one. */
  #quiet = 0;

  private constructor(readonly client: RedisClient, silenceMs: number) {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.ended = promise;
    this.#end = resolve;
    client.on("error", (error) => this.close(reasonOf(error)));
    // A socket's own timeout starts anew with each write, so a peer that has gone silent would not be noticed. It is counted,
    // not measured: to a process that had no turn for long, replies may lie in the socket.
    this.#watchdog = setInterval(() => {
      if (this.#waiting > 0 && ++this.#quiet === 7) this.close(`no reply within ${silenceMs / 1_000} s`);
    }, silenceMs / 8);
  }

  /**
   * Connects; ended when a reply is `silenceMs` late.
   *
   * @throws Error that says why it cannot
   */
  static async open(
    url: string,
    { connectMs, silenceMs, signal }: { connectMs: number; silenceMs: number; signal: AbortSignal },
  ): Promise<Link> {
    const client = await createRedisClient(url);
    const link = new Link(client, silenceMs);
    const timer = setTimeout(() => link.close(`no answer within ${connectMs / 1_000} s`), connectMs);
    const abort = () => link.close();
    signal.addEventListener("abort", abort);
    try {
      const why = await Promise.race([client.connect().then(() => null), link.ended]);
      if (why !== null) throw new Error(why);
      return link;
    } catch (error) {
      link.close(reasonOf(error));
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    }
  }

  /**
   * Sends a command; those of one turn go out together.
   *
   * @throws RedisAway, or what Redis replies as an error
   */
  async send(args: readonly string[]): Promise<unknown> {
    if (this.#why !== null) throw new RedisAway(false, this.#why);
    if (this.#waiting++ === 0) this.#quiet = 0;
    try {
      return await this.client.sendCommand(args);
    } catch (error) {
      if (this.#why !== null) throw new RedisAway(true, this.#why);
      if (!notServing.test((error as Error).message)) throw error;
      this.close(reasonOf(error));
      throw new RedisAway(false, reasonOf(error));
    } finally {
      this.#waiting--;
      this.#quiet = 0;
    }
  }

  /** Ends it: what waits for a reply fails. */
  close(why = "closed"): void {
    if (this.#why !== null) return;
    this.#why = why;
    clearInterval(this.#watchdog);
    this.#end(why);
    try {
      this.client.destroy();
    } catch {
      // It had ended.
    }
  }
}
