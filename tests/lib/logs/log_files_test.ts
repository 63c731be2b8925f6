import { assertEquals, assertRejects } from "@std/assert";
import { HttpError } from "../../../lib/stream/errors.ts";
import { LogFiles } from "../../../lib/logs/log_files.ts";
import { granted } from "../../support/granted.ts";
import { LogFolder } from "../../support/log_reading.ts";

Deno.test({
  name:
    "names are one segment of a regular file; the first folder that has one wins; the own access log is always there",
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
      limits: { listing: 100 },
    });

    assertEquals((await files.list()).map(({ name, size }) => [name, size]), [
      ["access.log", 0],
      ["app.log", 1],
      ["inside.log", 1],
      ["named.log", 6],
      ["only.log", 1],
    ]);
    assertEquals((await files.find("app.log")).path, `${await Deno.realPath(one.path)}/app.log`);
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
        limits: { listing: 9 },
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
      limits: { listing: 10 },
    });
    await assertRejects(() => files.find("app.log"), HttpError);
    await assertRejects(() => files.find("app.log", "garbage"), HttpError);
    assertEquals((await files.find("app.log", "1-2-3-4-5")).name, "app.log");
    folder.append("x\n", `${folder.log}.1`);
    assertEquals((await files.find("app.log")).name, "app.log");
  },
});
