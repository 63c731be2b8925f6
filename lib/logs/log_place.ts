import { basename, dirname, sep } from "node:path";
import { type Opens, OpensBusy } from "../opens.ts";
import { sameFile } from "./cursor.ts";
import { LogFile } from "./log_file.ts";

/** Time that one open may take, in ms. */
const openMs = 5_000;

/** The path of a log, which one file after another takes. */
export class LogPlace {
  /** Of `path`; the rotated files are in it. */
  readonly folder: string;
  readonly base: string;

  /** `path` is absolute; `root` is the real folder that a symlink may not lead out of, null where links may lead anywhere. */
  constructor(
    readonly name: string,
    readonly path: string,
    readonly root: string | null,
    readonly opens: Pick<Opens, "open">,
  ) {
    this.folder = dirname(path);
    this.base = basename(path);
  }

  /** The file that is there now; null for none, a folder, a device or a link that leads out. */
  async stat(): Promise<Deno.FileInfo | null> {
    try {
      let info = await Deno.lstat(this.path);
      if (info.isSymlink) {
        const path = await Deno.realPath(this.path);
        if (this.root !== null && !isBelow(this.root, path)) return null;
        info = await Deno.lstat(path);
      }
      return info.isFile ? info : null;
    } catch {
      return null;
    }
  }

  /**
   * Opens it; null when there is none, or it may not be read. Both can change.
   *
   * @throws OpensBusy
   */
  async open(): Promise<LogFile | null> {
    // `stat` comes first: opening a FIFO would wait for its writer.
    const info = await this.stat();
    return info && await this.openFile(this.path, info);
  }

  /**
   * Opens the file that was seen at a path; null when another has taken its place, or it cannot be opened.
   *
   * @throws OpensBusy when too many files are being opened, or this one does not open: a FIFO may have taken its place
   */
  async openFile(path: string, seen: Deno.FileInfo): Promise<LogFile | null> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new OpensBusy(`${path} does not open`)), openMs);
    let file: Deno.FsFile;
    try {
      file = await this.opens.open(path, late.signal);
    } catch (error) {
      if (error instanceof OpensBusy) throw error;
      return null;
    } finally {
      clearTimeout(timer);
    }
    const info = file.statSync();
    if (info.isFile && sameFile(seen, info)) return new LogFile(file, info);
    file.close();
    return null;
  }
}

/** Whether a real path is below a real folder, and nothing on the way is hidden. */
function isBelow(root: string, path: string): boolean {
  const start = root.endsWith(sep) ? root : root + sep;
  return path.startsWith(start) && !path.slice(start.length).split(sep).some((name) => name.startsWith("."));
}
