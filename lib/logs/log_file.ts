/** One open log file. The handle has a single position, so no two reads may be under way at once. */
export class LogFile implements Disposable {
  readonly #file: Deno.FsFile;
  #reading = false;
  #closed = false;

  /** Takes over `file`; `info` is of the same. */
  constructor(file: Deno.FsFile, readonly info: Deno.FileInfo) {
    this.#file = file;
  }

  /** What it is like now. */
  stat(): Deno.FileInfo {
    return this.#file.statSync();
  }

  /**
   * One read, up to the end that the file has at that moment: a second one could go on in what the file was filled with
   * after a truncation.
   */
  async readOnce(position: number, buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    if (this.#reading) throw new Error("a log file is read twice at once");
    this.#reading = true;
    try {
      this.#file.seekSync(position, Deno.SeekMode.Start);
      return await this.#file.read(buffer) ?? 0;
    } finally {
      this.#reading = false;
      if (this.#closed) this.#file.close();
    }
  }

  /** Whether the file has these bytes there. Only for what was read just now: it does not wait for a disk. */
  has(position: number, bytes: Uint8Array): boolean {
    const there = new Uint8Array(bytes.length);
    this.#file.seekSync(position, Deno.SeekMode.Start);
    return (this.#file.readSync(there) ?? 0) === bytes.length && there.every((byte, i) => byte === bytes[i]);
  }

  /** Fills as much of `buffer` as there is from `position`; tells how much. */
  async read(position: number, buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    let filled = 0;
    while (filled < buffer.length) {
      const count = await this.readOnce(position + filled, buffer.subarray(filled));
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  /** Closes it, once: after the read that is under way, which would else be cancelled. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#reading) this.#file.close();
  }
}
