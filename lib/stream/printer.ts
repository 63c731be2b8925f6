/** Characters that wait for a reader; lines beyond that are lost. */
const maxWaiting = 262_144;

const encoder = new TextEncoder();

/**
 * Prints lines without ever waiting for a reader: a full pipe would stop the whole process. Lines that find no
 * room are lost and counted, and the count is printed once there is room again.
 */
export class Printer {
  #waiting = "";
  #lost = 0;
  #writing: Promise<void> | null = null;

  /** Prints to `Deno.stdout`, `Deno.stderr` or another writer. */
  constructor(readonly writer: { write(bytes: Uint8Array): Promise<number> }) {}

  /** Resolves when what was printed has been written. */
  get written(): Promise<void> {
    return this.#writing ?? Promise.resolve();
  }

  /** Takes one line, or several, to be written soon. */
  print(line: string): void {
    if (this.#waiting.length + line.length > maxWaiting) this.#lost += line.split("\n").length;
    else this.#waiting += `${line}\n`;
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting !== "" || this.#lost > 0) {
      const lost = this.#lost === 0 ? "" : `${this.#lost} lines were lost: nobody read them in time\n`;
      let rest = encoder.encode(this.#waiting + lost);
      this.#waiting = "";
      this.#lost = 0;
      try {
        while (rest.length > 0) rest = rest.subarray(await this.writer.write(rest));
      } catch {
        // The reader has gone, and with it the place to report this.
      }
    }
    this.#writing = null;
  }
}

/** What the process prints for programs: answers, and that it listens. */
export const stdout: Printer = new Printer(Deno.stdout);
/** What the process prints for the operator. */
export const stderr: Printer = new Printer(Deno.stderr);
