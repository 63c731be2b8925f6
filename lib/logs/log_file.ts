/** One open log file. The handle has a single position, so reads must not overlap. */
export class LogFile implements Disposable {
  /** Takes over `file`; `info` is what it was like when it was opened. */
  constructor(readonly file: Deno.FsFile, readonly info: Deno.FileInfo) {}

  stat(): Deno.FileInfo {
    return this.file.statSync();
  }

  /**
   * One read, up to the end that the file has at that moment: a second one could go on in what the file was filled with
   * after a truncation.
   */
  async readOnce(position: number, buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    this.file.seekSync(position, Deno.SeekMode.Start);
    return await this.file.read(buffer) ?? 0;
  }

  /** Fills as much of `buffer` as there is from `position`; returns how much. */
  async read(position: number, buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    let filled = 0;
    while (filled < buffer.length) {
      const count = await this.readOnce(position + filled, buffer.subarray(filled));
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  /** Whether the file has these bytes there. Only for what was read just now: it does not wait for a disk. */
  has(position: number, bytes: Uint8Array): boolean {
    const found = new Uint8Array(bytes.length);
    this.file.seekSync(position, Deno.SeekMode.Start);
    return (this.file.readSync(found) ?? 0) === bytes.length && found.every((byte, i) => byte === bytes[i]);
  }

  [Symbol.dispose](): void {
    this.file[Symbol.dispose]();
  }
}

/** A file as if it ended at a position. */
export class FileStart extends LogFile {
  constructor(readonly whole: LogFile, readonly end: number) {
    super(whole.file, whole.info);
  }

  override stat(): Deno.FileInfo {
    const info = this.whole.stat();
    return { ...info, size: Math.min(info.size, this.end) };
  }

  override async readOnce(position: number, buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    return await this.whole.readOnce(position, buffer.subarray(0, Math.max(0, this.end - position)));
  }

  override has(position: number, bytes: Uint8Array): boolean {
    return this.whole.has(position, bytes);
  }

  override [Symbol.dispose](): void {
    this.whole[Symbol.dispose]();
  }
}
