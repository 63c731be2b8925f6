import { basename } from "node:path";

/** Called with the name of what changed in the folder. */
export type Changed = (name: string) => void;

interface Watched {
  watcher: Deno.FsWatcher | null;
  callbacks: Set<Changed>;
}

/** A place among those who are told of changes. */
export interface Subscription {
  /** Tries again to watch a folder that could not be watched: it may be there now. */
  retry(): void;
  /** Calls back no more; the last one ends the watcher. */
  end(): void;
}

/** One file-system watcher for each folder, however many want to know: a user may have no more than a few of them. */
export class FolderWatch {
  readonly #folders = new Map<string, Watched>();

  /**
   * Calls back at each change in a folder. Nothing is promised: a network file system tells nothing. So whoever must know
   * looks now and then as well.
   */
  subscribe(folder: string, changed: Changed): Subscription {
    let watched = this.#folders.get(folder);
    if (watched === undefined) this.#folders.set(folder, watched = { watcher: null, callbacks: new Set() });
    const { callbacks } = watched;
    callbacks.add(changed);
    const retry = () => {
      if (watched.watcher === null) watch(folder, watched);
    };
    retry();
    const end = () => {
      if (!callbacks.delete(changed) || callbacks.size > 0) return;
      this.#folders.delete(folder);
      stop(watched);
    };
    return { retry, end };
  }
}

function watch(folder: string, watched: Watched): void {
  try {
    watched.watcher = Deno.watchFs(folder, { recursive: false });
  } catch {
    return;
  }
  void run(folder, watched, watched.watcher);
}

async function run(folder: string, watched: Watched, watcher: Deno.FsWatcher): Promise<void> {
  try {
    for await (const { kind, paths } of watcher) {
      // Our own reading is an access.
      if (kind === "access") continue;
      for (const path of new Set(paths)) {
        // The folder itself has gone or has got another name: what is there in its place is another one.
        if (path === folder && (kind === "remove" || kind === "rename")) return stop(watched);
        for (const callback of watched.callbacks) callback(basename(path));
      }
    }
  } catch (error) {
    console.error(`watching a log folder failed, it is looked at now and then: ${(error as Error).message}`);
    stop(watched);
  }
}

function stop(watched: Watched): void {
  const { watcher } = watched;
  watched.watcher = null;
  try {
    watcher?.close();
  } catch {
    // It has ended by itself.
  }
}
