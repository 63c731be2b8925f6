import { basename } from "node:path";

/** Called with the name of what changed in the folder. */
type Changed = (name: string) => void;

interface Watched {
  watcher: Deno.FsWatcher | null;
  callbacks: Set<Changed>;
}

/** One file-system watcher for each folder, however many want to know: a user may have no more than a few of them. */
export class FolderWatch {
  readonly #folders = new Map<string, Watched>();

  /**
   * Calls back at each change in a folder, until what it returns is called. Nothing is promised: network file systems tell
   * nothing, and a folder that is made later is not seen. So whoever must know looks now and then as well.
   */
  subscribe(folder: string, changed: Changed): () => void {
    let watched = this.#folders.get(folder);
    if (watched === undefined) {
      watched = { watcher: open(folder), callbacks: new Set() };
      this.#folders.set(folder, watched);
      void this.#run(watched);
    }
    const { callbacks, watcher } = watched;
    callbacks.add(changed);
    return () => {
      if (!callbacks.delete(changed) || callbacks.size > 0) return;
      this.#folders.delete(folder);
      try {
        watcher?.close();
      } catch {
        // It has ended by itself.
      }
    };
  }

  async #run({ watcher, callbacks }: Watched): Promise<void> {
    if (watcher === null) return;
    try {
      for await (const { kind, paths } of watcher) {
        // Our own reading is an access.
        if (kind === "access") continue;
        const names = new Set(paths.map((path) => basename(path)));
        for (const name of names) for (const callback of callbacks) callback(name);
      }
    } catch (error) {
      console.error(
        `watching a log folder failed; its logs are looked at now and then: ${(error as Error).message}`,
      );
    }
  }
}

function open(folder: string): Deno.FsWatcher | null {
  try {
    return Deno.watchFs(folder, { recursive: false });
  } catch {
    return null;
  }
}
