import type { Limits } from "../../lib/limits.ts";
import type { Serve, Socket, UpgradeOptions } from "../../lib/sockets/socket.ts";
import { upgrade } from "../../lib/sockets/upgrade.ts";
import { serve, type TestServer, until } from "./server.ts";
import { route } from "./wire.ts";

/** A server whose /ws runs this function on each socket. */
export function serveSocket(
  run: Serve,
  limits: Partial<Limits> = {},
  options: Omit<UpgradeOptions, "binary"> = {},
): Promise<TestServer> {
  return serve({
    limits,
    routes: [route("/ws", (request, context) => upgrade(request, context, run, options))],
  });
}

/** Answers each message with what becomes of it, one after the other. */
export function each(work: (message: string, signal: AbortSignal) => string | Promise<string>): Serve {
  return async (socket) => {
    for await (const message of socket) await socket.send(await work(message, socket.signal));
  };
}

/** Answers each message with itself. */
export const echo: Serve = each((message) => message);

/** Reads what comes, and does nothing with it. */
export async function ignore(socket: Socket): Promise<void> {
  for await (const _ of socket);
}

/** Resolves when no socket is open any more. */
export const allGone = (server: TestServer) => until(() => server.app.sockets.size === 0);

/** The lines of the access log with the path /ws, once there are as many. */
export async function closes(server: TestServer, count: number): Promise<Record<string, unknown>[]> {
  let lines: string[] = [];
  await until(async () => {
    const text = await Deno.readTextFile(`${server.folder}/logs/access.log`).catch(() => "");
    lines = text.split("\n").filter((line) => line.includes('"path":"/ws"'));
    return lines.length >= count;
  });
  return lines.map((line) => {
    const { method, path, status, bytes, end, code, reason, messages, received } = JSON.parse(line);
    return { method, path, status, bytes, end, code, reason, messages, received };
  });
}
