import { App } from "../../lib/app.ts";
import { MemoryStore } from "../../lib/channels/memory_store.ts";
import type { Config } from "../../lib/config.ts";
import { Limits } from "../../lib/limits.ts";
import type { Route } from "../../lib/handler.ts";
import { Server } from "../../lib/server.ts";
import type { Service } from "../../lib/service.ts";
import type { DeclaredSensor } from "../../lib/sensors/declared.ts";
import { routes as allRoutes } from "../../handlers/routes.ts";

/** A server on a free port, with a folder of its own. `await using` stops it and removes the folder. */
export interface TestServer extends AsyncDisposable {
  app: App;
  server: Server;
  store: MemoryStore;
  /** `http://127.0.0.1:PORT` */
  origin: string;
  port: number;
  /** The folder that `files/` and `logs/` are in. */
  folder: string;
  /** What was reported to the operator. */
  reports(): string;
}

/** Starts the app as main.ts does, over TCP. `limits` replaces single limits, `config` single settings. */
export async function serve(
  { routes = allRoutes, services = [], limits = {}, declared = [], ...replaced }:
    & Partial<Omit<Config, "limits">>
    & {
      routes?: Route[];
      services?: ((app: App) => Service)[];
      declared?: DeclaredSensor[];
      limits?: Partial<Limits>;
    } = {},
): Promise<TestServer> {
  const folder = await Deno.makeTempDir({ prefix: "weir-test-" });
  await Promise.all([Deno.mkdir(`${folder}/files`), Deno.mkdir(`${folder}/logs`)]);
  const config: Config = {
    host: "127.0.0.1",
    port: 0,
    files: `${folder}/files`,
    logs: [`${folder}/logs`],
    followLinks: false,
    sensors: null,
    upstream: null,
    clientShare: 0,
    drain: 1,
    accessLog: `${folder}/logs/access.log`,
    ...replaced,
    limits: new Limits(limits),
  };
  const store = new MemoryStore(config.limits);
  const reports: string[] = [];
  const app = new App(config, store, declared, (message, error) => {
    reports.push(error instanceof Error ? `${message}: ${error.stack}` : message);
  });
  const server = new Server(app, routes);
  const port = server.listen("127.0.0.1", 0);
  const origin = `http://127.0.0.1:${port}`;
  app.origin = origin;
  for (const service of [app.sensors, ...services.map((make) => make(app))]) server.services.start(service);
  return {
    app,
    server,
    store,
    origin,
    port,
    folder,
    reports: () => reports.join("\n"),
    async [Symbol.asyncDispose]() {
      await server.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
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
