import { App } from "../lib/app.ts";
import { type Config, defaultLimits, type Limits } from "../lib/config.ts";
import type { Route } from "../lib/router.ts";
import type { DeclaredSensor } from "../lib/sensors/declared.ts";
import { routes as allRoutes } from "../main.ts";

/** A server on a free port, with a folder of its own. `await using` stops it and removes the folder. */
export interface TestServer extends AsyncDisposable {
  app: App;
  /** `http://127.0.0.1:PORT` */
  origin: string;
  port: number;
  /** The folder that `files/` and `logs/` are in. */
  folder: string;
}

/** Starts the app as main.ts does, over TCP. `limits` replaces single limits, `config` single settings. */
export async function serve(
  { routes = allRoutes, limits = {}, declared = [], ...config }: Partial<Omit<Config, "limits">> & {
    routes?: Route[];
    declared?: DeclaredSensor[];
    limits?: Partial<Limits>;
  } = {},
): Promise<TestServer> {
  const folder = await Deno.makeTempDir({ prefix: "weir-test-" });
  await Promise.all([Deno.mkdir(`${folder}/files`), Deno.mkdir(`${folder}/logs`)]);
  const app = new App(
    {
      host: "127.0.0.1",
      port: 0,
      files: `${folder}/files`,
      logs: [`${folder}/logs`],
      sensors: null,
      upstream: null,
      drain: 1,
      accessLog: `${folder}/logs/access.log`,
      ...config,
      limits: { ...defaultLimits, ...limits },
    },
    routes,
    declared,
  );
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, app.fetch);
  const { port } = server.addr;
  const origin = `http://127.0.0.1:${port}`;
  await app.start(origin);
  return {
    app,
    origin,
    port,
    folder,
    async [Symbol.asyncDispose]() {
      await app.close();
      await server.shutdown();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Asks until `probe` is true: for what another task will make true. It is the test's own time-out that ends a hopeless wait. */
export async function until(probe: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!await probe()) {
    if (Date.now() > deadline) throw new Error(`never became true: ${probe}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
