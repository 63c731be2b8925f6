import { type ServerProcess, start } from "./process.ts";
import { send } from "./wire.ts";

/** Two processes with the same flags: on one port, each with an address for administrators, or each on its own with one Redis. */
export interface Pair extends AsyncDisposable {
  folder: string;
  both: [ServerProcess, ServerProcess];
}

/** Starts two processes in a folder of their own, which share a port unless they share a Redis. */
export async function pair(args: string[] = [], env: Record<string, string> = {}): Promise<Pair> {
  const folder = await Deno.makeTempDir({ prefix: "weir-pair-" });
  const onePort = !args.includes("--redis");
  const flags = ["--files", folder, ...(onePort ? ["--reuse-port", "--admin", "0"] : []), ...args];
  const first = await start(flags, { cwd: folder, env });
  const second = await start(flags, { cwd: folder, env, port: onePort ? first.port : 0 });
  return {
    folder,
    both: [first, second],
    async [Symbol.asyncDispose]() {
      await Promise.all([first[Symbol.asyncDispose](), second[Symbol.asyncDispose]()]);
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Asks by a connection of its own. */
export async function askAnew({ port }: ServerProcess, path: string): Promise<string> {
  const conn = await send(port, `GET ${path} HTTP/1.1\nHost: localhost\nConnection: close\n\n`);
  return await new Response(conn.readable).text();
}
