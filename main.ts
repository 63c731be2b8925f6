import denoJson from "./deno.json" with { type: "json" };
import { ownServices } from "./handlers/own.ts";
import { routes } from "./handlers/routes.ts";
import { App } from "./lib/app.ts";
import type { Config } from "./lib/config.ts";
import { configure } from "./lib/configure.ts";
import { type Certificate, timeFault, timesOf } from "./lib/certificate.ts";
import { diagnostics } from "./lib/diagnostics.ts";
import type { ChannelStore } from "./lib/channels/channel_store.ts";
import { MemoryStore } from "./lib/channels/memory_store.ts";
import { listenAt } from "./lib/listening.ts";
import type { RunHome } from "./lib/runs/run_home.ts";
import { Server } from "./lib/server.ts";
import type { Service } from "./lib/service.ts";
import type { Report } from "./lib/stream/errors.ts";
import { stderr, stdout } from "./lib/stream/printer.ts";

/** Time for the last lines to be written, in ms. */
const graceMs = 250;

/** Exits once the last lines are written; a disk that hangs, or an unread pipe, does not keep the process. */
function exit(code: number, last?: Promise<void>): void {
  setTimeout(Deno.exit, graceMs, code);
  Promise.allSettled([last, stdout.written, stderr.written]).then(() => Deno.exit(code));
}

/** Reads again what a SIGHUP is for; what cannot be used stays as it was. */
function reload(reloads: readonly (() => string)[], report: Report): void {
  for (const read of reloads) {
    try {
      stdout.print(read());
    } catch (error) {
      report("still with what was read before", (error as Error).message);
    }
  }
}

/** Where the channels are, and the runs of other processes; a Redis that cannot be used is said in a line: the exit code. */
async function openShared(
  config: Config,
  report: Report,
): Promise<{ channels: ChannelStore; runs: RunHome | null } | number> {
  const { redis, limits, keepRuns = 600 } = config;
  if (redis == null) return { channels: new MemoryStore(limits), runs: null };
  const { openRedisStore, RedisStartError } = await import("./lib/channels/redis/start.ts");
  const { RedisRuns } = await import("./lib/runs/redis_runs.ts");
  try {
    const channels = await openRedisStore({ ...config, redis }, report);
    return { channels, runs: new RedisRuns(channels.connection, { limits, keepRuns, report }) };
  } catch (error) {
    if (!(error instanceof RedisStartError)) throw error;
    stderr.print(error.message);
    return 2;
  }
}

/** What runs beside the requests. */
const services = (app: App): Service[] => [app.sensors, app.metrics, ...ownServices(app)];

/** Serves until a signal says otherwise. */
async function main(): Promise<void> {
  const configured = await configure(Deno.args, denoJson.version);
  if (typeof configured === "number") return exit(configured);
  const { config, declared, doors, tls } = configured;
  const report = diagnostics(config.logFormat ?? "text");
  const shared = await openShared(config, report);
  if (typeof shared === "number") return exit(shared);
  const app = new App(config, shared.channels, declared, report, doors?.guard, shared.runs);

  // The last net below all background work, which catches at its own edge.
  const failed = (event: Event, error: unknown) => {
    event.preventDefault();
    app.report("background work failed", error);
  };
  globalThis.addEventListener("unhandledrejection", (event) => failed(event, event.reason));
  globalThis.addEventListener("error", (event) => failed(event, event.error));

  const timely = (certificate: Certificate) => {
    const late = timeFault(certificate);
    if (late) app.report(`the certificate ${late}`);
    return certificate;
  };
  let server: Server, listening: string;
  try {
    server = new Server(app, routes);
    listening = listenAt(server, config, tls && timely(tls.certificate));
  } catch (error) {
    stderr.print((error as Error).message);
    return exit(1);
  }

  let since: number | null = null;
  const stop = () => {
    // A terminal delivers Ctrl-C twice through `deno task`, so only a later signal is a second one.
    if (since !== null) return performance.now() - since > 1_000 ? Deno.exit(1) : undefined;
    since = performance.now();
    setTimeout(() => {
      const late = [...server.services.running].map(({ name }) => `, the service ${name} had not ended`);
      if (app.runs.running > 0) late.push(`, ${app.runs.running} runs had not ended`);
      // With none, a client still sends the body of what was refused.
      const cut = server.open === 0
        ? "only connections that had their answers"
        : `${server.open} connections`;
      app.report(`drained for ${config.drain} s: ${cut} were cut${late.join("")}`);
      // For their lines in the access log.
      server.bodies.cancel();
      exit(0, app.accessLog.close());
    }, config.drain * 1_000);
    // Counted from the signal as well: on a busy machine the timer before it may be late.
    setTimeout(Deno.exit, config.drain * 1_000 + graceMs, 0);
    server.close().finally(() => exit(0, app.accessLog.close()));
  };
  for (const signal of Deno.build.os === "windows" ? ["SIGINT"] as const : ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, stop);
  }

  // Whose token is gone hears of it from the heartbeat.
  const reloads = doors?.reload ? [doors.reload] : [];
  if (tls !== null) {
    reloads.push(() => {
      const certificate = timely(tls.reload());
      server.replaceCertificate(certificate);
      return `certificate read again: it is good until ${timesOf(certificate).to.toISOString()}`;
    });
  }
  // On a terminal the signal says that it was closed, which has to end the server.
  if (reloads.length > 0 && Deno.build.os !== "windows" && !Deno.stdout.isTerminal()) {
    Deno.addSignalListener("SIGHUP", () => reload(reloads, app.report));
  }
  if (config.reusePort && !config.redis) {
    app.report("--reuse-port without --redis: each process has channels, runs and limits of its own");
  }
  void app.logFiles.check(app.report);
  for (const service of services(app)) server.services.start(service);
  // Last: a supervisor that waits for this line may send a signal at once.
  stdout.print(listening);
}

if (import.meta.main) await main();
