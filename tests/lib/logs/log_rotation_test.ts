import { assertEquals } from "@std/assert";
import { newer } from "../../../lib/logs/rotation.ts";
import { granted } from "../../support/granted.ts";
import { LogFolder } from "../../support/log_reading.ts";

/**
 * What is in a folder, as `NAME SECOND CONTENT`, the first being the reader's, and what comes after that. All are made now: a
 * SECOND of 1970 is the time that a file which was restored, or that was made while the clock was ahead, was last written.
 */
const table: [what: string, files: string[], expected: (string | boolean)[]][] = [
  ["days", ["app.log-20300101 1 a", "app.log-20300102 1 b", "app.log-20300103 3 c", "app.log 4 d"], [
    "app.log-20300102",
    "app.log-20300103",
    "app.log",
    true,
  ]],
  ["days with the same lines", ["app.log-20300101 1 a", "app.log-20300102 2 a", "app.log 3 a"], [
    "app.log-20300102",
    "app.log",
    true,
  ]],
  ["numbers that fall", ["app.log.3 1 a", "app.log.2 2 b", "app.log.1 3 c", "app.log 4 d"], [
    "app.log.2",
    "app.log.1",
    "app.log",
    true,
  ]],
  ["numbers that fall, of one moment", ["app.log.3 1 a", "app.log.2 1 b", "app.log.1 1 c", "app.log 1 d"], [
    "app.log.2",
    "app.log.1",
    "app.log",
    true,
  ]],
  ["a number that is missing", ["app.log.3 1 a", "app.log.1 3 c", "app.log 4 d"], [
    "app.log.1",
    "app.log",
    false,
  ]],
  ["numbers that rise", ["app.log.9 1 a", "app.log.10 2 b", "app.log.11 3 c", "app.log 4 d"], [
    "app.log.10",
    "app.log.11",
    "app.log",
    true,
  ]],
  ["numbers that rise, several of one moment", [
    "app.log.4 2 a",
    "app.log.2 1 y",
    "app.log.3 2 z",
    "app.log.5 2 b",
    "app.log.6 2 c",
    "app.log 2 d",
  ], ["app.log.5", "app.log.6", "app.log", true]],
  ["numbers that rise, all of one moment but the first", [
    "app.log.1 1 a",
    "app.log.2 2 b",
    "app.log.3 2 c",
    "app.log 2 d",
  ], [
    "app.log.2",
    "app.log.3",
    "app.log",
    true,
  ]],
  ["a number that was unpacked", ["app.log.1 5 a", "app.log.2 2 old", "app.log.3 1 older", "app.log 9 b"], [
    "app.log",
    true,
  ]],
  ["a day that was unpacked with a new time", [
    "app.log-20300103 5 a",
    "app.log-20300101 6 old",
    "app.log-20300102 3 older",
    "app.log 9 b",
  ], ["app.log", true]],
  ["a copy that was made before the last line", ["app.log.1 5 abc", "app.log.bak 4 ab", "app.log 9 d"], [
    "app.log",
    true,
  ]],
  ["a copy that was made after the last line", ["app.log.1 5 abc", "app.log.bak 6 abc", "app.log 9 d"], [
    "app.log",
    true,
  ]],
  ["a copy of a file before the reader's", [
    "app.log.1 6 xyz",
    "app.log.2 5 abc",
    "app.log.bak 6 abc",
    "app.log 9 d",
  ], [
    "app.log",
    true,
  ]],
  ["a copy with a day in its name", ["app.log.1 5 abc", "app.log-20300101 6 abc", "app.log 9 d"], [
    "app.log",
    true,
  ]],
  ["one that is as long as the reader's, and another", [
    "app.log.1 5 abc",
    "app.log.bak 6 xyz",
    "app.log 9 d",
  ], [
    "app.log.bak",
    "app.log",
    true,
  ]],
];

for (const [what, files, expected] of table) {
  Deno.test({
    name: `what comes after a reader's file, oldest first: ${what}`,
    ignore: !granted.files,
    async fn() {
      await using folder = new LogFolder();
      for (const file of files) {
        const [name, second, text] = file.split(" ");
        folder.append(`${text}\n`, `${folder.path}/${name}`);
        Deno.utimeSync(`${folder.path}/${name}`, Number(second), Number(second));
      }
      const place = (name: string) => folder.placeOf(`${folder.path}/${name}`);
      using file = (await place(files[0].split(" ")[0]).open())!;
      const { files: after, complete } = await newer(place("app.log"), file, 65_536);
      assertEquals([...after.map(({ name }) => name), complete], expected);
    },
  });
}
