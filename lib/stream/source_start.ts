import { endOfTurn } from "./clock.ts";
import { eventOf, gap } from "./event.ts";
import type { Exchange } from "./exchange.ts";
import type { Ending, Format } from "./formats/format.ts";
import type { Wanted } from "./source.ts";
import type { StreamCounts } from "./stream_counts.ts";

/** What a source is started with for one reader, whatever carries its stream. */
export abstract class SourceStart implements Wanted {
  abstract readonly signal: AbortSignal;
  #looked = false;
  #missed = false;
  readonly counts: StreamCounts;
  #state: "new" | "open" | "ended" = "new";

  /** `cursor` is what the reader came with; `resumes`: one of its sources has a cursor of its own. */
  constructor(
    readonly cursor: string | undefined,
    readonly format: Format,
    readonly exchange: Exchange,
    readonly resumes = false,
  ) {
    this.counts = exchange.counts;
  }

  /** It counts as open, unless it has ended: what fails before its first event is a status, and no stream. */
  countOpen(): void {
    if (this.#state !== "new") return;
    this.#state = "open";
    this.counts.began(this.format.name);
  }

  protected countEnded(reason: Ending): void {
    if (this.#state === "open") this.counts.over(this.format.name, reason, this.exchange.age);
    this.#state = "ended";
  }

  get after(): string | undefined {
    this.#looked = true;
    return this.cursor;
  }

  /** A source that began without a look at the cursor has started over: its reader may have missed something, and is told. */
  preamble(first: unknown): string {
    const { format, cursor } = this;
    // A media type of the handler's own has no gaps.
    if (format.name === "text" && format.note === undefined) return "";
    if (cursor === undefined && !this.resumes) return "";
    // A gap may stand behind where the source begins, or behind the first event of another source.
    endOfTurn(() => this.counts.resumed(this.#missed ? "gap" : "exact"));
    if (cursor === undefined || this.#looked) return "";
    const missed = gap(cursor, eventOf(first).id ?? null, null);
    this.missed();
    this.counts.sent(missed);
    return format.event(missed);
  }

  missed(): void {
    this.#missed = true;
  }
}
