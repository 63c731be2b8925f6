import { granted } from "./granted.ts";
import { find } from "./programs.ts";

const program = granted.run ? find("redis-server") : undefined;

/** Whether Redis is not installed, or must not be started. */
export const withoutRedis: boolean = program === undefined;

/** A Redis of a test's own, append-only, with its data in a folder of its own. `await using` ends it. */
export class RedisServer implements AsyncDisposable {
  #child: Deno.ChildProcess | null = null;

  private constructor(readonly port: number, readonly folder: string, readonly args: string[]) {}

  /** Starts one on a free port; `args` are more of redis-server's. */
  static async start(...args: string[]): Promise<RedisServer> {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    const server = new RedisServer(port, await Deno.makeTempDir({ prefix: "weir-redis-" }), args);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, with the data that it had; resolves when it answers. */
  async start(): Promise<void> {
    this.#child = new Deno.Command(program!, {
      args: [
        ...["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.folder, "--save", ""],
        ...["--appendonly", "yes", "--maxmemory-policy", "noeviction", ...this.args],
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
    let ended = false;
    void this.#child.status.then(() => ended = true);
    while (!/^[+-](PONG|NOAUTH|NOPERM)/.test(await this.ask("PING").catch(() => ""))) {
      if (ended) throw new Error(`redis-server ${this.args.join(" ")} has ended`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Sends one command on a connection of its own; resolves with the first bytes of the reply. */
  async ask(command: string): Promise<string> {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
    await connection.write(new TextEncoder().encode(`${command}\r\n`));
    const buffer = new Uint8Array(65_536);
    const read = await connection.read(buffer);
    return new TextDecoder().decode(buffer.subarray(0, read ?? 0));
  }

  /** Kills it, or sends another signal. */
  async kill(signal: Deno.Signal = "SIGKILL"): Promise<void> {
    this.#child?.kill(signal);
    if (signal !== "SIGKILL") return;
    await this.#child?.status;
    this.#child = null;
  }

  /** Ends it at once, where nothing can be waited for. */
  [Symbol.dispose](): void {
    this.#child?.kill("SIGKILL");
    Deno.removeSync(this.folder, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.folder, { recursive: true });
  }
}
