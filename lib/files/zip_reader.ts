import type { Opens } from "../opens.ts";
import { PieceReader } from "./piece_reader.ts";
import { find, type Found, open, withFound } from "./root.ts";

/** Bytes that small parts of a zip are joined to. */
const joinedBytes = 64 * 1024;

/** Bytes of the views that files are read into. */
const viewBytes = 256 * 1024;

/** What is used of the library: an import of its types would put it into deno.lock, and so into each start. */
export interface ClientZip {
  /** A zip of these entries, one after another; a folder has no input. */
  makeZip(entries: AsyncIterable<ZipEntry>): ReadableStream<Uint8Array<ArrayBuffer>>;
}

interface ZipEntry {
  name: string;
  lastModified?: Date;
  input?: AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** A name to pack. */
export interface Listed {
  /** Below the folder that is packed. */
  path: string[];
  /** Its name in the zip. */
  name: string;
  type: "file" | "directory";
  /** Last change, ISO 8601; null where the system does not say. */
  time: string | null;
}

/** Reads a zip that is made meanwhile: one file is open at a time. */
export class ZipReader {
  /** 0 at the end. */
  left = Infinity;
  /** The file that is being read. */
  #file: PieceReader | null = null;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

  /** `root` is the folder that is packed. */
  constructor(
    makeZip: ClientZip["makeZip"],
    entries: Listed[],
    readonly options: { root: Found; opens: Opens; zipBytes: number; signal: () => AbortSignal },
  ) {
    this.#reader = makeZip(this.#entries(entries)).getReader();
  }

  /** The next bytes; none at the end. It throws when a file cannot be read, or becomes shorter. */
  async read(): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (let size = 0; size < joinedBytes;) {
      const { value, done } = await this.#reader.read();
      if (done) {
        this.left = 0;
        break;
      }
      parts.push(value);
      size += value.length;
    }
    // A large part, or the last one, is nobody else's; the library uses small ones again.
    if (parts.length === 1) return parts[0];
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  }

  /** Stops, and closes what is open. */
  cancel(): void {
    this.#file?.cancel();
    this.#reader.cancel().catch(() => {});
  }

  async *#entries(entries: Listed[]): AsyncGenerator<ZipEntry> {
    const { root: { root, segments, followLinks }, opens, signal } = this.options;
    let left = this.options.zipBytes;
    for (const { path, name, type, time } of entries) {
      if (type === "directory") {
        yield { name: `${name}/`, lastModified: time === null ? undefined : new Date(time) };
        continue;
      }
      const found = await find(root, [...segments, ...path], followLinks);
      const { file, info } = await withFound(found, (found) => open(found, opens, signal));
      this.#file = new PieceReader(file, info.size > 0 ? [{ first: 0, last: info.size - 1 }] : [], info);
      try {
        if ((left -= info.size) < 0) throw new Error(`more than ${this.options.zipBytes} bytes`);
        yield { name, lastModified: info.mtime ?? undefined, input: chunks(this.#file, name) };
      } finally {
        this.#file.cancel();
        this.#file = null;
      }
    }
  }
}

async function* chunks(file: PieceReader, name: string): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  while (file.left > 0) {
    const chunk = await file.read(viewBytes);
    if (chunk === null) throw new Error(`${name} became shorter, or was overwritten, while it was sent`);
    yield chunk;
  }
}
