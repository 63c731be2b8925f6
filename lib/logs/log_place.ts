import { basename, dirname, join, resolve, sep } from "node:path";
import { type Opens, OpensBusy } from "../opens.ts";
import { sameFile } from "./cursor.ts";
import { LogFile } from "./log_file.ts";
import { PackedLog } from "./packed_log.ts";
import { isGzip } from "./rotated_names.ts";

/** What a log's path leads to. */
export interface Target {
  /** The file that is there now; null for none, a folder, a device or a link that leads out. */
  info: Deno.FileInfo | null;
  /** Where its rotated files are, and the name that theirs come from: those of what a link points to. */
  folder: string;
  base: string;
  linked: boolean;
}

/** The path of a log, which one file after another takes. */
export class LogPlace {
  /**
   * `path` is absolute; `root` is the real folder that a symlink may not lead out of, null where links may lead anywhere.
   * `unpackedBytes`: of a packed file.
   */
  constructor(
    readonly name: string,
    readonly path: string,
    readonly root: string | null,
    readonly opens: Pick<Opens, "open">,
    readonly unpackedBytes: number,
  ) {}

  /** What is there now. */
  async look(): Promise<Target> {
    try {
      const info = await Deno.lstat(this.path);
      if (!info.isSymlink) return targetOf(this.path, info);
      // Between two steps of a rotation, what it points to is away; its folder is not.
      const path = await Deno.realPath(this.path).catch(async () => {
        const to = resolve(dirname(this.path), await Deno.readLink(this.path));
        return join(await Deno.realPath(dirname(to)), basename(to));
      });
      if (this.root === null || isBelow(this.root, path)) {
        return targetOf(path, await Deno.lstat(path).catch(() => null), true);
      }
    } catch {
      // As if it were not there.
    }
    return targetOf(this.path, null);
  }

  /** The file that is there now; null for none. */
  async stat(): Promise<Deno.FileInfo | null> {
    return (await this.look()).info;
  }

  /** Whether it is there, as far as one can see, and may not be read: by this user, or as `deno run` was called. */
  async isDenied(path: string = this.path): Promise<boolean> {
    return await whyDenied(path, (path) => this.opens.open(path)) !== null;
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
   * Opens the file that was seen at a path; null when another has taken its place, or it cannot be opened. A packed one may
   * turn out to be unreadable.
   *
   * @throws OpensBusy when too many files are being opened, or this one does not open: a FIFO may have taken its place
   */
  async openFile(
    path: string,
    seen: Deno.FileInfo,
    unpackedBytes: number = this.unpackedBytes,
  ): Promise<LogFile | null> {
    const file = await this.opens.open(path).catch((error) => {
      if (error instanceof OpensBusy) throw error;
      return null;
    });
    if (file === null) return null;
    const info = file.statSync();
    if (info.isFile && sameFile(seen, info)) {
      const isPacked = path !== this.path && isGzip(path);
      return isPacked ? await PackedLog.of(file, info, unpackedBytes) : new LogFile(file, info);
    }
    file.close();
    return null;
  }
}

function targetOf(path: string, info: Deno.FileInfo | null, linked = false): Target {
  return { info: info?.isFile ? info : null, folder: dirname(path), base: basename(path), linked };
}

/** Why a file or folder may not be read; null when it may, or is not there. */
export async function whyDenied(
  path: string,
  open: (path: string) => Promise<Disposable> = Deno.open,
): Promise<string | null> {
  try {
    const { isFile, isDirectory } = await Deno.stat(path);
    if (isFile) (await open(path))[Symbol.dispose]();
    if (isDirectory) { for await (const _ of Deno.readDir(path)) break; }
    return null;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      return "is not covered by --allow-read of deno run (below /dev, /proc and /sys: --allow-all)";
    }
    if (error instanceof Deno.errors.PermissionDenied) return "may not be read by this user";
    if (error instanceof OpensBusy) throw error;
    return null;
  }
}

/** Whether a real path is below a real folder, and nothing on the way is hidden. */
function isBelow(root: string, path: string): boolean {
  const start = root.endsWith(sep) ? root : root + sep;
  return path.startsWith(start) && !path.slice(start.length).split(sep).some((name) => name.startsWith("."));
}

/** The real path of a folder; null when there is none. */
export async function realFolder(path: string): Promise<string | null> {
  const info = await Deno.stat(path).catch(() => null);
  return info?.isDirectory ? await Deno.realPath(path).catch(() => null) : null;
}
