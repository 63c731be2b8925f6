import { isUtf8 } from "node:buffer";
import { Encoded, type StreamEvent } from "../stream/event.ts";
import type { Format } from "../stream/formats/format.ts";
import { type FileFingerprint, lineStart } from "./fingerprint.ts";

/** Bytes that are not UTF-8 are replaced; a BOM is a character, for the places of the lines are counted. */
export const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Bytes of a block whose lines are counted one by one. */
const countedBytes = 16_384;

/** Whether a line is wanted. */
export type LineFilter = (line: string) => boolean;

/** Some whole lines of a log, as they were read together; its followers share them. */
export abstract class LineBlock {
  readonly #encoded = new Map<Format, Encoded>();

  /** The positions before the first line and after the last; `size` is in bytes of memory. */
  constructor(readonly before: FileFingerprint, readonly after: FileFingerprint, readonly size: number) {}

  /**
   * Each line that is wanted, with the cursor after it as its id, and without its LF or CRLF; bytes that are not UTF-8 are
   * replaced. The unfinished last line of a log that is not followed has no id.
   */
  abstract lines(wanted?: LineFilter): StreamEvent<string>[];

  /** The lines after a position; null when no line of the block ends there. */
  since(position: FileFingerprint): LineBlock | null {
    return position.cursor === this.before.cursor ? this : null;
  }

  /** The lines as records of a format, made once for all followers. */
  encode(format: Format): Encoded {
    let encoded = this.#encoded.get(format);
    if (encoded === undefined) {
      const { bytes, count } = this.records(format);
      this.#encoded.set(format, encoded = new Encoded(bytes, this.after.cursor, count));
    }
    return encoded;
  }

  protected records(format: Format): { bytes: Uint8Array<ArrayBuffer>; count: number } {
    const lines = this.lines();
    return { bytes: encodeLines(lines, format), count: lines.length };
  }
}

/** Lines as records of a format. */
export function encodeLines(lines: StreamEvent<string>[], format: Format): Uint8Array<ArrayBuffer> {
  let out = "";
  for (const line of lines) out += format.event(line, line.id !== undefined);
  return encoder.encode(out);
}

/**
 * The number of whole lines, for the metrics. Of a large block it is that of its beginning times the rest: to look for each line
 * end would take a fifth of the time that a whole log takes.
 */
function lineCount(bytes: Uint8Array): number {
  const looked = bytes.subarray(0, countedBytes);
  let count = 0;
  for (let at = looked.indexOf(10); at !== -1; at = looked.indexOf(10, at + 1)) count++;
  return looked.length === bytes.length
    ? count
    : Math.max(1, Math.round(count * bytes.length / looked.length));
}

/** Lines within the limit, each with its newline, as they are in the file. */
export class WholeLines extends LineBlock {
  /** Takes over the bytes of whole lines that follow a position. */
  constructor(before: FileFingerprint, readonly bytes: Uint8Array<ArrayBuffer>) {
    super(before, before.after(bytes, lineStart(bytes, bytes.length)), bytes.buffer.byteLength);
  }

  lines(wanted?: LineFilter): StreamEvent<string>[] {
    const { bytes } = this;
    const text = decoder.decode(bytes);
    // Decoding never makes more characters than there are bytes: as many means that their places are the same.
    const samePlaces = text.length === bytes.length;
    const lines: StreamEvent<string>[] = [];
    for (let from = 0, at = 0; at < text.length;) {
      const newline = text.indexOf("\n", at);
      const to = (samePlaces ? newline : bytes.indexOf(10, from)) + 1;
      const crlf = newline > at && text.charCodeAt(newline - 1) === 13;
      const start = at === 0 && this.#bom ? 1 : at;
      const data = text.slice(start, crlf ? newline - 1 : newline);
      if (wanted === undefined || wanted(data)) lines.push({ id: this.#cursor(from, to), data });
      at = newline + 1;
      from = to;
    }
    return lines;
  }

  override since(position: FileFingerprint): LineBlock | null {
    const { before, bytes } = this;
    const at = position.offset - before.offset;
    if (at <= 0 || at >= bytes.length || bytes[at - 1] !== 10) return super.since(position);
    if (this.#cursor(lineStart(bytes, at), at) !== position.cursor) return null;
    return new WholeLines(position, bytes.slice(at));
  }

  protected override records(format: Format): { bytes: Uint8Array<ArrayBuffer>; count: number } {
    const { bytes } = this;
    // Most logs are UTF-8 without CR: then their bytes are the text.
    if (!format.plain || !isUtf8(bytes) || bytes.includes(13)) return super.records(format);
    return { bytes: this.#bom ? bytes.subarray(3) : bytes, count: lineCount(bytes) };
  }

  /** The file begins here, with a byte order mark. */
  get #bom(): boolean {
    const { before, bytes } = this;
    return before.offset === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  }

  #cursor(from: number, to: number): string {
    return this.after.cursorOf(this.before.offset + to, this.bytes, from, to);
  }
}

/** Lines that came to an older file after a reader had gone on: its cursor stays where it is, so they have no ids. */
export class LateLines extends LineBlock {
  /** `at` is where the reader is. */
  constructor(at: FileFingerprint, readonly late: LineBlock) {
    super(at, at, late.size);
  }

  lines(wanted?: LineFilter): StreamEvent<string>[] {
    return this.late.lines(wanted).map(({ data }) => ({ data }));
  }
}

/** One line that is not in the file as it is sent: cut at the limit, or the last of a file and without a newline. */
export class PartialLine extends LineBlock {
  readonly line: string;

  /** `after` is `before` for an unfinished line: a reader that comes back gets it again, whole. */
  constructor(before: FileFingerprint, after: FileFingerprint, line: string) {
    super(before, after, 2 * line.length);
    this.line = before.offset === 0 && line.startsWith("\ufeff") ? line.slice(1) : line;
  }

  lines(wanted?: LineFilter): StreamEvent<string>[] {
    const { before, after, line } = this;
    if (wanted !== undefined && !wanted(line)) return [];
    return [after === before ? { data: line } : { id: after.cursor, data: line }];
  }
}
