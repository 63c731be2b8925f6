import { isUtf8 } from "node:buffer";
import { Encoded } from "../stream/event.ts";
import type { Format } from "../stream/formats/format.ts";
import { type FileFingerprint, lineStart } from "./fingerprint.ts";

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
  /** The position before the first line. */
  readonly before: FileFingerprint;
  /** The one after the last. */
  readonly after: FileFingerprint;
  /** Bytes that it keeps in memory. */
  readonly size: number;
  /** Each line that contains `grep`, without its LF or CRLF; bytes that are not UTF-8 are replaced. */
  lines(grep?: string): Line[];
  /** All lines as records of a format. */
  encode(format: Format): Encoded;
  /** The lines after a position; null when no line ends there. */
  since(position: FileFingerprint): LineBlock | null;
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
  readonly after: FileFingerprint;
  readonly size: number;

  /** Takes over the bytes of whole lines that follow a position. */
  constructor(readonly before: FileFingerprint, readonly bytes: Uint8Array<ArrayBuffer>) {
    super();
    this.after = before.after(bytes, lineStart(bytes, bytes.length));
    this.size = bytes.buffer.byteLength;
  }

  lines(grep = ""): Line[] {
    const lines: Line[] = [];
    this.#each((line, from, to) => {
      if (line.includes(grep)) lines.push({ id: this.#cursor(from, to), line });
    });
    return lines;
  }

  since(position: FileFingerprint): LineBlock | null {
    const { before, bytes } = this;
    const at = position.offset - before.offset;
    if (at === 0) return position.cursor === before.cursor ? this : null;
    if (at < 0 || at >= bytes.length || bytes[at - 1] !== 10) return null;
    if (this.#cursor(lineStart(bytes, at), at) !== position.cursor) return null;
    return new WholeLines(position, bytes.slice(at));
  }

  /** Makes the records without a list of lines between. */
  protected override make(format: Format): Uint8Array<ArrayBuffer> {
    const { bytes } = this;
    // Most logs are UTF-8 without CR: then their bytes are the text.
    if (format.plain && isUtf8(bytes) && !bytes.includes(13)) return bytes;
    let out = "";
    this.#each((line, from, to) => out += format.event({ id: this.#cursor(from, to), data: line }, true));
    return encoder.encode(out);
  }

  #cursor(from: number, to: number): string {
    return this.after.cursorOf(this.before.offset + to, this.bytes, from, to);
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

/** One line that is not in the file as it is sent: cut at the limit, or the last of a file and without a newline. */
export class PartialLine extends Block implements LineBlock {
  readonly size: number;

  /** `after` is `before` for an unfinished line: a reader that comes back gets it again, whole. */
  constructor(readonly before: FileFingerprint, readonly after: FileFingerprint, readonly line: string) {
    super();
    this.size = 2 * line.length;
  }

  lines(grep = ""): Line[] {
    const { before, after, line } = this;
    if (!line.includes(grep)) return [];
    return [after === before ? { line } : { id: after.cursor, line }];
  }

  since({ cursor }: FileFingerprint): LineBlock | null {
    return cursor === this.before.cursor ? this : null;
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
