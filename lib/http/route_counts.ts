import { StreamCounts } from "../stream/stream_counts.ts";

/** Methods that are counted by name; a client may send any word. */
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** Answers to one method with one status. */
interface Answers {
  readonly method: string;
  readonly status: number;
  count: number;
}

/** Counts of the requests of one path of the route table. */
export class RouteCounts {
  /** Its answers so far. */
  readonly answers: Answers[] = [];
  /** Counts of its streams. */
  readonly streams: StreamCounts;
  #last: Answers | null = null;

  /** `path` is the pattern of the route table, never what a client asked for. */
  constructor(readonly path: string, streams?: StreamCounts) {
    this.streams = streams ?? new StreamCounts();
  }

  /** Counts one answer; most are as the one before. */
  count(method: string, status: number): void {
    const last = this.#last;
    if (last !== null && last.status === status && last.method === method) last.count++;
    else this.#find(methods.includes(method) ? method : "other", status).count++;
  }

  #find(method: string, status: number): Answers {
    let found = this.answers.find((answers) => answers.method === method && answers.status === status);
    if (found === undefined) this.answers.push(found = { method, status, count: 0 });
    return this.#last = found;
  }
}
