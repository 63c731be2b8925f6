import { Encoded } from "../stream/event.ts";
import type { Format } from "../stream/formats/format.ts";
import type { ChannelHistory } from "./channel_history.ts";

/** Bytes of a full page. A subscriber that stalls holds one at most. */
const pageBytes = 16 * 1024;
const firstPageBytes = 1024;
/** Bytes of all pages: what a channel retains fits in, and of a long run what was read lately. */
const maxBytes = 4 * 1024 * 1024;

const encoder = new TextEncoder();

interface Page {
  /** Number of its first event. */
  first: number;
  bytes: Uint8Array<ArrayBuffer>;
  /** Where each event ends. */
  ends: number[];
  /** Whether the next record does not fit in. */
  full: boolean;
  /** The block that was read last: after a publish all subscribers read the same. */
  last: { from: number; block: Block } | null;
}

/** Whole records, and the number of the event after them. */
export interface Block {
  encoded: Encoded;
  next: number;
}

/**
 * A history in one format, encoded once, when the first subscriber reads that far: records one after the other in pages,
 * with holes where nobody reads, or has not for long. A block is a view of a page, so subscribers that read the same events share the same
 * memory; only what lies behind a page's last record is ever written to.
 */
export class Pages {
  #pages: Page[] = [];
  #bytes = 0;
  /** The record that did not fit into its page. */
  #left: { number: number; record: string } | null = null;

  constructor(readonly history: ChannelHistory<unknown>, readonly format: Format) {}

  /** The records from event `from`, which has to be retained, to the end of its page. */
  block(from: number): Block {
    let index = this.#pages.findLastIndex(({ first }) => first <= from);
    if (index >= 0) this.#fill(index);
    if (index < 0 || from >= nextOf(this.#pages[index])) {
      this.#open(++index, from);
      this.#fill(index);
    }
    const page = this.#pages[index];
    // The first is behind most readers.
    while (this.#bytes > maxBytes && this.#pages.length > 1) this.#drop(this.#pages[0] === page ? 1 : 0);
    if (page.last?.from === from) return page.last.block;
    const start = from === page.first ? 0 : page.ends[from - page.first - 1];
    const next = nextOf(page);
    const encoded = new Encoded(
      page.bytes.subarray(start, page.ends.at(-1)),
      this.history.id(next - 1),
      next - from,
    );
    const block = { encoded, next };
    page.last = { from, block };
    return block;
  }

  /** Drops the pages that hold nothing from event `oldest` on. */
  evict(oldest: number): void {
    while (this.#pages.length > 0 && nextOf(this.#pages[0]) <= oldest) this.#drop(0);
  }

  #drop(index: number): void {
    this.#bytes -= this.#pages[index].bytes.length;
    this.#pages.splice(index, 1);
  }

  /** A page for event `first` and those that follow. */
  #open(index: number, first: number): void {
    const exact = encoder.encode(this.#record(first));
    const before = this.#pages[index - 1];
    // A quiet channel keeps little, a busy one soon has pages worth a write.
    const capacity = before === undefined ? firstPageBytes : Math.min(pageBytes, before.bytes.length * 4);
    let bytes = exact;
    if (exact.length < capacity) {
      bytes = new Uint8Array(capacity);
      bytes.set(exact);
    }
    const full = bytes === exact;
    this.#pages.splice(index, 0, { first, bytes, ends: [exact.length], full, last: null });
    this.#bytes += bytes.length;
  }

  /** Adds what the page has room for: up to the last event, or to the next page. */
  #fill(index: number): void {
    const page = this.#pages[index];
    const end = this.#pages[index + 1]?.first ?? this.history.last + 1;
    for (let number = nextOf(page); !page.full && number < end; number++) {
      const record = this.#record(number);
      const used = page.ends.at(-1)!;
      const { read, written } = encoder.encodeInto(record, page.bytes.subarray(used));
      page.full = read < record.length;
      if (page.full) this.#left = { number, record };
      else {
        page.ends.push(used + written);
        page.last = null;
      }
    }
  }

  #record(number: number): string {
    if (this.#left?.number === number) return this.#left.record;
    const event = this.history.event(number);
    return this.format.event(event, event.event === undefined);
  }
}

function nextOf({ first, ends }: Page): number {
  return first + ends.length;
}
