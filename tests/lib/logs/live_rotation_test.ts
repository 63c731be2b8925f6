import { assertEquals } from "@std/assert";
import { dirname } from "node:path";
import { Limits } from "../../../lib/limits.ts";
import { LogFollower } from "../../../lib/logs/log_follower.ts";
import { granted } from "../../support/granted.ts";
import { LogFolder, pack } from "../../support/log_reading.ts";
import { until } from "../../support/server.ts";

/** A reader that has read a log to its end, and looks on: how often it has looked, and its next line. */
class Live {
  looks = 0;
  line!: Promise<string | null>;
  /** Called once, while it is not looking. */
  between = () => {};
  readonly #take: () => Promise<string | null>;

  constructor(readonly folder: LogFolder) {
    folder.follower = new LogFollower(new Limits(), undefined, () => {
      this.looks++;
      this.between();
      this.between = () => {};
      return 1;
    }, () => folder.now);
    const reading = folder.read({ from: 0 });
    this.#take = () => reading.next();
    this.next();
  }

  next(): void {
    this.line = this.#take();
  }

  /** Resolves once it has looked twice more, so that one look was begun after the call. */
  async looked(): Promise<void> {
    const { looks } = this;
    await until(() => this.looks >= looks + 2);
  }

  async read(count: number): Promise<(string | null)[]> {
    const lines = [];
    for (; count > 0; count--) {
      lines.push(await this.line);
      this.next();
    }
    return lines;
  }
}

function test(name: string, run: (folder: LogFolder, live: () => Promise<Live>) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !granted.files,
    async fn() {
      await using folder = new LogFolder();
      await run(folder, async () => {
        const live = new Live(folder);
        await live.looked();
        return live;
      });
    },
  });
}

/** Makes a file that is younger than another. */
async function makeLater(than: string, path: string, text: string): Promise<void> {
  const born = (path: string) => Deno.statSync(path).birthtime!.getTime();
  await until(() => {
    Deno.writeTextFileSync(`${path}.new`, text);
    if (born(`${path}.new`) > born(than)) return true;
    Deno.removeSync(`${path}.new`);
    return false;
  });
  Deno.renameSync(`${path}.new`, path);
}

const packs = (from: string, to: string) => {
  Deno.writeTextFileSync(to, "packed");
  Deno.removeSync(from);
};

for (
  const [what, rotate] of [
    ["was deleted", (log: string) => Deno.removeSync(log)],
    ["was rotated and deleted", (log: string) => {
      Deno.renameSync(log, `${log}.1`);
      Deno.removeSync(`${log}.1`);
    }],
    ["was rotated and packed, with a new time", (log: string) => {
      Deno.renameSync(log, `${log}.1`);
      packs(`${log}.1`, `${log}.1.gz`);
    }],
    ["was packed from another name", (log: string) => {
      Deno.renameSync(log, `${log}.tmp`);
      packs(`${log}.tmp`, `${log}-20300101.gz`);
    }],
    ["was renamed, and copied once the new one was there", async (log: string) => {
      Deno.renameSync(log, `${log}.tmp`);
      Deno.writeTextFileSync(log, "");
      await makeLater(log, `${log}.1`, "a\n");
      Deno.removeSync(`${log}.tmp`);
    }],
    ["has become number 2", (log: string) => Deno.renameSync(log, `${log}.2`)],
  ] as [string, (log: string) => void | Promise<void>][]
) {
  test(`a reader that has looked on gets no gap when the file ${what}`, async (folder, follow) => {
    folder.append("a\n");
    await makeLater(folder.log, `${folder.log}.9`, "older, and made later, as a copy is\n");
    await until(() => Date.now() > Deno.statSync(`${folder.log}.9`).birthtime!.getTime() + 25);
    const live = await follow();
    await rotate(folder.log);
    folder.append("b\n");
    assertEquals(await live.read(1), ["b"]);
  });
}

test("a new file that stays empty for long is no gap", async (folder, follow) => {
  folder.append("a\n");
  const live = await follow();
  Deno.removeSync(folder.log);
  await live.looked();
  folder.append("");
  await live.looked();
  for (let i = 0; i < 5; i++) {
    folder.now += 1_000;
    await live.looked();
  }
  folder.append("b\n");
  assertEquals(await live.read(1), ["b"]);
});

test("a file that came, was seen empty, and has gone is a gap", async (folder, follow) => {
  folder.append("a\n");
  const live = await follow();
  Deno.removeSync(folder.log);
  folder.append("");
  await live.looked();
  folder.append("lost\n", `${folder.path}/next`);
  Deno.renameSync(`${folder.path}/next`, folder.log);
  folder.append("b\n");
  assertEquals(await live.read(2), ["GAP", "lost"]);
});

for (
  const [what, last] of [["", ["a", "b", "c"]], [", and packed,", ["GAP", "b", "c"]]] as [string, string[]][]
) {
  test(
    `a reader of a log that is not there yet gets what is rotated${what} before it looks`,
    async (folder, follow) => {
      await makeLater(folder.path, `${folder.log}.9`, "older than the reader\n");
      await until(() => Date.now() > Deno.statSync(`${folder.log}.9`).birthtime!.getTime() + 25);
      const live = await follow();
      live.between = () => {
        folder.append("a\n");
        Deno.renameSync(folder.log, `${folder.log}.2`);
        if (what !== "") packs(`${folder.log}.2`, `${folder.log}.2.gz`);
        folder.append("b\n");
        Deno.renameSync(folder.log, `${folder.log}.1`);
        folder.append("c\n");
      };
      assertEquals(await live.read(3), last);
    },
  );
}

test("after a pause in looking a deleted file is a gap", async (folder, follow) => {
  folder.append("a\n");
  const live = await follow();
  live.between = () => {
    Deno.removeSync(folder.log);
    folder.now += 60_000;
    folder.append("b\nc\n");
  };
  assertEquals(await live.read(2), ["GAP", "b"]);
});

for (const next of ["pods/x-9.log", "others/x-8.log"]) {
  test(
    `a link that is pointed at ${next} is no gap, nor is what is written to the file before`,
    async (folder, follow) => {
      const link = (to: string) => {
        Deno.mkdirSync(`${folder.path}/${dirname(to)}`, { recursive: true });
        folder.append("", `${folder.path}/${to}`);
        Deno.symlinkSync(to, `${folder.log}.new`);
        Deno.renameSync(`${folder.log}.new`, folder.log);
      };
      link("pods/x-8.log");
      folder.append("a\n");
      const live = await follow();
      link(next);
      folder.append("b\n");
      assertEquals(await live.read(1), ["b"]);
      folder.append("late\n", `${folder.path}/pods/x-8.log`);
      assertEquals(await live.read(1), ["late"]);
      folder.append("c\n");
      assertEquals(await live.read(1), ["c"]);
    },
  );
}

/** As `sed -i` does it. */
function edit({ log }: LogFolder, change: (text: string) => string): void {
  Deno.writeTextFileSync(`${log}.new`, change(Deno.readTextFileSync(log)));
  Deno.renameSync(`${log}.new`, log);
}

const long = "line of a log\n".repeat(20);

test("an edited copy that has all that was read is read on", async (folder, follow) => {
  folder.append(long);
  const live = await follow();
  edit(folder, (text) => text);
  folder.append("b\n");
  assertEquals(await live.read(1), ["b"]);
});

test("so short a copy may be a new file: it is a gap, and is read on", async (folder, follow) => {
  folder.append("a\n");
  const live = await follow();
  edit(folder, (text) => text);
  folder.append("b\nc\n");
  assertEquals(await live.read(2), ["GAP", "b"]);
});

test(
  "an edited copy that is not what was read is a gap, and is read from its start",
  async (folder, follow) => {
    folder.append(long + "last\n");
    const live = await follow();
    edit(folder, (text) => text.replace(long, "A\n"));
    folder.append("b\n");
    assertEquals(await live.read(4), ["GAP", "A", "last", "b"]);
  },
);

test("a link that is pointed back goes on where it was left", async (folder, follow) => {
  const link = (to: string) => {
    folder.append("", `${folder.path}/${to}`);
    Deno.symlinkSync(to, `${folder.log}.new`);
    Deno.renameSync(`${folder.log}.new`, folder.log);
  };
  link("x-1");
  folder.append("a\n");
  const live = await follow();
  link("x-2");
  folder.append("b\n");
  assertEquals(await live.read(1), ["b"]);
  await live.looked();
  folder.now += 10_000;
  await live.looked();
  link("x-1");
  folder.append("c\n");
  assertEquals(await live.read(1), ["c"]);
});

test("files that are rotated and packed between two looks are all read", async (folder, follow) => {
  folder.append("a\n");
  const live = await follow();
  live.between = () => {
    folder.append("b\n");
    for (const [number, next] of [[3, "c\n"], [2, "d\n"], [1, "e\n"]] as const) {
      Deno.renameSync(folder.log, `${folder.log}.${number}`);
      pack(`${folder.log}.${number}`);
      folder.append(next);
    }
  };
  assertEquals(await live.read(4), ["b", "c", "d", "e"]);
});
