/** Nothing may have come for this long before the close, in ms: a close between two messages reaches the peer as 1006. */
const quietMs = 50;

/** Closes a socket as soon as its peer is quiet, so that the code and the reason reach it. */
export class QuietClose {
  #quiet = true;
  readonly #quietTimer: ReturnType<typeof setInterval>;
  readonly #lateTimer: ReturnType<typeof setTimeout>;

  /** A peer that is not quiet in `closeMs`, or has not answered the close by then, is `late`. */
  constructor(
    readonly socket: WebSocket,
    readonly code: number,
    readonly reason: string,
    closeMs: number,
    late: () => void,
  ) {
    this.#quietTimer = setInterval(() => {
      if (this.#quiet) this.#close();
      this.#quiet = true;
    }, quietMs);
    this.#lateTimer = setTimeout(() => {
      this.#close();
      late();
    }, closeMs);
  }

  heard(): void {
    this.#quiet = false;
  }

  stop(): void {
    clearInterval(this.#quietTimer);
    clearTimeout(this.#lateTimer);
  }

  #close(): void {
    clearInterval(this.#quietTimer);
    if (this.socket.readyState === WebSocket.OPEN) this.socket.close(this.code, this.reason);
  }
}
