import { closeSync, constants, fstatSync, open, read, readSync } from "node:fs";
import type { FileState } from "./files/validators.ts";

/** What is told of something that is open: enough to know it again, and its version. */
export type OpenInfo = FileState & Pick<Deno.FileInfo, "dev" | "isFile" | "isDirectory">;

/**
 * What a path led to when it was opened, for reading.
 *
 * It comes from node:fs, since `Deno.open` cannot be told not to wait: a FIFO that has won the race for a name would hold a
 * thread of the pool for good, and a few hundred of them all of it. Files are read as fast in this way (bench files).
 */
export class OpenFile implements Disposable {
  readonly #fd: number;
  #reading = false;
  #closed = false;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Opens whatever is there, without waiting for who may be at its other end. */
  static open(path: string): Promise<OpenFile> {
    return new Promise((resolve, reject) => {
      open(path, constants.O_RDONLY | constants.O_NONBLOCK, (error, fd) => {
        if (error) reject(error);
        else resolve(new OpenFile(fd));
      });
    });
  }

  /** What it is now, whatever has become of its path. Waits for nothing. */
  info(): OpenInfo {
    const stats = fstatSync(this.#fd);
    const { dev, ino, size, mtime, ctime } = stats;
    return { dev, ino, size, mtime, ctime, isFile: stats.isFile(), isDirectory: stats.isDirectory() };
  }

  /** Fills `view` from `position` on as far as one read does, and tells how many bytes that were: 0 at the end. One at a time. */
  async read(view: Uint8Array<ArrayBuffer>, position: number): Promise<number> {
    this.#reading = true;
    try {
      return await new Promise((resolve, reject) => {
        read(this.#fd, view, 0, view.length, position, (error, bytes) => {
          if (error) reject(error);
          else resolve(bytes);
        });
      });
    } finally {
      this.#reading = false;
      if (this.#closed) closeSync(this.#fd);
    }
  }

  /** As {@linkcode OpenFile.read}, at once: for what was read just now, and is in memory. */
  readSync(view: Uint8Array<ArrayBuffer>, position: number): number {
    return readSync(this.#fd, view, 0, view.length, position);
  }

  /** Closes it, once: after the read that is under way, which would else go on in whatever gets its number next. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#reading) closeSync(this.#fd);
  }
}
