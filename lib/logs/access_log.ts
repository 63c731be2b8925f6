/** One request, as its line in the access log tells it. */
export interface AccessEntry {
  /** When the request came, ISO 8601. */
  time: string;
  method: string;
  /** The path alone: a query may hold what is nobody else's. */
  path: string;
  status: number;
  bytes: number;
  ms: number;
  end: "complete" | "cut" | "refused";
}

/** Writes one JSON line a request, without delaying any. */
export class AccessLog {
  #lines: string[] = [];
  #writing: Promise<void> | null = null;
  #warned = false;
  /** Lines that could not be written. */
  lost = 0;

  constructor(readonly path: string, readonly limits: { accessLogBytes: number; accessLogsKept: number }) {}

  record(entry: AccessEntry): void {
    this.#lines.push(JSON.stringify(entry) + "\n");
    this.#writing ??= this.#write();
  }

  /** Waits until what was recorded is written. */
  async close(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  async #write(): Promise<void> {
    await Promise.resolve();
    while (this.#lines.length > 0) {
      const lines = this.#lines;
      this.#lines = [];
      try {
        await Deno.writeTextFile(this.path, lines.join(""), { append: true });
      } catch (error) {
        this.lost += lines.length;
        if (!this.#warned) console.error(`the access log cannot be written: ${(error as Error).message}`);
        this.#warned = true;
      }
    }
    this.#writing = null;
  }
}
