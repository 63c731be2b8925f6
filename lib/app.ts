import { AccessLog } from "./access_log.ts";
import type { ChannelStore } from "./channels/channel_store.ts";
import type { Config } from "./config.ts";
import type { Guard } from "./http/auth/guard.ts";
import { LogFiles } from "./logs/log_files.ts";
import { LogFollower } from "./logs/log_follower.ts";
import { Metrics } from "./metrics.ts";
import { Opens } from "./opens.ts";
import { Overview } from "./overview.ts";
import type { DeclaredSensor } from "./sensors/declared.ts";
import type { RunHome } from "./runs/run_home.ts";
import { Runs } from "./runs/runs.ts";
import { hostSensors, type Traffic } from "./sensors/host.ts";
import { Sensors } from "./sensors/sensors.ts";
import { Sockets } from "./sockets/sockets.ts";
import { ClientShare } from "./stream/client_share.ts";
import { printReport, type Report } from "./stream/errors.ts";
import { Limiter } from "./stream/limiter.ts";

/** The services that live as long as the server. Handlers reach them as `context.app`. */
export class App {
  /** When the server was made, in ms of the clock that nobody sets. */
  readonly started: number = performance.now();
  /** Limiters of live streams, downloads and outbound requests. */
  readonly limits: { streams: Limiter; downloads: Limiter; outbound: Limiter };
  /** Permits for opening files of the root. */
  readonly fileOpens: Opens;
  /** The open WebSockets. */
  readonly sockets: Sockets;
  /** One line a request. */
  readonly accessLog: AccessLog;
  /** The logs by name. */
  readonly logFiles: LogFiles;
  /** Follows logs. */
  readonly logFollower: LogFollower;
  /** Host and declared sensors. */
  readonly sensors: Sensors;
  /** Sources that are run once for all who follow them. */
  readonly runs: Runs;
  /** What others watch of the server itself. */
  readonly overview: Overview;
  /** Requests answered and bytes handed over since the start. */
  readonly traffic: Traffic = { requests: 0, bytes: 0 };
  /** What `/metrics` shows. */
  readonly metrics: Metrics = new Metrics(() => ({
    sentBytes: this.traffic.bytes,
    sockets: this.sockets.size,
    runs: this.runs.running,
    accessLogLost: this.accessLog.lost,
  }));
  /** Names of the services that have failed. */
  readonly failedServices: Set<string> = new Set();
  /** URL of the server itself: who makes it listen sets it. */
  origin = "";

  /** Nothing of it runs by itself. Without a `guard` everybody is let in. */
  constructor(
    readonly config: Config,
    readonly channels: ChannelStore,
    declared: readonly DeclaredSensor[] = [],
    readonly report: Report = printReport,
    readonly guard: Guard | null = null,
    runHome: RunHome | null = null,
  ) {
    const { limits, clientShare, keepRuns } = config;
    const share = () => clientShare ? new ClientShare(clientShare) : null;
    this.limits = {
      streams: new Limiter(limits.streams, share()),
      downloads: new Limiter(limits.downloads, share()),
      outbound: new Limiter(limits.outbound),
    };
    this.sockets = new Sockets(limits, share());
    this.runs = new Runs(limits, { keepRuns, share: share(), home: runHome, report });
    this.accessLog = new AccessLog(config.accessLog, limits, report);
    const secrets = [config.tokenFile, config.certificate?.key].filter((path) => path != null);
    this.fileOpens = new Opens(8, { secrets });
    this.logFiles = new LogFiles(config, secrets);
    this.logFollower = new LogFollower(limits, report);
    this.sensors = new Sensors(
      [...hostSensors(config.files, () => this.traffic), ...declared],
      limits,
      report,
    );
    const counts = () => ({
      streams: this.limits.streams.used,
      downloads: this.limits.downloads.used,
      sockets: this.sockets.size,
      runs: this.runs.running,
      draining: false,
    });
    this.overview = new Overview(counts, {
      channels: async () => (await this.channels.list()).map(({ last: _, ...shown }) => shown),
      runs: async () => (await this.runs.list()).map(({ events: _, ...shown }) => shown),
      logs: async () => (await this.logFiles.list()).map(({ name }) => ({ name })),
    }, report);
  }

  /** Stops the runs and the channels, and writes out the access log. */
  async close(): Promise<void> {
    await this.runs.close();
    await this.channels.close();
    await this.accessLog.close();
  }
}
