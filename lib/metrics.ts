import { RouteCounts } from "./http/route_counts.ts";
import type { Service } from "./service.ts";
import { type Clock, processClock, sleep } from "./stream/clock.ts";
import { Histogram, StreamCounts } from "./stream/stream_counts.ts";

/** Time between two looks at the event loop, in ms. */
const lookMs = 100;
/** Bounds of its delay, in seconds. */
const delaySeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** What is asked for when the metrics are read. */
export interface Measured {
  /** Bytes of response bodies and messages that were handed over. */
  sentBytes: number;
  /** WebSockets open now. */
  sockets: number;
  /** Runs that go on. */
  runs: number;
  /** Lines of the access log that could not be written. */
  accessLogLost: number;
}

type Labels = Readonly<Record<string, string | number>>;
type Sample = readonly [labels: Labels, value: number];

/**
 * The metrics in Prometheus' text format 0.0.4. Requests and streams add to plain numbers; the text is made when it is read.
 * Labels are words of the server's own: a route's pattern, a known method, a format, a reason.
 */
export class Metrics implements Service {
  readonly name = "metrics";
  readonly #routes = new Map<string, RouteCounts>();
  readonly #delay = new Histogram(delaySeconds);
  readonly #streams = new StreamCounts();
  /** Counts of what is refused before it has a route. */
  readonly unmatched: RouteCounts = this.route("none");

  /** `measure` is called at each reading. */
  constructor(readonly measure: () => Measured, readonly clock: Clock = processClock) {}

  /** The counts of a path of the route table; its methods share them. */
  route(path: string): RouteCounts {
    let counts = this.#routes.get(path);
    if (counts === undefined) {
      counts = new RouteCounts(path, new StreamCounts(this.#streams.seconds));
      this.#routes.set(path, counts);
    }
    return counts;
  }

  /** Watches the event loop: how late its timers are. */
  async start(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const due = this.clock.now() + lookMs;
      await sleep(lookMs, signal, this.clock).catch(() => {});
      if (!signal.aborted) this.#delay.observe(Math.max(0, this.clock.now() - due) / 1_000);
    }
  }

  /** What is counted now. */
  text(): string {
    const { sentBytes, sockets, runs, accessLogLost } = this.measure();
    const { rss, heapUsed, external } = Deno.memoryUsage();
    const lines: string[] = [];
    const family = (name: string, type: string, help: string, samples: Iterable<Sample>) => {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      for (const [labels, value] of samples) lines.push(`${name}${labelled(labels)} ${value}`);
    };
    const counter = (name: string, help: string, samples: Iterable<Sample>) =>
      family(name, "counter", help, samples);
    const gauge = (name: string, help: string, samples: Iterable<Sample>) =>
      family(name, "gauge", help, samples);
    const histogram = (name: string, help: string, { bounds, counts, sum }: Histogram) => {
      let count = 0;
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} histogram`);
      for (const [i, n] of counts.entries()) {
        lines.push(`${name}_bucket{le="${bounds[i] ?? "+Inf"}"} ${count += n}`);
      }
      lines.push(`${name}_sum ${sum}`, `${name}_count ${count}`);
    };
    const streams = (name: "events" | "gaps" | "lost") =>
      this.#each(({ streams }) => Object.keys(streams.open).length === 0 ? [] : [[{}, streams[name]]]);
    const by = (name: "open" | "ended" | "resumes", label: string) =>
      this.#each(({ streams }) =>
        Object.entries(streams[name]).map(([word, n]) => [{ [label]: word }, n] as const)
      );

    counter(
      "weir_requests_total",
      "Requests answered.",
      this.#each(({ answers }) =>
        answers.map(({ method, status, count }) => [{ method, status }, count] as const)
      ),
    );
    gauge("weir_streams_open", "Live streams open now.", by("open", "format"));
    histogram("weir_stream_duration_seconds", "Time for which streams were open.", this.#streams.seconds);
    counter("weir_streams_ended_total", "Streams that have ended.", by("ended", "reason"));
    counter(
      "weir_events_sent_total",
      "Events sent; lines of a log that is read in bulk are estimated.",
      streams("events"),
    );
    counter("weir_gaps_total", "Gaps sent in place of events that are no longer retained.", streams("gaps"));
    counter("weir_events_lost_total", "Events that those gaps stand for, where known.", streams("lost"));
    counter("weir_resumes_total", "Streams that came back with a cursor.", by("resumes", "result"));
    counter("weir_sent_bytes_total", "Bytes of bodies and messages handed over.", [[{}, sentBytes]]);
    gauge("weir_sockets_open", "WebSockets open now.", [[{}, sockets]]);
    gauge("weir_runs", "Shared runs that go on.", [[{}, runs]]);
    counter("weir_access_log_lost_total", "Access log lines that were not written.", [[{}, accessLogLost]]);
    histogram("weir_event_loop_delay_seconds", "Delay of timers, sampled ten times a second.", this.#delay);
    gauge("weir_heap_bytes", "Memory in use by JavaScript values.", [[{}, heapUsed]]);
    gauge("weir_external_bytes", "Memory of buffers beside the heap.", [[{}, external]]);
    gauge("process_resident_memory_bytes", "Resident memory of the process.", [[{}, rss]]);
    gauge("process_start_time_seconds", "Start of the process, since 1970.", [[
      {},
      performance.timeOrigin / 1_000,
    ]]);
    return lines.join("\n") + "\n";
  }

  #each(of: (counts: RouteCounts) => Iterable<Sample>): Sample[] {
    return [...this.#routes.values()].flatMap((counts) =>
      [...of(counts)].map(([labels, value]) => [{ route: counts.path, ...labels }, value] as const)
    );
  }
}

/** `{name="value",…}`; empty without labels. */
function labelled(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** A label's value: a route of one's own may have any characters. */
function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => character === "\n" ? "\\n" : `\\${character}`);
}
