import { StreamCounts } from "../stream/stream_counts.ts";

/** Methods that are counted by name; a client may send any word. */
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** Counts of the requests of one path of the route table. */
export class RouteCounts {
  /** Answers by method, and by status. */
  readonly answers: Map<string, Map<number, number>> = new Map();
  /** Counts of its streams. */
  readonly streams: StreamCounts;

  /** `path` is the pattern of the route table, never what a client asked for. */
  constructor(readonly path: string, streams?: StreamCounts) {
    this.streams = streams ?? new StreamCounts();
  }

  /** Counts one answer. */
  count(method: string, status: number): void {
    const statuses = this.answers.get(method) ?? this.#statuses(method);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }

  #statuses(method: string): Map<number, number> {
    const name = methods.includes(method) ? method : "other";
    let statuses = this.answers.get(name);
    if (statuses === undefined) this.answers.set(name, statuses = new Map());
    return statuses;
  }
}
