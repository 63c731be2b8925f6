/** Reads a live stream line by line; `close` leaves it, as a client does that goes away. */
export class Lines {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #rest = "";

  constructor(readonly response: Response) {
    this.#reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Requests the URL and reads its body. */
  static async get(url: string, headers: Record<string, string> = {}): Promise<Lines> {
    return new Lines(await fetch(url, { headers }));
  }

  /** The next line, without its end; null when the body has ended. */
  async next(): Promise<string | null> {
    for (;;) {
      const end = this.#rest.indexOf("\n");
      if (end >= 0) {
        const line = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 1);
        return line;
      }
      const { value, done } = await this.#reader.read();
      if (done) return null;
      this.#rest += value;
    }
  }

  /** The next line as JSON. */
  // deno-lint-ignore no-explicit-any -- tests look at what they expect
  async json(): Promise<any> {
    return JSON.parse(await this.next() ?? "null");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
  }
}
