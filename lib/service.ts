import type { Report } from "./stream/errors.ts";

/**
 * Work that runs beside the requests, such as one poll for many watchers.
 *
 * @example
 * ```ts
 * import type { ChannelStore } from "@weir/weir/channels";
 * import { valueOf } from "@weir/weir/channels";
 * import type { Service } from "@weir/weir/server";
 * import { every } from "@weir/weir";
 *
 * const clock = (channels: ChannelStore): Service => ({
 *   name: "clock",
 *   async start(signal) {
 *     for await (const _ of every(1_000, signal)) await channels.publish("clock", [valueOf(new Date())]);
 *   },
 * });
 * ```
 */
export interface Service {
  /** What it is called in reports. */
  name: string;
  /** Runs it: it is over when this resolves. The signal aborts when the server begins to drain, and goes to every await. */
  start(signal: AbortSignal): void | Promise<void>;
}

/** The services of one server. Each is caught at its own edge: one that fails is reported, and ends alone. */
export class Services {
  /** Those that have not ended. */
  readonly running: Set<Service> = new Set();
  readonly #ends: Promise<void>[] = [];

  /** `failed` gets the names of those that fail. */
  constructor(
    readonly signal: AbortSignal,
    readonly report: Report,
    readonly failed: Set<string> = new Set(),
  ) {}

  /** Starts one. */
  start(service: Service): void {
    this.running.add(service);
    this.#ends.push(this.#run(service));
  }

  /** Resolves when all have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#ends);
  }

  async #run(service: Service): Promise<void> {
    try {
      await service.start(this.signal);
    } catch (error) {
      // Ending by the abort is no failure.
      if (!this.signal.aborted || error !== this.signal.reason) {
        this.failed.add(service.name);
        this.report(`the service ${service.name} failed`, error);
      }
    }
    this.running.delete(service);
  }
}
