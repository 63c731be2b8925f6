import { basename, dirname, sep } from "node:path";
import { OpenFile } from "../open_file.ts";
import { sameFile } from "./cursor.ts";
import { LogFile } from "./log_file.ts";

/** Where a log is: a path at which one file after the other may be. */
export class LogPlace {
  /** The folder of `path`, where its rotated ones are. */
  readonly folder: string;
  /** The last segment of `path`. */
  readonly base: string;

  /** `path` is absolute; `root` is the real folder that a symlink may not lead out of, null where the operator named the file. */
  constructor(readonly name: string, readonly path: string, readonly root: string | null) {
    this.folder = dirname(path);
    this.base = basename(path);
  }

  /** The file that is there now; null when there is none that could be read: a folder, a device, a link that leads out. */
  async stat(): Promise<Deno.FileInfo | null> {
    return (await this.#look(this.path))?.info ?? null;
  }

  /** Opens it; null when there is none, or it may not be read: both can change. */
  async open(): Promise<LogFile | null> {
    const found = await this.#look(this.path);
    return found === null ? null : await openFile(found.path, found.info);
  }

  /** The path behind a symlink and what is there. `lstat` comes first: opening a FIFO would wait for its writer for ever. */
  async #look(path: string): Promise<{ path: string; info: Deno.FileInfo } | null> {
    try {
      let info = await Deno.lstat(path);
      if (info.isSymlink) {
        path = await Deno.realPath(path);
        if (this.root !== null && !isBelow(this.root, path)) return null;
        info = await Deno.lstat(path);
      }
      return info.isFile ? { path, info } : null;
    } catch {
      return null;
    }
  }
}

/** Whether a real path is below a real folder, and nothing on the way is hidden. */
function isBelow(root: string, path: string): boolean {
  const start = root.endsWith(sep) ? root : root + sep;
  return path.startsWith(start) && !path.slice(start.length).split(sep).some((name) => name.startsWith("."));
}

/** Opens the regular file that `wanted` was told of; null when it is another by now, or cannot be opened. */
export async function openFile(path: string, wanted: Deno.FileInfo): Promise<LogFile | null> {
  let file: OpenFile;
  try {
    file = await OpenFile.open(path);
  } catch {
    return null;
  }
  try {
    const { isFile, dev, ino } = file.info();
    // While it is open no other file gets its inode number, so what is told now is of this one.
    const info = await Deno.lstat(path);
    if (isFile && info.dev === dev && info.ino === ino && sameFile(info, wanted)) {
      return new LogFile(file, info);
    }
  } catch {
    // As if it were another.
  }
  file[Symbol.dispose]();
  return null;
}
