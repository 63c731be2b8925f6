import { basename } from "node:path";
import { assertEquals, assertRejects } from "@std/assert";
import { HttpError } from "../../../lib/stream/errors.ts";
import { Limits } from "../../../lib/limits.ts";
import { OpensBusy } from "../../../lib/opens.ts";
import { LogFiles } from "../../../lib/logs/log_files.ts";
import { granted } from "../../support/granted.ts";
import { LogFolder } from "../../support/log_reading.ts";

Deno.test("without a file handle a list, or a name, is 503, and no log is taken to be absent", async () => {
  await using folder = new LogFolder();
  folder.append("1");
  const files = new LogFiles({
    logs: [folder.path],
    accessLog: `${folder.path}/none/access.log`,
    limits: new Limits(),
  });
  const { readDir, open } = Deno;
  const fails = () => {
    throw Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" });
  };
  Object.assign(Deno, { readDir: fails, open: async () => await fails() });
  try {
    for (const ask of [() => files.list(), () => files.find("other.log")]) {
      assertEquals((await assertRejects(ask, HttpError)).status, 503);
    }
    assertEquals(await files.awaited("other.log"), null);
    const place = await files.find("app.log");
    await assertRejects(() => place.open(), OpensBusy);
  } finally {
    Object.assign(Deno, { readDir, open });
  }
  assertEquals((await files.list()).map(({ name }) => name), ["access.log", "app.log"]);
});

Deno.test({
  name:
    "names are one segment of a regular file; the first folder that has one is asked; the own access log is always there",
  ignore: !granted.run,
  async fn() {
    await using one = new LogFolder();
    await using two = new LogFolder();
    await using outside = new LogFolder();
    one.append("1");
    two.append("two");
    two.append("x", `${two.path}/only.log`);
    two.append("x", `${two.path}/.hidden`);
    two.append("x", `${two.path}/new\nline.log`);
    two.append("x", `${two.path}/dev-disk\\x2dby.log`);
    outside.append("secret", `${outside.path}/secret.log`);
    outside.append("named\n", `${outside.path}/named.log`);
    Deno.symlinkSync("only.log", `${two.path}/inside.log`);
    Deno.symlinkSync(`${outside.path}/secret.log`, `${two.path}/out.log`);
    Deno.symlinkSync(".hidden", `${two.path}/alias.log`);
    Deno.mkdirSync(`${two.path}/folder`);
    await new Deno.Command("mkfifo", { args: [`${two.path}/fifo.log`] }).output();
    const files = new LogFiles({
      logs: [one.path, two.path, `${outside.path}/named.log`, `${outside.path}/later.log`],
      accessLog: `${outside.path}/access.log`,
      limits: new Limits({ listing: 100 }),
    });

    assertEquals((await files.list()).map(({ name, size }) => [name, size]), [
      ["access.log", 0],
      ["dev-disk\\x2dby.log", 1],
      ["inside.log", 1],
      ["named.log", 6],
      ["only.log", 1],
      ...[[`${basename(one.path)}~app.log`, 1], [`${basename(two.path)}~app.log`, 3]].sort(),
    ]);
    assertEquals((await files.find("app.log")).path, `${await Deno.realPath(one.path)}/app.log`);
    assertEquals((await files.find("dev-disk\\x2dby.log")).path, `${two.path}/dev-disk\\x2dby.log`);
    assertEquals((await files.find("later.log")).path, `${outside.path}/later.log`);
    const refused = [
      "none.log",
      ".hidden",
      "..",
      ".",
      "folder",
      "fifo.log",
      "out.log",
      "alias.log",
      "secret.log",
      "a/b",
      "a\\b",
      "a\0b",
      "new\nline.log",
      "",
    ];
    for (const name of [...refused, "../" + two.path.split("/").pop() + "/only.log", "x".repeat(300)]) {
      await assertRejects(() => files.find(name), HttpError, "no such log", name);
    }
  },
});

Deno.test({
  name: "with followLinks a link leads anywhere, and a hidden name stays hidden",
  ignore: !granted.files,
  async fn() {
    await using folder = new LogFolder();
    await using outside = new LogFolder();
    outside.append("a line\n", `${outside.path}/.hidden`);
    Deno.symlinkSync(`${outside.path}/.hidden`, `${folder.path}/pod.log`);
    Deno.symlinkSync(`${outside.path}/.hidden`, `${folder.path}/.pod.log`);
    Deno.symlinkSync("/dev/zero", `${folder.path}/zero.log`);
    const names = async (followLinks: boolean) => {
      const settings = {
        logs: [folder.path],
        accessLog: `${outside.path}/access.log`,
        limits: new Limits({ listing: 9 }),
      };
      const files = new LogFiles({ ...settings, followLinks });
      for (const name of [".pod.log", "zero.log"]) await assertRejects(() => files.find(name), HttpError);
      return (await files.list()).map(({ name, size }) => [name, size]);
    };
    assertEquals(await names(false), [["access.log", 0]]);
    assertEquals(await names(true), [["access.log", 0], ["pod.log", 7]]);
  },
});

Deno.test({
  name: "a log that is away for a moment is still known: by its rotated files, or by a client's cursor",
  ignore: !granted.files,
  async fn() {
    await using folder = new LogFolder();
    const files = new LogFiles({
      logs: [folder.path],
      accessLog: `${folder.path}/access.log`,
      limits: new Limits({ listing: 10 }),
    });
    await assertRejects(() => files.find("app.log"), HttpError);
    await assertRejects(() => files.find("app.log", "garbage"), HttpError);
    assertEquals((await files.find("app.log", "1-2-3-4-5")).name, "app.log");
    folder.append("x\n", `${folder.log}.1`);
    assertEquals((await files.find("app.log")).name, "app.log");
  },
});

Deno.test({
  name:
    "while its path is a directory, or its folder away, a log is waited for by who follows it with a cursor",
  ignore: !granted.files,
  async fn() {
    await using folder = new LogFolder();
    const root = `${folder.path}/root`;
    const path = `${root}/app.log`;
    const files = new LogFiles({
      logs: [root],
      accessLog: `${folder.path}/access.log`,
      limits: new Limits({ listing: 10 }),
    });
    const find = async (after: string, follow: boolean) =>
      await files.find("app.log", after, follow).then((place) => place.path, (error) => error.status);
    const all =
      async () => [await find("1-2-3-4-5", true), await find("1-2-3-4-5", false), await find("x", true)];
    assertEquals(await all(), [path, 404, 404]);
    Deno.mkdirSync(path, { recursive: true });
    assertEquals(await all(), [path, 404, 404]);
    Deno.removeSync(path);
    assertEquals(await all(), [path, 404, 404]);
    Deno.symlinkSync("not-there", path);
    assertEquals(await all(), [path, 404, 404]);
  },
});

Deno.test({
  name: "logs whose names clash are called by their folders, and the access log keeps its name",
  ignore: !granted.files,
  async fn() {
    await using folder = new LogFolder();
    for (
      const file of ["own/access.log", "a/logs/access.log", "a/logs/app.log", "b/logs/app.log", "c/app.log"]
    ) {
      Deno.mkdirSync(`${folder.path}/${file.slice(0, file.lastIndexOf("/"))}`, { recursive: true });
      folder.append(`${file}\n`, `${folder.path}/${file}`);
    }
    folder.append("x\n", `${folder.path}/c/other.log`);
    const logs = ["own", "a/logs", "b/logs", "c/app.log", "c/other.log", "a/logs", "none"];
    const files = new LogFiles({
      logs: logs.map((path) => `${folder.path}/${path}`),
      accessLog: `${folder.path}/own/access.log`,
      limits: new Limits({ listing: 10 }),
    });
    const read = async (name: string) => await Deno.readTextFile((await files.find(name)).path);
    const names = (await files.list()).map(({ name }) => name);
    assertEquals(names, [
      "access.log",
      "a~logs~access.log",
      "a~logs~app.log",
      "b~logs~app.log",
      "c~app.log",
      "other.log",
    ]);
    assertEquals(await Promise.all([...names.slice(0, 5), "app.log"].map(read)), [
      "own/access.log\n",
      "a/logs/access.log\n",
      "a/logs/app.log\n",
      "b/logs/app.log\n",
      "c/app.log\n",
      "a/logs/app.log\n",
    ]);
    for (const name of ["c~none.log", "d~app.log", "~app.log", "c~", "c~.hidden"]) {
      await assertRejects(() => files.find(name), HttpError, "no such log", name);
    }
    const reports: string[] = [];
    await files.check((message) => reports.push(message));
    assertEquals(reports, [
      `--logs "${folder.path}/none" is not there yet, and is waited for`,
      "logs whose names clash are listed as FOLDER~NAME: a~logs~access.log, a~logs~app.log, b~logs~app.log, c~app.log",
    ]);
  },
});
