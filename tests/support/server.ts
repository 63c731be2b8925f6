import type { MemoryStore } from "../../lib/channels/memory_store.ts";
import { serve as serveRoutes, type TestOptions, type TestServer as Served } from "../../lib/testing.ts";
import { weirRoutes as allRoutes } from "../../handlers/routes.ts";

/** A server with a folder of its own, and its channels as what they are. */
export interface TestServer extends Served {
  store: MemoryStore;
}

/** Starts the app as main.ts does, with all of Weir's routes unless others are given. */
export async function serve(options: Partial<TestOptions> = {}): Promise<TestServer> {
  const server = await serveRoutes({ routes: allRoutes, ...options });
  return Object.assign(server, { store: server.app.channels as MemoryStore });
}

/** Asks as a client of this address would, without a network. */
export async function askFrom(
  hostname: string,
  { server, origin }: TestServer,
  path: string,
): Promise<Response> {
  const info: Deno.ServeHandlerInfo = {
    remoteAddr: { transport: "tcp", hostname, port: 1 },
    completed: Promise.resolve(),
  };
  return await server.fetch(new Request(origin + path), info);
}

/** Asks until `probe` is true: for what another task will make true. It is the test's own time-out that ends a hopeless wait. */
export async function until(probe: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!await probe()) {
    if (Date.now() > deadline) throw new Error(`never became true: ${probe}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
