/**
 * A server for tests, over TCP: on a free port, with the routes and services that it is given.
 *
 * @example
 * ```ts ignore
 * import { assertEquals } from "@std/assert";
 * import { granted, serve } from "@weir/weir/testing";
 * import { routes } from "../handlers/routes.ts";
 *
 * Deno.test({ name: "GET /hello says hello", ignore: !granted.server }, async () => {
 *   await using server = await serve({ routes });
 *   const response = await fetch(`${server.origin}/hello`);
 *   assertEquals(await response.text(), "hello\n");
 *   assertEquals(server.reports(), "");
 * });
 * ```
 *
 * @module
 */
import { App } from "./app.ts";
import type { ChannelStore } from "./channels/channel_store.ts";
import { MemoryStore } from "./channels/memory_store.ts";
import type { Config } from "./config.ts";
import type { Route } from "./handler.ts";
import type { Guard } from "./http/auth/guard.ts";
import { Limits } from "./limits.ts";
import type { DeclaredSensor } from "./sensors/declared.ts";
import { Server } from "./server.ts";
import type { Service } from "./service.ts";
import type { Report } from "./stream/errors.ts";

export { granted } from "./granted.ts";

/** What {@linkcode serve} starts. */
export interface TestOptions extends Partial<Omit<Config, "limits">> {
  /** The route table. */
  routes: readonly Route[];
  /** What runs beside the requests, and beside the sampling of sensors. Default: nothing. */
  services?: (app: App) => Service[];
  /** Limits that replace the defaults. */
  limits?: Partial<Limits>;
  /** Sensors beside the host's. */
  declared?: readonly DeclaredSensor[];
  /** Where the channels are; closed with the server. Default: in memory. */
  channels?: ChannelStore;
  /** Lets in who has a token. Default: everybody is let in. */
  guard?: Guard;
}

/** A server on a free port of 127.0.0.1, with a folder of its own. `await using` drains it and removes the folder. */
export interface TestServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** The port. */
  readonly port: number;
  /** The folder that `files/`, the root of /files, and `logs/` are in. */
  readonly folder: string;
  /** What handlers have as `context.app`. */
  readonly app: App;
  /** The server itself. */
  readonly server: Server;
  /** What was reported to the operator, a line each; a failure with its stack. */
  reports(): string;
}

/** Starts a server as main.ts does. Every setting may be given, by its name in `Config`. */
export async function serve(
  { routes, services = () => [], limits, channels, declared, guard, ...settings }: TestOptions,
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
    ...settings,
    limits: new Limits(limits),
  };
  const reports: string[] = [];
  const report: Report = (message, error) => {
    reports.push(error instanceof Error ? `${message}: ${error.stack}` : message);
  };
  const app = new App(config, channels ?? new MemoryStore(config.limits), declared, report, guard);
  const server = new Server(app, routes);
  const port = server.listen("127.0.0.1", 0);
  const origin = app.origin = `http://127.0.0.1:${port}`;
  for (const service of [app.sensors, ...services(app)]) server.services.start(service);
  let closed: Promise<void> | undefined;
  return {
    origin,
    port,
    folder,
    app,
    server,
    reports: () => reports.join("\n"),
    [Symbol.asyncDispose]: () =>
      closed ??= server.close().then(() => Deno.remove(folder, { recursive: true })),
  };
}
