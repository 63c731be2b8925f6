import { assertEquals } from "@std/assert";
import { Limits } from "../../../lib/limits.ts";
import { LogFollower } from "../../../lib/logs/log_follower.ts";
import { granted } from "../../support/granted.ts";
import { LogFolder } from "../../support/log_reading.ts";

const ignore = !granted.files;

/** A log with a line "a" that a reader has seen, and its cursor. */
async function seen(folder: LogFolder): Promise<string> {
  folder.append("a\n");
  const reading = folder.read({ follow: false });
  await reading.next();
  tick(folder);
  return reading.cursor!;
}

function rotate(folder: LogFolder, to: string, next: string): void {
  Deno.renameSync(folder.log, `${folder.path}/${to}`);
  folder.append(next);
  tick(folder);
}

/** Waits until the clock of the file system has gone on by more than what is forgiven. */
function tick({ path }: LogFolder): void {
  const file = `${path}/tick`;
  const time = () => {
    Deno.writeTextFileSync(file, "x");
    return Deno.statSync(file).mtime!.getTime();
  };
  for (const first = time(); time() < first + 25;);
  Deno.removeSync(file);
}

function test(name: string, run: (folder: LogFolder, cursor: string) => Promise<void>): void {
  Deno.test({
    name,
    ignore,
    async fn() {
      await using folder = new LogFolder();
      await run(folder, await seen(folder));
    },
  });
}

for (
  const [rotator, first, second] of [
    ["logrotate", "app.log.2", "app.log.1"],
    ["logrotate with dateext and extension", "app-20300101.log", "app-20300102.log"],
    ["logrotate with dateformat", "app.log-20300101T000000Z", "app.log-20300102T000000Z"],
    ["pm2-logrotate", "app__2030-01-01_00-00-00.log", "app__2030-01-02_00-00-00.log"],
    ["rotating-file-stream", "20300101-0000-01-app.log", "20300102-0000-01-app.log"],
    ["lumberjack", "app-2030-01-01T00-00-00.000.log", "app-2030-01-02T00-00-00.000.log"],
    ["a fork of it", "app-2030-01-01T00-00-00.000-size.log", "app-2030-01-02T00-00-00.000-time.log"],
    ["log4j", "app-1.log", "app-2.log"],
    ["logback", "app.log.2030-01-01.0", "app.log.2030-01-01.1"],
    ["a hand", "app.log.backup1", "app.log.old"],
  ]
) {
  test(`the file between is read: ${rotator}`, async (folder, after) => {
    rotate(folder, first, "b\n");
    rotate(folder, second, "c\n");
    assertEquals(await folder.all({ after }), ["b", "c"]);
  });
}

test("files that count up are all read, and a number that is missing is a gap", async (folder, after) => {
  rotate(folder, "app-1.log", "b\n");
  rotate(folder, "app-2.log", "c\n");
  rotate(folder, "app-3.log", "d\n");
  rotate(folder, "app-4.log", "e\n");
  assertEquals(await folder.all({ after }), ["b", "c", "d", "e"]);
  Deno.removeSync(`${folder.path}/app-3.log`);
  assertEquals(await folder.all({ after }), ["b", "GAP", "d", "e"]);
});

test("a number above the log's, and nothing below it, is a gap after a pause", async (folder, after) => {
  rotate(folder, "app.log.2", "b\n");
  assertEquals(await folder.all({ after }), ["GAP", "b"]);
  folder.append("c\n");
  Deno.renameSync(folder.log, `${folder.log}.3`);
  folder.append("d\n");
  assertEquals(await folder.all({ after }), ["b", "c", "d"]);
});

test(
  "a number above the log's is no gap when the log was made with the file's last line",
  async (folder, after) => {
    folder.append("b\n");
    Deno.renameSync(folder.log, `${folder.log}.2`);
    folder.append("c\n");
    const born = Deno.statSync(folder.log).birthtime!;
    Deno.utimeSync(`${folder.log}.2`, born, born);
    assertEquals(await folder.all({ after }), ["b", "c"]);
  },
);

test("a file between with the log's name and an unknown word is one gap", async (folder, after) => {
  rotate(folder, "app.log.1", "b\n");
  rotate(folder, "app.log.saved", "c\n");
  assertEquals(await folder.all({ after }), ["GAP", "c"]);
});

test("several with the log's name and the same unknown word are a gap too", async (folder, after) => {
  rotate(folder, "app.log.saved.1", "b\n");
  rotate(folder, "app.log.saved.2", "c\n");
  rotate(folder, "app.log.saved.3", "d\n");
  assertEquals(await folder.all({ after }), ["GAP", "d"]);
});

test("what was packed after the next file is no gap before it", async (folder, after) => {
  rotate(folder, "app.log-20300101", "b\n");
  rotate(folder, "app.log-20300102", "c\n");
  rotate(folder, "app.log-20300103.gz", "d\n");
  assertEquals(await folder.all({ after }), ["b", "GAP", "d"]);
});

for (const other of ["app-2.log", "app-error.log", "web.log"]) {
  test(`another log that is still written is neither read nor a gap: ${other}`, async (folder, after) => {
    folder.append("x\n", `${folder.path}/${other}`);
    tick(folder);
    rotate(folder, "app.log.2", "b\n");
    rotate(folder, "app.log.1", "c\n");
    folder.append("x\n", `${folder.path}/${other}`);
    assertEquals(await folder.all({ after }), ["b", "c"]);
  });
}

test("the rotated files of another log are neither read nor a gap", async (folder, after) => {
  const other = `${folder.path}/app-error.log`;
  folder.append("x\n", other);
  rotate(folder, "app.log.2", "b\n");
  Deno.renameSync(other, `${other}.1`);
  folder.append("", other);
  tick(folder);
  rotate(folder, "app.log.1", "c\n");
  assertEquals(await folder.all({ after }), ["b", "c"]);
});

test("copies are told apart by what is in them, whatever their names are", async (folder, after) => {
  Deno.copyFileSync(folder.log, `${folder.path}/app-saved.log`);
  Deno.writeTextFileSync(folder.log, "b is longer than the first\n");
  tick(folder);
  Deno.copyFileSync(folder.log, `${folder.path}/app__2030-01-02.log`);
  Deno.writeTextFileSync(folder.log, "c\n");
  assertEquals(await folder.all({ after }), ["GAP", "b is longer than the first", "GAP", "c"]);
});

test("a file that was copied and deleted is read on in its copy, once", async (folder, after) => {
  const live = folder.read({ after });
  folder.append("b\n");
  assertEquals(await live.next(), "b");
  Deno.copyFileSync(folder.log, `${folder.log}.1`);
  Deno.removeSync(folder.log);
  tick(folder);
  folder.append("c\n");
  const lines = await live.take(2);
  while (lines.at(-1) !== "c") lines.push(await live.next());
  assertEquals(lines.filter((line) => line !== "GAP"), ["c"]);
  assertEquals(await folder.all({ after }), ["b", "GAP", "c"]);
});

/** Makes the log a link to a file of a folder beside it. */
function link(folder: LogFolder, to: string): string {
  const pods = `${folder.path}/pods`;
  Deno.mkdirSync(pods, { recursive: true });
  Deno.symlinkSync(`pods/${to}`, `${folder.log}.new`);
  Deno.renameSync(`${folder.log}.new`, folder.log);
  return `${pods}/${to}`;
}

test("where the log is a link, its rotated files are beside what it points to", async (folder) => {
  const file = link(folder, "0.log");
  folder.append("a\n", file);
  const live = folder.read();
  const reading = folder.read({ follow: false });
  assertEquals([await reading.next(), await live.next()], ["a", "a"]);
  folder.append("b\n", file);
  Deno.renameSync(file, `${file}.20300101-000000`);
  folder.append("c\n", file);
  assertEquals(await live.take(2), ["b", "c"]);
  assertEquals(await folder.all({ after: reading.cursor }), ["b", "c"]);
});

for (
  const [first, second, third] of [
    ["x-2030-01-01.log", "x-2030-01-02.log", "x-2030-01-03.log"],
    ["x-8.log", "x-9.log", "x-10.log"],
    ["1", "2", "3"],
  ]
) {
  test(`a link that is pointed at ${second} goes on there`, async (folder) => {
    folder.append("a\n", link(folder, first));
    const live = folder.read();
    const reading = folder.read({ follow: false });
    assertEquals([await reading.next(), await live.next()], ["a", "a"]);
    for (const [name, line] of [[second, "b"], [third, "c"]]) {
      tick(folder);
      folder.append(`${line}\n`, `${folder.path}/pods/${name}`);
      link(folder, name);
      assertEquals(await live.next(), line);
    }
    assertEquals(await folder.all({ after: reading.cursor }), ["b", "c"]);
  });
}

test("a number that is missing before the one that a link points to is a gap", async (folder) => {
  folder.append("a\n", link(folder, "x-8.log"));
  const reading = folder.read({ follow: false });
  await reading.next();
  folder.append("b\n", link(folder, "x-10.log"));
  assertEquals(await folder.all({ after: reading.cursor }), ["GAP", "b"]);
});

test(
  "a file that went to another folder is no gap for a reader that has read it to its end",
  async (folder, after) => {
    const joined = Promise.withResolvers<void>();
    folder.follower = new LogFollower(new Limits(), undefined, () => {
      joined.resolve();
      return 1;
    });
    const live = folder.read({ after });
    const line = live.next();
    // It is polled once it has been read to its end.
    await joined.promise;
    folder.append("b\n");
    assertEquals(await line, "b");
    Deno.mkdirSync(`${folder.path}/old`);
    Deno.renameSync(folder.log, `${folder.path}/old/app.log.1`);
    folder.append("c\n", `${folder.path}/old/app.log.1`);
    folder.append("d\n");
    assertEquals(await live.take(2), ["c", "d"]);
    assertEquals(await folder.all({ after, from: 1 }), ["GAP", "d"]);
  },
);
