import { endOfTurn } from "../stream/clock.ts";
import type { OpenBodies, OpenBody } from "../stream/open_bodies.ts";

/** What happens to a {@linkcode HandMade} body; `ended` is called once. */
export interface HandMadeHooks {
  /** The server is draining, or the client is no longer allowed it: whoever made it has to end it. */
  leave(): void;
  /** Whether the client may still have it: see `Exchange`. */
  readonly allowed?: () => boolean;
  /** It has ended. */
  ended(how: "complete" | "cut"): void;
}

/**
 * The body of a response that a handler made by itself, perhaps from a stream. It is not touched, which would cost every
 * such answer a tenth, nor wrapped, which would cost half: the runtime tells when it has ended.
 */
export class HandMade implements OpenBody {
  #ended = false;
  #open = false;
  #signal: AbortSignal | null = null;

  constructor(
    readonly request: Request,
    readonly bodies: OpenBodies,
    completed: Promise<void>,
    readonly hooks: HandMadeHooks,
  ) {
    completed.then(() => this.#end(this.#wasCut() ? "cut" : "complete"), () => this.#end("cut"));
    // What is no stream has been handed over by then.
    endOfTurn(() => this.#stays());
  }

  tick(): boolean {
    return false;
  }

  /** The runtime has the body: only who made it can end it. */
  drain(): void {
    this.hooks.leave();
  }

  cancel(): void {
    this.#end("cut");
  }

  #stays(): void {
    if (this.#ended) return;
    this.#open = true;
    this.bodies.add(this, this.hooks.allowed);
    this.bodies.handMade++;
    // Reading it, without listening, makes the runtime keep it.
    this.#signal = this.request.signal;
    if (this.bodies.draining.aborted) this.drain();
  }

  /** `completed` resolves as well when the client has left, or the body has failed. In a compiled program the signal says nothing. */
  #wasCut(): boolean {
    // One that fails in its first turn has not been added yet.
    if (this.bodies.tookFailure()) return true;
    return this.#open && !Deno.build.standalone && this.#signal!.aborted;
  }

  #end(how: "complete" | "cut"): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#open) {
      this.bodies.delete(this);
      this.bodies.handMade--;
    }
    this.hooks.ended(how);
  }
}

/** Whether a handler may have given a body to a response with this status. */
export function bodied(status: number): boolean {
  return status >= 200 && status !== 204 && (status < 300 || status >= 400);
}

/** The response to a HEAD: its body is not read. A null body would be announced as `Content-Length: 0`, which the GET is not. */
export function withoutBody(response: Response): Response {
  if (response.body === null) return response;
  response.body.cancel().catch(() => {});
  return new Response(new ReadableStream(), response);
}
