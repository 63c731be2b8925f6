import type { App } from "./app.ts";
import type { Context, Delivered } from "./router.ts";

const noUrl = new URL("http://invalid/");

/** The {@linkcode Context} of one request, from its first byte to the line in the access log. */
export class RequestContext implements Context {
  url: URL = noUrl;
  params: Record<string, string> = {};
  readonly #start = performance.now();
  readonly #time: number = Date.now();
  #controller: AbortController | null = null;
  #aborted = false;
  #tracked = false;
  #status = 0;
  #delivered: { how: "complete" | "cut"; bytes: number } | null = null;

  constructor(readonly app: App, readonly method: string, readonly overTcp: boolean = false) {}

  /** Made on first use: many requests never look at it. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  abort(): void {
    this.#aborted = true;
    this.#controller?.abort();
  }

  track(): Delivered {
    this.#tracked = true;
    return (how, bytes) => {
      this.#delivered = { how, bytes };
      if (this.#status !== 0) this.#log(how, bytes);
    };
  }

  /** The response is known. What no body tracks is short and counts as delivered. */
  answered(response: Response): void {
    this.#status = response.status;
    if (response.status >= 400) this.#log("refused", Number(response.headers.get("content-length") ?? 0));
    else if (!this.#tracked) this.#log("complete", Number(response.headers.get("content-length") ?? 0));
    else if (this.#delivered !== null) this.#log(this.#delivered.how, this.#delivered.bytes);
  }

  #log(end: "complete" | "cut" | "refused", bytes: number): void {
    this.app.answered.requests++;
    this.app.answered.bytes += bytes;
    this.app.accessLog.record({
      time: this.#time,
      method: this.method,
      path: this.url.pathname,
      status: this.#status,
      bytes,
      ms: Math.round((performance.now() - this.#start) * 10) / 10,
      end,
    });
  }
}
