interface Watched {
  live: boolean;
  changed: () => void;
}

/** What somebody is told of a file. */
export interface Subscription {
  /** Whether changes are told now. */
  readonly live: boolean;
  /** Tries again to watch what could not be watched, or is another file by now. */
  retry(): void;
  /** Watches what is at the path now: the change that was found had not been told. */
  renew(): void;
  /** Calls back no more. */
  end(): void;
}

/** Tells of changes to files, from a thread of its own (watch_worker.ts says why), which starts when it is first needed. */
export class FileWatch {
  readonly #files = new Map<string, Watched>();
  #worker: Worker | null = null;

  /**
   * Calls back at each change of the file at a path, one at a time. Nothing is promised: a network file system tells
   * nothing. So whoever must know looks now and then as well.
   */
  subscribe(path: string, changed: () => void): Subscription {
    const watched: Watched = { live: false, changed };
    this.#files.set(path, watched);
    this.#worker ??= this.#start();
    const send = (watch: boolean) => this.#worker?.postMessage({ path, watch });
    send(true);
    return {
      get live() {
        return watched.live;
      },
      retry: () => {
        if (!watched.live) send(true);
      },
      // That it has ended is told, and then it is tried again.
      renew: () => send(false),
      end: () => {
        this.#files.delete(path);
        send(false);
      },
    };
  }

  /** Ends the thread. */
  close(): void {
    this.#worker?.terminate();
    this.#worker = null;
  }

  #start(): Worker {
    const worker = new Worker(new URL("./watch_worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data: { path, live } }: MessageEvent<{ path: string; live: boolean }>) => {
      const watched = this.#files.get(path);
      if (watched === undefined || !live && !watched.live) return;
      watched.live = live;
      watched.changed();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      // What is sent to it from now on is dropped, where it would pile up.
      worker.terminate();
      console.error(`watching logs failed, they are looked at now and then: ${event.message}`);
    };
    return worker;
  }
}
