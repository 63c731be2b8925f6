/** A batch goes out at this many characters. */
const batchChars = 64 * 1024;

/**
 * A generator that never waits gives the turn back after this many ms: 1 in place of 2 halves what `/healthz` waits for
 * beside six readers at full speed (16 in place of 37 ms) and costs 100,000 lines 3%. A few values are not worth a chunk
 * each until they take as long as `slowMs`.
 */
const sliceMs = 1;
const slowMs = 5;

const encoder = new TextEncoder();

/**
 * What is ready to leave, in order. Records of the same turn leave as one chunk: a write to a socket costs far more than a
 * record.
 */
export class Batch {
  /** What goes before the text: most streams have no blocks, or one at a time. */
  #chunks: Uint8Array[] | null = null;
  #text = "";
  #count = 0;
  #start = 0;

  get empty(): boolean {
    return this.#text === "" && this.#chunks === null;
  }

  /** Adds a record; true when the batch should go out, as its source has had its share of the turn. */
  add(record: string): boolean {
    if (this.#count === 0) this.#start = Date.now();
    this.#text += record;
    // Reading the clock for every record would be a tenth of the cost of a small one. A source that has yielded many has
    // its share after a short time; a few records are split only when they are slow to compute.
    const n = ++this.#count;
    const many = (n & 63) === 0;
    const look = many || (n & 7) === 0 || n === 2 || n === 4;
    if (!(look && this.#isDue(many ? sliceMs : slowMs)) && this.#text.length < batchChars) return false;
    // A source of nothing but empty records has its share as well.
    this.#count = 0;
    return true;
  }

  /** `performance.now()` takes twice as long as `Date.now()`, of which somebody who sets the clock only ends a batch early. */
  #isDue(ms: number): boolean {
    const elapsed = Date.now() - this.#start;
    return elapsed >= ms || elapsed < 0;
  }

  /** Adds a block of records, which leaves as it is. */
  addBlock(bytes: Uint8Array): void {
    this.#chunks ??= [];
    if (this.#text !== "") this.#chunks.push(encoder.encode(this.#takeText()));
    this.#chunks.push(bytes);
  }

  /** Takes out the next chunk; it must not be empty. */
  take(): Uint8Array {
    if (this.#chunks === null) return encoder.encode(this.#takeText());
    const chunk = this.#chunks.shift()!;
    if (this.#chunks.length === 0) this.#chunks = null;
    return chunk;
  }

  /** Takes out all of it, if that is text alone. */
  takeWhole(): string | null {
    return this.#chunks === null ? this.#takeText() : null;
  }

  #takeText(): string {
    const text = this.#text;
    this.#text = "";
    this.#count = 0;
    return text;
  }
}
