import { Encoded } from "../stream/event.ts";

/** Bytes of a full page. A subscriber that stalls holds one at most. */
const pageBytes = 16 * 1024;
const firstPageBytes = 1024;

const encoder = new TextEncoder();

interface Page {
  /** Number of its first event. */
  first: number;
  bytes: Uint8Array<ArrayBuffer>;
  /** Where each event ends. */
  ends: number[];
  /** The block that was read last: after a publish all subscribers read the same. */
  last: { from: number; block: Block } | null;
}

/** Whole records, and the number of the event after them. */
export interface Block {
  encoded: Encoded;
  next: number;
}

/**
 * A channel's events in one format, encoded once: records one after the other in pages. A block is a view of a page, so
 * subscribers that read the same events share the same memory; only what lies behind a page's last record is ever written
 * to.
 */
export class Pages {
  #pages: Page[] = [];

  /** `id` gives the cursor of an event. */
  constructor(readonly id: (number: number) => string) {}

  /** Adds the record of event `number`: the next one, after the first. */
  add(number: number, record: string): void {
    const page = this.#pages.at(-1);
    if (page !== undefined) {
      const used = page.ends.at(-1)!;
      const { read, written } = encoder.encodeInto(record, page.bytes.subarray(used));
      if (read === record.length) {
        page.ends.push(used + written);
        page.last = null;
        return;
      }
    }
    const exact = encoder.encode(record);
    // A quiet channel keeps little, a busy one soon has pages worth a write.
    const capacity = page === undefined ? firstPageBytes : Math.min(pageBytes, page.bytes.length * 4);
    let bytes = exact;
    if (exact.length < capacity) {
      bytes = new Uint8Array(capacity);
      bytes.set(exact);
    }
    this.#pages.push({ first: number, bytes, ends: [exact.length], last: null });
  }

  /** The records from event `from`, which has to be here, to the end of its page. */
  block(from: number): Block {
    const page = this.#pages.findLast(({ first }) => first <= from)!;
    if (page.last?.from === from) return page.last.block;
    const start = from === page.first ? 0 : page.ends[from - page.first - 1];
    const next = page.first + page.ends.length;
    const encoded = new Encoded(page.bytes.subarray(start, page.ends.at(-1)), this.id(next - 1));
    const block = { encoded, next };
    page.last = { from, block };
    return block;
  }

  /** Drops the pages that hold nothing from event `oldest` on. */
  evict(oldest: number): void {
    while (this.#pages.length > 0 && this.#pages[0].first + this.#pages[0].ends.length <= oldest) {
      this.#pages.shift();
    }
  }
}
