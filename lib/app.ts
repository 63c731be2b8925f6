import { Bodies } from "./body.ts";
import { MemoryStore } from "./channels/memory_store.ts";
import { endOfTurn } from "./clock.ts";
import type { Config } from "./config.ts";
import { errorResponse, HttpError, shuttingDown } from "./errors.ts";
import { isPlainTarget } from "./files/safe_path.ts";
import { Limiter } from "./limiter.ts";
import type { LiveStream } from "./live_stream.ts";
import { AccessLog } from "./logs/access_log.ts";
import { LogFiles } from "./logs/log_files.ts";
import { LogFollower } from "./logs/log_follower.ts";
import { OwnNames } from "./own_names.ts";
import { RequestContext } from "./request_context.ts";
import { type Route, Router } from "./router.ts";
import { configuredSensor } from "./sensors/configured.ts";
import type { DeclaredSensor } from "./sensors/declared.ts";
import { hostSensors, type Traffic } from "./sensors/host.ts";
import { Sensors } from "./sensors/sensors.ts";
import { Sockets } from "./sockets.ts";

/** What lives as long as the server. Handlers reach it as `context.app`. */
export class App {
  /** When the server was made, in ms since 1970. */
  readonly started: number = Date.now();
  /** The streams that are open. */
  readonly live: Set<LiveStream> = new Set();
  /** How much runs at once. */
  readonly limits: { streams: Limiter; downloads: Limiter; outbound: Limiter };
  /** The open WebSockets. */
  readonly sockets: Sockets;
  /** A line for each request. */
  readonly accessLog: AccessLog;
  /** The logs by name. */
  readonly logFiles: LogFiles;
  /** What follows them. */
  readonly logFollower: LogFollower;
  /** What people publish and subscribe to. */
  readonly channels: MemoryStore;
  /** What is measured. */
  readonly sensors: Sensors;
  /** What was answered: of downloads that are under way the bytes so far, of streams that are open nothing yet. */
  readonly answered: Traffic = { requests: 0, bytes: 0 };
  /** Reads the bodies of requests. */
  readonly bodies: Bodies;
  /** Where the server listens; set once it does. */
  origin = "";
  #draining = false;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  readonly #router: Router;
  readonly #names: OwnNames;

  /** Nothing runs before `start`. */
  constructor(
    readonly config: Config,
    readonly routes: readonly Route[],
    declared: readonly DeclaredSensor[] = [],
  ) {
    const { limits } = config;
    this.#router = new Router(routes);
    this.#names = new OwnNames(config.host);
    this.limits = {
      streams: new Limiter(limits.streams),
      downloads: new Limiter(limits.downloads),
      outbound: new Limiter(limits.outbound),
    };
    this.sockets = new Sockets(limits.sockets, limits.socketFarewellMs);
    this.accessLog = new AccessLog(config.accessLog, limits);
    this.logFiles = new LogFiles(config);
    this.logFollower = new LogFollower(limits.lineBytes);
    this.channels = new MemoryStore(limits);
    this.bodies = new Bodies(limits, () => this.#draining);
    this.sensors = new Sensors(
      [
        ...hostSensors(config.files, () => this.#traffic()),
        ...declared.map((sensor) => configuredSensor(sensor, this)),
      ],
      this.channels,
      limits,
    );
  }

  /** Whether `close` has been called: nothing new is begun. */
  get draining(): boolean {
    return this.#draining;
  }

  #traffic(): Traffic {
    let { requests, bytes } = this.answered;
    for (const stream of this.live) bytes += stream.bytes;
    return { requests, bytes };
  }

  /** Connections that something still goes out on. */
  get open(): number {
    return this.live.size + this.limits.downloads.used + this.sockets.size;
  }

  /** Starts what runs beside the requests: one timer for every stream's heartbeat. */
  start(origin: string): void {
    this.origin = origin;
    this.#heartbeat = setInterval(() => this.#beat(), 1_000);
    this.sensors.start();
  }

  /** The second of every stream; ten thousand pings in one turn would hold everybody else up. */
  async #beat(): Promise<void> {
    let pings = 0;
    for (const stream of this.live) {
      if (stream.second() && ++pings % 128 === 0) await new Promise<void>(endOfTurn);
    }
  }

  /** Answers one request, whatever happens. It never rejects. `info` is what `Deno.serve` gives. */
  readonly fetch = async (request: Request, info?: Deno.ServeHandlerInfo): Promise<Response> => {
    const context = new RequestContext(this, request, info !== undefined);
    let response: Response;
    try {
      if (this.#draining) throw shuttingDown();
      const url = this.#names.check(request, this.config.limits.targetBytes);
      context.url = url;
      if (!isPlainTarget(request.url)) throw new HttpError(404, "no such path");
      const match = this.#router.match(request.method, url.pathname);
      if (match instanceof Response) response = match;
      else {
        context.params = match.params;
        response = await match.route.handler(request, context);
      }
    } catch (error) {
      // What a handler throws since its client has gone is no failure; the status is for the access log alone.
      response = errorResponse(context.left ? new HttpError(499, "the client has gone") : error);
    }
    context.answered(response);
    return response;
  };

  /**
   * Tells every stream and socket that the server is going away; resolves when the streams have ended, which a reader
   * that has stopped reading can delay for ever.
   */
  async drain(): Promise<void> {
    this.#draining = true;
    for (const stream of [...this.live]) stream.drain();
    await this.sockets.close();
  }

  /** Stops what {@linkcode App.start} started, and writes out the access log. */
  async close(): Promise<void> {
    await this.drain();
    clearInterval(this.#heartbeat);
    this.sensors.stop();
    this.channels.close();
    this.logFollower.close();
    await this.accessLog.close();
  }
}
