import type { App } from "./app.ts";
import type { Context, Delivered } from "./router.ts";

/** The {@linkcode Context} of one request, from its first byte to the line in the access log. */
export class RequestContext implements Context {
  #href = "http://invalid/";
  #url: URL | null = null;
  #path = "/";
  params: Record<string, string> = {};
  readonly #time: number = Date.now();
  #controller: AbortController | null = null;
  #aborted = false;
  #tracked = false;
  #status = 0;
  /** Bytes that the server has counted already. */
  #counted = 0;
  #delivered: { how: "complete" | "cut"; bytes: number } | null = null;
  readonly #method: string;
  /** Until the response is known or a body hears for itself that the client has gone; an idle stream keeps no request. */
  #request: Request | null;
  #gone: (() => void) | null = null;
  #left = false;

  /** `overTcp`: the request came over a connection of its own, whose end can be heard. */
  constructor(readonly app: App, request: Request, readonly overTcp: boolean = false) {
    this.#request = request;
    this.#method = request.method;
  }

  /** An open stream seldom looks at it again, so it is kept as text then: 5,000 URLs take 3 MB. */
  get url(): URL {
    return this.#url ??= new URL(this.#href);
  }

  set url(url: URL) {
    this.#url = url;
    this.#href = url.href;
    this.#path = url.pathname;
  }

  /** Made on first use: many requests never look at it. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort();
      // A handler that waits hears that its client has gone only in this way.
      else if (this.#request !== null) {
        this.#gone = () => {
          this.#left = true;
          this.abort();
        };
        this.#request.signal.addEventListener("abort", this.#gone);
      }
    }
    return this.#controller.signal;
  }

  abort(): void {
    this.#aborted = true;
    this.#controller?.abort();
  }

  /** Whether the client has gone while the handler was still at work, with its signal. */
  get left(): boolean {
    return this.#left;
  }

  track(): Delivered {
    this.#tracked = true;
    this.#stopListening();
    return (how, bytes) => {
      this.#delivered = { how, bytes };
      if (this.#status !== 0) this.#log(how, bytes);
    };
  }

  sent(bytes: number): void {
    this.#counted += bytes;
    this.app.answered.bytes += bytes;
  }

  /** The response is known. What no body tracks is short and counts as delivered. */
  answered(response: Response): void {
    this.#status = response.status;
    this.#url = null;
    this.#stopListening();
    const length = () => this.#method === "HEAD" ? 0 : Number(response.headers.get("content-length") ?? 0);
    if (response.status >= 400) this.#log("refused", length());
    else if (!this.#tracked) this.#log("complete", length());
    else if (this.#delivered !== null) this.#log(this.#delivered.how, this.#delivered.bytes);
  }

  /** Once the response is known, the request's own signal may tell of success as well. */
  #stopListening(): void {
    if (this.#gone !== null) this.#request?.signal.removeEventListener("abort", this.#gone);
    this.#request = this.#gone = null;
  }

  #log(end: "complete" | "cut" | "refused", bytes: number): void {
    this.app.answered.requests++;
    this.app.answered.bytes += bytes - this.#counted;
    this.app.accessLog.record({
      time: this.#time,
      method: this.#method,
      path: this.#path,
      status: this.#status,
      bytes,
      ms: Math.max(0, Date.now() - this.#time),
      end,
    });
  }
}
