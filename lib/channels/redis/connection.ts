import { sleep } from "../../stream/clock.ts";
import { printReport, type Report } from "../../stream/errors.ts";
import { nextWave, Waves } from "../waves.ts";
import { type Entry, Feed, type Follower } from "./feed.ts";
import { prefix } from "./keys.ts";
import { Link, reasonOf, RedisAway } from "./link.ts";
import type { Script } from "./scripts.ts";

/** Time between two attempts to connect, in ms. */
const retryMs = 250;
/** Time between two renewals of what lives only for as long as a process does, in ms. */
const renewMs = 30_000;
/** Time for which such a key lives without being renewed, in s. */
export const renewedSeconds = 300;

/** How a {@linkcode RedisConnection} behaves. */
export interface RedisOptions {
  /** Time for a connection to be made, in ms. Default: 5,000. */
  connectMs?: number;
  /** Time without a reply after which the connection that publishes is given up, in ms. Default: 3,000. */
  silenceMs?: number;
  /** The same of the one that reads; more than two seconds, for which it waits. Default: 6,000. */
  readSilenceMs?: number;
  /** Where it is reported that Redis is away, and is back. Default: stderr. */
  report?: Report;
}

/**
 * What a process has of Redis: a connection for commands, and one that reads all the streams that the process follows. Each is
 * made again when it ends. Other processes reach this one through its control stream.
 */
export class RedisConnection {
  /** Names this process among those of one Redis. */
  readonly id: string = crypto.randomUUID();
  /** What others tell this process; it must not throw. */
  onMessage: (message: string) => void = () => {};
  readonly #control: string;
  readonly #feed: Feed = new Feed();
  readonly #options: Required<RedisOptions>;
  readonly #stop = new AbortController();
  /** Wakes who waits for Redis to be back. */
  readonly #returned = new Waves();
  #commands: Link | null = null;
  #reader: Link | null = null;
  /** Why it is away; null while it is not. */
  #fault: string | null = null;
  #woken = false;
  #renewal: ReturnType<typeof setInterval> | undefined;
  #running: Promise<unknown> = Promise.resolve();

  private constructor(readonly url: string, options: RedisOptions) {
    const { connectMs = 5_000, silenceMs = 3_000, readSilenceMs = 6_000, report = printReport } = options;
    this.#options = { connectMs, silenceMs, readSilenceMs, report };
    this.#control = controlKey(this.id);
    const follower = {
      lastId: "0-0",
      take: (entries: Entry[]) => {
        follower.lastId = entries.at(-1)?.[0] ?? follower.lastId;
        for (const [, [kind, message]] of entries) if (kind === "m") this.onMessage(message);
      },
    };
    this.#feed.add(this.#control, follower);
  }

  /**
   * Connects; `check` may refuse what it finds.
   *
   * @throws Error that says why it cannot
   */
  static async open(
    url: string,
    options: RedisOptions = {},
    check: (connection: RedisConnection) => Promise<void> = async () => {},
  ): Promise<RedisConnection> {
    const connection = new RedisConnection(url, options);
    try {
      await connection.#connect();
      await check(connection);
    } catch (error) {
      await connection.close();
      throw error;
    }
    connection.#running = connection.#keep();
    connection.#renewal = setInterval(() => {
      connection.#wake();
      for (const follower of connection.#feed.followers) follower.renew?.();
    }, renewMs);
    return connection;
  }

  /** Reports to the operator. */
  get report(): Report {
    return this.#options.report;
  }

  /** Why Redis cannot be used now; null while it can. */
  get fault(): string | null {
    return this.#fault;
  }

  /**
   * Sends a command: `["SET", "weir:lease:NAME", …]`.
   *
   * @throws RedisAway, or what Redis replies as an error
   */
  send(args: readonly string[]): Promise<unknown> {
    if (this.#commands === null) return Promise.reject(new RedisAway(false, this.#fault ?? "not connected"));
    return this.#commands.send(args);
  }

  /** Runs a script, which is loaded where Redis does not have it. */
  async run(script: Script, keys: readonly string[], args: readonly string[] = []): Promise<unknown> {
    const command = ["EVALSHA", script.sha, String(keys.length), ...keys, ...args];
    try {
      return await this.send(command);
    } catch (error) {
      if (!(error as Error).message.startsWith("NOSCRIPT")) throw error;
      await this.send(["SCRIPT", "LOAD", script.text]);
      return await this.send(command);
    }
  }

  /** Follows a stream from its `lastId` on. */
  follow(key: string, follower: Follower): void {
    this.#feed.add(key, follower);
    this.#wake();
  }

  /** Ends that. */
  unfollow(key: string, follower: Follower): void {
    this.#feed.remove(key, follower);
  }

  /** Tells another process something: it is lost when that has ended. */
  async tell(id: string, message: string): Promise<void> {
    await this.send(["XADD", controlKey(id), "NOMKSTREAM", "MAXLEN", "~", "1000", "*", "m", message]);
  }

  /** Resolves when Redis can be used again, or at the abort. */
  async back(signal: AbortSignal): Promise<void> {
    while (this.#fault !== null) await nextWave(signal, this.#returned);
  }

  /** Ends both connections. */
  async close(): Promise<void> {
    clearInterval(this.#renewal);
    this.#stop.abort();
    this.#commands?.close();
    this.#reader?.close();
    this.#returned.close();
    await this.#running;
  }

  async #connect(): Promise<void> {
    const { connectMs, silenceMs, readSilenceMs } = this.#options;
    const { signal } = this.#stop;
    this.#commands = await Link.open(this.url, { connectMs, silenceMs, signal });
    this.#reader = await Link.open(this.url, { connectMs, silenceMs: readSilenceMs, signal });
    // It takes connections while it still loads its data, and of users that may do nothing.
    await this.#touchControl();
    await this.#reader.send(["XREAD", "STREAMS", this.#control, "0-0"]);
  }

  /** Uses the connections until one ends, and makes them again, over and over. */
  async #keep(): Promise<void> {
    const { signal } = this.#stop;
    const { report } = this.#options;
    while (!signal.aborted) {
      let why = "";
      try {
        if (this.#commands === null) await this.#connect();
        const reading = this.#feed.run(this.#reader!, signal).catch(reasonOf);
        if (this.#fault !== null) this.#isBack();
        why = await Promise.race([this.#commands!.ended, reading]);
      } catch (error) {
        why = reasonOf(error);
      }
      this.#commands?.close(why);
      this.#reader?.close(why);
      this.#commands = this.#reader = null;
      if (signal.aborted) return;
      if (this.#fault === null) report(`Redis is away: ${why}`);
      this.#fault = `Redis is away: ${why}`;
      await sleep(retryMs, signal).catch(() => {});
    }
  }

  #isBack(): void {
    this.#fault = null;
    this.#options.report("Redis is back");
    this.#returned.announce();
  }

  /** Ends a read that waits, so that the next one has the streams that are new. */
  #wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    queueMicrotask(() => {
      this.#woken = false;
      // When it cannot, the read ends by itself.
      this.#touchControl().catch(() => {});
    });
  }

  async #touchControl(): Promise<void> {
    const add = this.send(["XADD", this.#control, "MAXLEN", "~", "1000", "*", "w", ""]);
    const expire = this.send(["EXPIRE", this.#control, String(renewedSeconds)]);
    await Promise.all([add, expire]);
  }
}

/** Key of a process' control stream. */
function controlKey(id: string): string {
  return `${prefix}process:${id}`;
}
