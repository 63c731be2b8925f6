import { type Piece, pieceLength } from "./multipart.ts";

/** Reads the pieces of a file one after another, exactly as many bytes as they say. */
export class PieceReader {
  /** Bytes left to read. */
  left: number;
  /** Bytes left of the range that is being read. */
  #rest = 0;
  readonly #reader: ReadableStreamBYOBReader;
  readonly #pieces: Iterator<Piece>;

  /** The file is the reader's from here on: `cancel` closes it. `before` is its state that the pieces were planned with. */
  constructor(
    readonly file: Deno.FsFile,
    pieces: Piece[],
    readonly before: Pick<Deno.FileInfo, "size" | "mtime">,
  ) {
    this.#reader = file.readable.getReader({ mode: "byob" });
    this.#pieces = pieces.values();
    this.left = pieces.reduce((sum, piece) => sum + pieceLength(piece), 0);
  }

  /**
   * The next bytes, at most `viewBytes` of a range; null when the file has become shorter than its pieces, and in place of
   * the last ones when it was overwritten since the first.
   *
   * Each view is allocated anew: `Deno.serve` asks for the next chunk while bytes of earlier ones still wait for the socket,
   * so a view that is used again corrupts what is sent.
   */
  async read(viewBytes: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const chunk = await this.#next(viewBytes);
    return chunk !== null && this.left === 0 && this.#isOverwritten() ? null : chunk;
  }

  /** A file that only grew was appended to. Renaming it moves its ctime, so that one is not compared. */
  #isOverwritten(): boolean {
    const { size, mtime } = this.file.statSync();
    return size <= this.before.size && mtime?.getTime() !== this.before.mtime?.getTime();
  }

  async #next(viewBytes: number): Promise<Uint8Array<ArrayBuffer> | null> {
    if (this.#rest === 0) {
      const piece = this.#pieces.next().value!;
      if (!("first" in piece)) {
        this.left -= piece.length;
        return piece;
      }
      this.file.seekSync(piece.first, Deno.SeekMode.Start);
      this.#rest = pieceLength(piece);
    }
    // Never beyond the range: at the end of the file the stream would close it under the pieces that follow.
    const { value } = await this.#reader.read(new Uint8Array(Math.min(viewBytes, this.#rest)));
    if (!value?.length) return null;
    this.#rest -= value.length;
    this.left -= value.length;
    return value as Uint8Array<ArrayBuffer>;
  }

  /** The rest at once, for a small body; null when the file has become shorter, or was overwritten. */
  async readAll(): Promise<Uint8Array<ArrayBuffer> | null> {
    const all = new Uint8Array(this.left);
    while (this.left > 0) {
      const at = all.length - this.left;
      const chunk = await this.read(this.left);
      if (chunk === null || chunk.length === all.length) return chunk;
      all.set(chunk, at);
    }
    return all;
  }

  /** Closes the file, also under a read, which then gives null. */
  cancel(): void {
    // A read that failed has closed the file already, and fails this as well.
    this.#reader.cancel().catch(() => {});
  }
}
