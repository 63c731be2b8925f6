import { afterOthers } from "./clock.ts";
import { Limiter } from "./limiter.ts";

/** Why a body has to end: the server is draining, or its client is no longer allowed it. */
export type Parting = "shutdown" | "revoked";

/** A response body while it is open. */
export interface OpenBody {
  /** Called once a second; true when it has written something. */
  tick(): boolean;
  /** It has to end. May be called again, until it has. */
  drain(why: Parting): void;
  /** Ends it as cut: its client has gone, or the server exits. */
  cancel(): void;
}

/** Bodies ticked per event-loop turn that write something: ten thousand pings in one turn would hold up everything else. */
const perTurn = 128;

/** Time in which the runtime ends a body that has failed, in ms. */
const failedMs = 100;

/** The open response bodies of one server, with one heartbeat for all of them; the timer runs while there are any. */
export class OpenBodies {
  readonly #open = new Map<OpenBody, (() => boolean) | undefined>();
  #timer: ReturnType<typeof setInterval> | undefined;
  /** When bodies that nobody here reads have failed, as far as it is not known which. */
  readonly #failures: number[] = [];
  /** Those of them that handlers made by themselves. */
  handMade = 0;

  /** `streams` limits the live streams that are open at once. */
  constructor(readonly draining: AbortSignal, readonly streams: Limiter = new Limiter(Infinity)) {
    draining.addEventListener("abort", () => {
      for (const body of [...this.#open.keys()]) body.drain("shutdown");
    }, { once: true });
  }

  /** Bodies open now. */
  get size(): number {
    return this.#open.size;
  }

  /** Takes part in the heartbeat and the drain; `delete` has to follow. `allowed`: see `Exchange`. */
  add(body: OpenBody, allowed?: () => boolean): void {
    this.#open.set(body, allowed);
    this.#timer ??= setInterval(() => this.tick(), 1_000);
  }

  /** The body has ended. */
  delete(body: OpenBody): void {
    this.#open.delete(body);
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** A body that nobody here reads has failed; the runtime does not say which, but ends it soon. */
  failed(): void {
    this.#expire();
    this.#failures.push(performance.now());
  }

  /** Whether such a body has failed just now; each failure is taken once. */
  tookFailure(): boolean {
    if (this.#failures.length === 0) return false;
    this.#expire();
    return this.#failures.shift() !== undefined;
  }

  #expire(): void {
    const oldest = performance.now() - failedMs;
    while (this.#failures[0] < oldest) this.#failures.shift();
  }

  /** Ends every open body as cut. */
  cancel(): void {
    for (const body of [...this.#open.keys()]) body.cancel();
  }

  /** The heartbeat: ticks each open body, or revokes it. */
  async tick(): Promise<void> {
    let written = 0;
    for (const [body, allowed] of this.#open) {
      const isRevoked = allowed?.() === false;
      if (isRevoked) body.drain("revoked");
      if ((isRevoked || body.tick()) && ++written % perTurn === 0) await new Promise<void>(afterOthers);
    }
  }
}
