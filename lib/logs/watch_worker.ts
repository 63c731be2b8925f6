/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

/**
 * Watches files on a thread of its own. At each event the runtime opens the file that it is about, to compare it, and
 * holds a lock of all watchers meanwhile: a FIFO in a log's place stops that, and the next `watchFs` or `close`, for good.
 * Here that costs nothing but the hints.
 *
 * In: `{ path, watch }`, to begin or to end. Out: `{ path, live }` at each change, `live` false when it is watched no more.
 */
const watchers = new Map<string, Deno.FsWatcher>();

self.onmessage = ({ data: { path, watch } }: MessageEvent<{ path: string; watch: boolean }>) => {
  if (watch) void run(path);
  else watchers.get(path)?.close();
};

async function run(path: string): Promise<void> {
  if (watchers.has(path)) return;
  try {
    // The file alone: of a folder, every file that changes would be opened, other programs' FIFOs among them.
    const watcher = Deno.watchFs(path, { recursive: false });
    watchers.set(path, watcher);
    self.postMessage({ path, live: true });
    for await (const { kind } of watcher) {
      // What has another name, or none, is no more what is at the path.
      if (kind === "remove" || kind === "rename") break;
      // Our own reading is an access.
      if (kind !== "access") self.postMessage({ path, live: true });
    }
  } catch {
    // There is nothing, or no more watches are to be had: it is looked at now and then.
  }
  watchers.delete(path);
  self.postMessage({ path, live: false });
}
