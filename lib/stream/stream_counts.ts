import type { StreamEvent } from "./event.ts";
import type { Ending } from "./formats/format.ts";

/** Bounds of how long a stream may be open, in seconds: 0.1 s to a day. */
const streamSeconds = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400];

/** Counts of observed values by size. */
export class Histogram {
  /** Observations up to each bound and over the one before it; the last is over all bounds. */
  readonly counts: number[];
  /** Sum of the observed values. */
  sum = 0;

  /** `bounds` are in rising order. */
  constructor(readonly bounds: readonly number[]) {
    this.counts = new Array(bounds.length + 1).fill(0);
  }

  /** Counts one value. */
  observe(value: number): void {
    const { bounds } = this;
    let i = 0;
    while (i < bounds.length && value > bounds[i]) i++;
    this.counts[i]++;
    this.sum += value;
  }
}

/** Counts of the streams of one route: plain numbers, as a stream adds to them with each event. */
export class StreamCounts {
  /** Events sent, without gaps and pings. */
  events = 0;
  /** Gaps sent. */
  gaps = 0;
  /** Events that those gaps stand for, as far as that is known. */
  lost = 0;
  /** Streams open now, by format. */
  readonly open: Record<string, number> = {};
  /** Streams that have ended, by reason. */
  readonly ended: Partial<Record<Ending, number>> = {};
  /** Streams that came with a cursor: followed exactly, with a gap, or of a stream that was complete already. */
  readonly resumes: Partial<Record<"exact" | "gap" | "complete", number>> = {};

  /** `seconds` is how long the streams were open, which several routes may share. */
  constructor(readonly seconds: Histogram = new Histogram(streamSeconds)) {}

  /** A stream counts as open. */
  began(format: string): void {
    this.open[format] = (this.open[format] ?? 0) + 1;
  }

  /** One that began has ended, `ms` after that. */
  over(format: string, reason: Ending, ms: number): void {
    this.open[format]--;
    this.ended[reason] = (this.ended[reason] ?? 0) + 1;
    this.seconds.observe(ms / 1_000);
  }

  /** An event was sent, or a {@linkcode Gap}, perhaps wrapped as that of one of several sources. */
  sent({ event, data }: StreamEvent): void {
    if (event !== "gap") return void this.events++;
    const { lost, data: inner } = Object(data);
    const count = lost === undefined ? Object(inner).lost : lost;
    this.gaps++;
    if (Number.isFinite(count)) this.lost += count;
  }

  /** A stream came with a cursor. */
  resumed(how: "exact" | "gap" | "complete"): void {
    this.resumes[how] = (this.resumes[how] ?? 0) + 1;
  }
}

/** Takes the counts that nobody asks for. */
export const uncounted: StreamCounts = new StreamCounts();
