import { assertEquals } from "@std/assert";
import { isNamedAfter, isRotated } from "../../../lib/logs/rotated_names.ts";
import { newer } from "../../../lib/logs/rotation.ts";
import { granted } from "../../support/granted.ts";
import { LogFolder } from "../../support/log_reading.ts";

Deno.test("a rotated file is known by its name", () => {
  const table: [string, string, boolean][] = [
    ["app.log", "app.log.1", true],
    ["app.log", "app.log.12.gz", true],
    ["app.log", "app.log-20300102", true],
    ["app.log", "app.log-20300102-1900000000", true],
    ["app.log", "app.log.2030-01-02", true],
    ["app.log", "app.log.old", true],
    ["app.log", "app-20300102.log", true],
    ["app.log", "app.1.log.xz", true],
    ["syslog", "syslog.1", true],
    ["app.log", "app.log", false],
    ["app.log", "app.login", false],
    ["app.log", "app.log.tmp", false],
    ["app.log", "app2.log", false],
    ["app.log", "web.log.1", false],
    ["app.log", "app-web.log", false],
  ];
  for (const [base, name, expected] of table) assertEquals(isRotated(base, name), expected, name);
});

Deno.test("a file that was renamed out of the pattern is known by the log's name in its own", () => {
  const table: [string, string, boolean][] = [
    ["app.log", "archive-app.log", true],
    ["app.log", "app_kept", true],
    ["syslog", "old.syslog", true],
    ["app.log", "worker.log", false],
    ["app.log", "app2.log", false],
    ["app.log", "webapp.log", false],
  ];
  for (const [base, name, expected] of table) assertEquals(isNamedAfter(base, name), expected, name);
});

Deno.test({
  name: "the newer files come oldest first: numbers count down, dates by their last change, then by name",
  ignore: !granted.files,
  async fn() {
    await using folder = new LogFolder();
    const at = (name: string, seconds: number) => {
      folder.append("x\n", `${folder.path}/${name}`);
      Deno.utimeSync(`${folder.path}/${name}`, seconds, seconds);
    };
    for (
      const [name, seconds] of [["d.log-20300103", 3], ["d.log-20300101", 1], ["d.log-20300102", 1], [
        "d.log",
        4,
      ]] as const
    ) {
      at(name, seconds);
    }
    for (
      const [name, seconds] of [["n.log.10", 9], ["n.log.9", 1], ["n.log.2", 5], ["n.log.1", 2], [
        "n.log",
        1,
      ]] as const
    ) {
      at(name, seconds);
    }
    const after = async (base: string, name: string) => {
      const place = (base: string) => folder.placeOf(`${folder.path}/${base}`);
      using file = (await place(name).open())!;
      const { files, complete } = await newer(place(base), file);
      return [...files.map(({ name }) => name), complete];
    };
    assertEquals(await after("d.log", "d.log-20300101"), ["d.log-20300102", "d.log-20300103", "d.log", true]);
    assertEquals(await after("n.log", "n.log.10"), ["n.log.9", "n.log.2", "n.log.1", "n.log", true]);
    assertEquals(await after("n.log", "n.log.9"), ["n.log.2", "n.log.1", "n.log", false]);
    assertEquals(await after("n.log", "n.log.2"), ["n.log.1", "n.log", true]);
  },
});
