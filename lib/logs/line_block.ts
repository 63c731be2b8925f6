import { isUtf8 } from "node:buffer";
import { Encoded } from "../stream/event.ts";
import type { Format } from "../stream/formats/format.ts";
import { lineStart, type Mark } from "./cursor.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** A line and the cursor after it. The last line of a log that ends there has none while it is unfinished. */
export interface Line {
  /** The cursor. */
  id?: string;
  /** Without its line end. */
  line: string;
}

/** Some whole lines of a log, as they were read together; whoever follows the log shares them. */
export interface LineBlock {
  /** Which file the lines are of. */
  readonly mark: Mark;
  /** Where the block starts in the file, and the byte after it. */
  readonly start: number;
  /** See `start`. */
  readonly end: number;
  /** The cursor before the first line, and the one after the last. */
  readonly before: string;
  /** See `before`. */
  readonly after: string;
  /** Bytes that it keeps in memory. */
  readonly size: number;
  /** Each line that contains `grep`, without its LF or CRLF; bytes that are not UTF-8 are replaced. */
  lines(grep?: string): Line[];
  /** All lines as records of a format. */
  encode(format: Format): Encoded;
  /** The lines after a position; null when no line ends there. */
  from(offset: number, cursor: string): LineBlock | null;
}

/** Makes records of lines: for a block that has been filtered, too. */
export function encodeLines(lines: Line[], format: Format): string {
  let out = "";
  for (const { id, line } of lines) out += format.event({ id, data: line });
  return out;
}

/** What the kinds of block share. */
export abstract class Block {
  readonly #encoded = new Map<Format, Encoded>();

  /** See {@linkcode LineBlock.lines}. */
  abstract lines(grep?: string): Line[];

  /** Encoded once for all who follow. */
  encode(format: Format): Encoded {
    let encoded = this.#encoded.get(format);
    if (encoded === undefined) this.#encoded.set(format, encoded = new Encoded(this.make(format)));
    return encoded;
  }

  /** Makes what `encode` keeps. */
  protected make(format: Format): Uint8Array<ArrayBuffer> {
    return encoder.encode(encodeLines(this.lines(), format));
  }
}

/** Lines within the limit, each with its newline, as they are in the file. */
export class WholeLines extends Block implements LineBlock {
  readonly end: number;
  readonly after: string;
  readonly size: number;

  /** Bytes of whole lines, from `start` on; the mark knows the head of the file up to their end. */
  constructor(
    readonly mark: Mark,
    readonly start: number,
    readonly before: string,
    readonly bytes: Uint8Array<ArrayBuffer>,
  ) {
    super();
    this.end = start + bytes.length;
    this.after = mark.cursor(this.end, bytes, lineStart(bytes, bytes.length), bytes.length);
    this.size = bytes.buffer.byteLength;
  }

  lines(grep = ""): Line[] {
    const { mark, bytes, start } = this;
    const lines: Line[] = [];
    this.#each((line, from, to) => {
      if (line.includes(grep)) lines.push({ id: mark.cursor(start + to, bytes, from, to), line });
    });
    return lines;
  }

  from(offset: number, cursor: string): LineBlock | null {
    if (offset === this.start) return cursor === this.before ? this : null;
    const at = offset - this.start;
    if (at <= 0 || at >= this.bytes.length || this.bytes[at - 1] !== 10) return null;
    if (this.mark.cursor(offset, this.bytes, lineStart(this.bytes, at), at) !== cursor) return null;
    return new WholeLines(this.mark, offset, cursor, this.bytes.slice(at));
  }

  /** Makes the records without a list of lines between. */
  protected override make(format: Format): Uint8Array<ArrayBuffer> {
    const { mark, bytes, start } = this;
    // Most logs are UTF-8 without CR: then their bytes are the text.
    if (format.plain && isUtf8(bytes) && !bytes.includes(13)) return bytes;
    let out = "";
    this.#each((line, from, to) => {
      out += format.event({ id: mark.cursor(start + to, bytes, from, to), data: line });
    });
    return encoder.encode(out);
  }

  /** Calls back for each line, with where its bytes begin and end. */
  #each(callback: (line: string, from: number, to: number) => void): void {
    const { bytes } = this;
    const text = decoder.decode(bytes);
    // Decoding never makes more characters than there are bytes: as many means that their places are the same.
    const samePlaces = text.length === bytes.length;
    let from = 0;
    let at = 0;
    while (at < text.length) {
      const newline = text.indexOf("\n", at);
      const to = (samePlaces ? newline : bytes.indexOf(10, from)) + 1;
      const crlf = newline > at && text.charCodeAt(newline - 1) === 13;
      callback(text.slice(at, crlf ? newline - 1 : newline), from, to);
      at = newline + 1;
      from = to;
    }
  }
}

/** One line that is not in the file as it is told: cut at the limit, or the last of a file and without a newline. */
export class OddLine extends Block implements LineBlock {
  readonly size: number;

  /** `after` is `before` for an unfinished line: a reader that comes back gets it again, whole. */
  constructor(
    readonly mark: Mark,
    readonly start: number,
    readonly end: number,
    readonly before: string,
    readonly after: string,
    readonly line: string,
  ) {
    super();
    this.size = 2 * line.length;
  }

  lines(grep = ""): Line[] {
    if (!this.line.includes(grep)) return [];
    return [this.after === this.before ? { line: this.line } : { id: this.after, line: this.line }];
  }

  from(offset: number, cursor: string): LineBlock | null {
    return offset === this.start && cursor === this.before ? this : null;
  }
}

/** A line over the limit: its first bytes, and how many follow. Both ends are cut between characters. */
export function cutLine(first: Uint8Array, skipped: number): string {
  let end = first.length;
  // Not in the middle of a UTF-8 sequence: back over at most three continuation bytes and the lead byte.
  for (let back = 1; back <= 4 && back <= first.length; back++) {
    const byte = first[first.length - back];
    if ((byte & 0xc0) === 0x80) continue;
    if (byte >= 0xc0 && back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2)) end = first.length - back;
    break;
  }
  return `${decoder.decode(first.subarray(0, end))} [cut: ${skipped + first.length - end} more bytes]`;
}

/** A last line that has no newline. */
export function plainLine(bytes: Uint8Array): string {
  return decoder.decode(bytes.at(-1) === 13 ? bytes.subarray(0, -1) : bytes);
}
