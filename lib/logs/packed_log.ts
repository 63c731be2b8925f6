import { Buffer } from "node:buffer";
import { LogFile } from "./log_file.ts";
import { scans } from "./turns.ts";

/** Bytes that are unpacked at once: of what packs best, as NULs do, they make 8 MiB. */
const stepBytes = 8_192;

/** Bytes before a position that are kept when it is read anew: a search goes backwards. */
const backBytes = 4_194_304;

const nothing = new Uint8Array(0);
const never = new AbortController().signal;

/**
 * A rotated log that gzip has packed, read by positions in what it was. It is unpacked step by step, as it is read; a read
 * before the last one begins anew.
 */
export class PackedLog extends LogFile {
  /** What it was cannot be had: it is damaged, has several parts, or is longer than allowed. Then it seems empty. */
  unreadable = false;
  /** Bytes that it took to know that, or its size. */
  unpacked = 0;
  #steps: AsyncGenerator<Uint8Array> | null = null;
  /** What was unpacked last, and its position. */
  #bytes: Uint8Array = nothing;
  #at = 0;

  /** Takes over an open file, and unpacks it once: nothing else tells its size, and whether it is whole. */
  static async of(file: Deno.FsFile, info: Deno.FileInfo, maxBytes: number): Promise<PackedLog> {
    const log = new PackedLog(file, info);
    try {
      if (info.size > maxBytes) throw new RangeError("longer than allowed");
      // From here on it is in memory, and the reads that it is unpacked by wait for no disk.
      for (const bytes = new Uint8Array(1_048_576); await file.read(bytes) !== null;);
      for await (const { length } of log.#unpack()) {
        if ((log.unpacked += length) > maxBytes) throw new RangeError("longer than allowed");
      }
    } catch {
      log.unreadable = true;
    }
    return log;
  }

  override stat(): Deno.FileInfo {
    return { ...super.stat(), size: this.unreadable ? 0 : this.unpacked };
  }

  override async readOnce(position: number, buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    const isBack = position < this.#at;
    if (isBack) this.#rewind();
    const from = isBack ? Math.max(0, position - backBytes) : position;
    const end = Math.min(position + buffer.length, this.stat().size);
    while (this.#at + this.#bytes.length < end) {
      const step = await (this.#steps ??= this.#unpack()).next().catch(() => null);
      if (!step?.value) {
        // It was overwritten: what was read is not there any more, as in a file that was truncated.
        this.unreadable = true;
        return 0;
      }
      const skipped = Math.min(from - this.#at, this.#bytes.length);
      this.#bytes = Buffer.concat([this.#bytes.subarray(skipped), step.value]);
      this.#at += skipped;
    }
    const found = this.#bytes.subarray(position - this.#at, Math.max(0, end - this.#at));
    buffer.set(found);
    return found.length;
  }

  /** What is packed does not change. */
  override has(): boolean {
    return true;
  }

  override [Symbol.dispose](): void {
    this.#rewind();
    super[Symbol.dispose]();
  }

  #rewind(): void {
    this.#steps?.return(null).catch(() => {});
    this.#steps = null;
    this.#bytes = nothing;
    this.#at = 0;
  }

  async *#unpack(): AsyncGenerator<Uint8Array> {
    let at = 0;
    const packed = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (controller) => {
        const bytes = new Uint8Array(stepBytes);
        this.file.seekSync(at, Deno.SeekMode.Start);
        const read = this.file.readSync(bytes);
        if (read === null) return controller.close();
        at += read;
        controller.enqueue(bytes.subarray(0, read));
      },
    }, { highWaterMark: 0 });
    for await (const step of packed.pipeThrough(new DecompressionStream("gzip"))) {
      yield step;
      await scans.next(never);
    }
  }
}

/** Whether it is packed, and cannot be read. */
export function isUnreadable(file: LogFile): boolean {
  return file instanceof PackedLog && file.unreadable;
}
