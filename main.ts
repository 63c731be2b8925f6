import { delimiter, resolve } from "node:path";
import denoJson from "./deno.json" with { type: "json" };
import { asyncRoute } from "./handlers/async_route.ts";
import { channels, publish, subscribe } from "./handlers/channels.ts";
import { concurrentStream } from "./handlers/concurrent_stream.ts";
import { events } from "./handlers/events.ts";
import { favicon } from "./handlers/favicon.ts";
import { asyncDownload, files, streamFile } from "./handlers/files.ts";
import { health } from "./handlers/health.ts";
import { home } from "./handlers/home.ts";
import { log, logs } from "./handlers/logs.ts";
import { deleteRun, run, runs } from "./handlers/runs.ts";
import { pushReading, sensor, sensorHistory, sensors, sensorStream } from "./handlers/sensors.ts";
import { stream } from "./handlers/stream.ts";
import { ws } from "./handlers/ws.ts";
import { App } from "./lib/app.ts";
import { type Config, ConfigError, help, nameOf, parseConfig } from "./lib/config.ts";
import type { Route } from "./lib/handler.ts";
import { MemoryStore } from "./lib/channels/memory_store.ts";
import { readDeclared } from "./lib/sensors/configured.ts";
import { type DeclaredSensor, SensorsFileError } from "./lib/sensors/declared.ts";
import { Server } from "./lib/server.ts";
import { stderr, stdout } from "./lib/stream/printer.ts";

/** Every URL of the server: method, path, handler, what it does, an example for the first page. */
export const routes: Route[] = [
  ["GET", "/", home, "this page; with Accept: application/json the same list as JSON", "/", {
    anySite: true,
  }],
  ["GET", "/async_route", asyncRoute, "JSON after an asynchronous wait of 100 ms", "/async_route"],
  ["GET", "/stream", stream, "steps, each with an outbound request", "/stream?count=5&interval=1000"],
  ["GET", "/concurrent_stream", concurrentStream, "tasks side by side, merged", "/concurrent_stream"],
  [
    "GET",
    "/files/*",
    files,
    "the folder of --files: listings as JSON or a page, files with resume",
    "/files/",
  ],
  ["GET", "/async_download", asyncDownload, "a file as an attachment", "/async_download?file={file}"],
  ["GET", "/stream/file", streamFile, "a file in the response itself", "/stream/file?file={file}"],
  ["GET", "/logs", logs, "the log files; with ?name=a&name=b these logs, merged", "/logs"],
  ["GET", "/logs/:name", log, "the last lines of a log, then each new one", "/logs/access.log?lines=20"],
  ["GET", "/channels", channels, "the channels, with what each retains", "/channels"],
  ["GET", "/channels/:name", subscribe, "each event published from now on", "/channels/demo"],
  ["POST", "/channels/:name", publish, "publishes a JSON or text event, or many as NDJSON", "/channels/demo"],
  [
    "GET",
    "/events",
    events,
    "channels, logs, sensors, runs and the server in one stream",
    "/events?channel=demo&log=access.log&sensor=cpu&server",
  ],
  ["GET", "/runs", runs, "the shared runs, with their state and readers", "/runs"],
  ["GET", "/runs/:name", run, "one of them", "/runs/{run}"],
  ["DELETE", "/runs/:name", deleteRun, "stops a run; one that has ended is forgotten", "/runs/{run}"],
  ["GET", "/sensors", sensors, "the latest reading of each sensor", "/sensors"],
  [
    "GET",
    "/sensors/stream",
    sensorStream,
    "readings as they are made; ?id= chooses",
    "/sensors/stream?format=text",
  ],
  ["GET", "/sensors/:id", sensor, "the latest reading of one sensor", "/sensors/cpu"],
  ["GET", "/sensors/:id/history", sensorHistory, "[time, value] pairs of one sensor", "/sensors/cpu/history"],
  ["POST", "/sensors/:id", pushReading, "a push sensor's value: a number", "/sensors/{push}"],
  ["GET", "/ws", ws, "a WebSocket: each message is processed and answered in order", "#ws"],
  // A WebSocket client follows no redirect.
  ["GET", "/ws/", ws, "the same", "#ws", { hidden: true }],
  ["GET", "/favicon.ico", favicon, "the icon of the pages", "/favicon.ico", { anySite: true, hidden: true }],
  ["GET", "/healthz", health, "status, uptime, and counts of what is open", "/healthz", { anySite: true }],
].map(([method, path, handler, description, example, more]) =>
  Object.assign({ method, path, handler, description, example }, more) as Route
);

/** @throws ConfigError when there is no such folder, or no permission to read it */
/** Time for the last lines to be written, in ms. */
const graceMs = 250;

function checkFolder(flag: string, path: string): void {
  let rule = "be an existing folder";
  try {
    if (Deno.statSync(path).isDirectory) {
      // Another user's folder has a stat, and no names.
      if (Deno.build.os !== "windows") Deno.openSync(path).close();
      return;
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) rule = "be a folder that --allow-read of deno run covers";
    if (error instanceof Deno.errors.PermissionDenied) rule = "be a folder that this user may read";
  }
  throw new ConfigError(`${flag} must ${rule}: current value is ${JSON.stringify(path)}`);
}

/** Flags, environment and the sensors file; or else what was asked for, or why not, is printed: the exit code. */
function configure(): { config: Config; declared: DeclaredSensor[] } | number {
  try {
    const env = (name: string) => Deno.env.get(name);
    const home = Deno.cwd();
    const config = parseConfig(Deno.args, { env, base: env("INIT_CWD") || home, home, resolve, delimiter });
    if (typeof config !== "string") {
      const named = (flag: string) => nameOf(flag, Deno.args, { env });
      checkFolder(named("files"), config.files);
      return { config, declared: readDeclared(config.sensors, named("sensors"), config.limits) };
    }
    stdout.print(config === "help" ? help : `weir ${denoJson.version}`);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof SensorsFileError)) throw error;
    stderr.print(error.message);
    return 2;
  }
}

/** Exits once the last lines are written; a disk that hangs, or an unread pipe, does not keep the process. */
function exit(code: number, last?: Promise<void>): void {
  setTimeout(Deno.exit, graceMs, code);
  Promise.allSettled([last, stdout.written, stderr.written]).then(() => Deno.exit(code));
}

/** Serves until a signal says otherwise. */
function main(): void {
  const configured = configure();
  if (typeof configured === "number") return exit(configured);
  const { config, declared } = configured;
  const app = new App(config, new MemoryStore(config.limits), declared);
  const server = new Server(app, routes);

  // The last net below every piece of background work, each of which catches at its own edge.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    app.report("background work failed", event.reason);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    app.report("background work failed", event.error);
  });

  let port: number;
  try {
    port = server.listen(config.host, config.port);
  } catch (error) {
    app.report(`cannot listen on ${config.host} port ${config.port}: ${(error as Error).message}`);
    return exit(1);
  }

  let since: number | null = null;
  const stop = () => {
    // A terminal delivers Ctrl-C twice through `deno task`, so only a later signal is a second one.
    if (since !== null) return performance.now() - since > 1_000 ? Deno.exit(1) : undefined;
    since = performance.now();
    setTimeout(() => {
      // With none, a client still sends the body of what was refused.
      const cut = server.open === 0
        ? "only connections that had their answers"
        : `${server.open} connections`;
      app.report(`drained for ${config.drain} s: ${cut} were cut`);
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

  const bracketed = (host: string) => host.includes(":") ? `[${host}]` : host;
  const reachable = { "0.0.0.0": "127.0.0.1", "::": "::1" }[config.host] ?? config.host;
  void app.logFiles.check(app.report);
  app.start(`http://${bracketed(reachable)}:${port}`);
  // Last: a supervisor that waits for this line may send a signal at once.
  stdout.print(`Listening on http://${bracketed(config.host)}:${port}/`);
  if (!/^(127\.|localhost$|::1$)/i.test(config.host)) {
    app.report(
      `warning: --host ${config.host} is more than loopback, and clients are not authenticated yet`,
    );
  }
}

if (import.meta.main) main();
