import { delimiter, resolve } from "node:path";
import denoJson from "./deno.json" with { type: "json" };
import { asyncRoute } from "./handlers/async_route.ts";
import { App } from "./lib/app.ts";
import { type Config, ConfigError, help, parseConfig } from "./lib/config.ts";
import type { Route } from "./lib/router.ts";

/** Every URL of the server. */
export const routes: Route[] = [
  {
    method: "GET",
    path: "/async_route",
    handler: asyncRoute,
    description: "JSON after an asynchronous wait of 100 ms",
    example: "/async_route",
  },
];

function configure(): Config {
  try {
    const home = Deno.cwd();
    const env = (name: string) => Deno.env.get(name);
    const config = parseConfig(Deno.args, { env, base: env("INIT_CWD") || home, home, resolve, delimiter });
    if (config === "help" || config === "version") {
      console.log(config === "help" ? help : `weir ${denoJson.version}`);
      Deno.exit(0);
    }
    return config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    Deno.exit(2);
  }
}

if (import.meta.main) {
  const config = configure();
  const app = new App(config, routes);
  Deno.serve({
    hostname: config.host,
    port: config.port,
    onListen({ hostname, port }) {
      const origin = `http://${hostname}:${port}`;
      app.start(origin);
      console.log(`Listening on ${origin}/`);
    },
  }, app.fetch);
}
