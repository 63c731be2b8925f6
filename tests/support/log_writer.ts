/** How a log is rotated: the writer opens a new file after a rename, and goes on as it was after a truncation. */
export type Rotation =
  | "rename"
  | "copytruncate"
  | "logrotate"
  | "logrotate-copytruncate"
  | "logrotate-compress"
  | "logrotate-delaycompress"
  | "logrotate-copytruncate-compress"
  | "olddir"
  | keyof typeof rotators;

/** What other rotators do, and the names they give on a day; `create`: the new file is there before its writer moves on. */
const rotators = {
  "rotating-file-stream": {
    how: "rename",
    name: (name: string, day: string) => `${day.replaceAll("-", "")}-0000-01-${name}`,
  },
  "lumberjack": { how: "rename", name: (name: string, day: string) => dated(name, `-${day}T00-00-00.000`) },
  "lumberjack-reason": {
    how: "rename",
    name: (name: string, day: string) =>
      dated(name, `-${day}T00-00-00.000-${/[02468]$/.test(day) ? "size" : "time"}`),
  },
  "pm2-logrotate": {
    how: "copytruncate",
    name: (name: string, day: string) => dated(name, `__${day}_00-00-00`),
  },
  "dateformat": {
    how: "create",
    name: (name: string, day: string) => `${name}-${day.replaceAll("-", "")}T000000Z`,
  },
  "extension": { how: "create", name: (name: string, day: string) => dated(name, `-${day}`) },
} as const;

/** A log's name with something before its extension. */
function dated(name: string, part: string): string {
  return name.replace(/(?=\.log$)/, part);
}

/** A program that logs: numbered lines of different lengths, appended to one file that is rotated under it. */
export class LogWriter implements Disposable {
  /** The last number that was written. */
  last = 0;
  /** Rotations so far. */
  rotations = 0;
  /** Numbers that a truncation took: nobody can read them any more. */
  readonly taken: Set<number> = new Set();
  /** The last numbers before each truncation. */
  readonly cuts: number[] = [];
  readonly path: string;
  #file: Deno.FsFile;

  /** @param kept rotated files that are kept */
  constructor(readonly folder: string, readonly name: string, readonly kept: number) {
    this.path = `${folder}/${name}`;
    this.#file = Deno.openSync(this.path, { append: true, create: true });
  }

  /** Appends `count` lines in one write. */
  write(count: number): void {
    let text = "";
    for (let i = 0; i < count; i++) text += `${++this.last} ${"é".repeat(this.last % 40)}\n`;
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
  }

  /** Rotates once, with `between` lines at the point where a log is easiest to lose lines. */
  async rotate(how: Rotation, between: number): Promise<void> {
    this.rotations++;
    if (how in rotators) {
      const { how: steps, name } = rotators[how as keyof typeof rotators];
      const day = new Date(Date.UTC(2030, 0, this.rotations)).toISOString().slice(0, 10);
      const rotated = `${this.folder}/${name(this.name, day)}`;
      if (steps === "copytruncate") Deno.copyFileSync(this.path, rotated);
      else Deno.renameSync(this.path, rotated);
      if (steps === "create") Deno.writeTextFileSync(this.path, "");
      if (steps === "copytruncate") this.#truncate(between);
      else {
        this.write(between);
        this.#reopen();
      }
    } else if (how === "olddir") {
      // A reader cannot know of two in a moment.
      await new Promise((resolve) => setTimeout(resolve, 200));
      Deno.mkdirSync(`${this.folder}/old`, { recursive: true });
      Deno.renameSync(this.path, `${this.folder}/old/${this.name}.${this.rotations}`);
      this.write(between);
      this.#reopen();
    } else if (how === "rename") {
      this.#shift();
      Deno.renameSync(this.path, `${this.path}.1`);
      this.write(between);
      this.#reopen();
    } else if (how === "copytruncate") {
      this.#shift();
      Deno.copyFileSync(this.path, `${this.path}.1`);
      this.#truncate(between);
    } else {
      const truncate = how.includes("copytruncate");
      const delayed = how.includes("delaycompress") ? "delaycompress\n  " : "";
      const packed = how.endsWith("compress") ? `compress\n  ${delayed}` : "";
      const file = await Deno.makeTempFile();
      await Deno.writeTextFile(
        file,
        `${this.path} {\n  rotate ${this.kept}\n  ${packed}${
          truncate ? "copytruncate" : "create 0644"
        }\n  missingok\n}\n`,
      );
      const { success, stderr } = await new Deno.Command("/usr/sbin/logrotate", {
        args: ["--force", "--state", `${file}.state`, file],
      }).output();
      if (!success) throw new Error(`logrotate failed: ${new TextDecoder().decode(stderr)}`);
      await Promise.all([Deno.remove(file), Deno.remove(`${file}.state`)]);
      if (truncate) {
        this.cuts.push(this.last);
        return;
      }
      // What is written once a file is packed, and not kept for a rotation first, is lost: nobody can read it.
      if (packed === "" || delayed !== "") this.write(between);
      this.#reopen();
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  #shift(): void {
    for (let n = this.kept; n > 1; n--) {
      try {
        Deno.renameSync(`${this.path}.${n - 1}`, `${this.path}.${n}`);
      } catch {
        // There are not as many yet.
      }
    }
  }

  /** With lines that are written after the copy was made. */
  #truncate(between: number): void {
    this.write(between);
    for (let i = 0; i < between; i++) this.taken.add(this.last - i);
    Deno.truncateSync(this.path);
    this.cuts.push(this.last);
  }

  #reopen(): void {
    this.#file.close();
    this.#file = Deno.openSync(this.path, { append: true, create: true });
  }
}

/** The same numbers from 0 to 1 for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  return () => {
    seed = seed + 0x6d2b79f5 | 0;
    let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4_294_967_296;
  };
}

/** What a reader of the numbered lines has seen: each number once and in order, and a gap wherever some are missing. */
export class Seen {
  last = 0;
  gaps = 0;
  /** Numbers that are missing, where a gap says so. */
  missing = 0;
  /** Those of them that could still be read. */
  skipped = 0;
  /** Gaps where no file was truncated, or one too many. */
  untrue = 0;
  #gapped = 0;

  /** `taken`: numbers that nobody can read any more; `cuts`: the last ones before a truncation. */
  constructor(readonly writer?: Pick<LogWriter, "taken" | "cuts">) {}

  gap(): void {
    this.gaps++;
    this.#gapped++;
  }

  line(line: string): void {
    const match = /^(\d+) (é*)$/.exec(line);
    const number = Number(match?.[1]);
    if (match === null || match[2].length !== number % 40) {
      throw new Error(`not a line that was written: ${line.slice(0, 200)}`);
    }
    if (number <= this.last) throw new Error(`${number} came after ${this.last}`);
    if (number > this.last + 1) {
      if (this.#gapped === 0) throw new Error(`${number} came after ${this.last}, and no gap said so`);
      for (let n = this.last + 1; n < number; n++) if (!this.writer?.taken.has(n)) this.skipped++;
      this.missing += number - this.last - 1;
    }
    const cuts = this.writer?.cuts.filter((cut) => cut >= this.last && cut < number).length ?? 0;
    this.untrue += Math.max(0, this.#gapped - cuts);
    this.last = number;
    this.#gapped = 0;
  }
}
