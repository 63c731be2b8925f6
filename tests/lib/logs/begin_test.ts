import { assertEquals } from "@std/assert";
import { startOfLast } from "../../../lib/logs/search.ts";
import { granted } from "../../support/granted.ts";
import { LogFolder } from "../../support/log_reading.ts";
import { seeded } from "../../support/log_writer.ts";

const rest = {
  lineBytes: 65_536,
  searchBytes: 67_108_864,
  unfinished: false,
  signal: new AbortController().signal,
};

Deno.test({
  name: "the start of the last lines, for files of all shapes",
  ignore: !granted.files,
  async fn() {
    await using folder = new LogFolder();
    const table: [string, number, boolean, number][] = [
      ["", 3, false, 0],
      ["a\nb\nc\n", 0, false, 6],
      ["a\nb\nc\n", 1, false, 4],
      ["a\nb\nc\n", 2, false, 2],
      ["a\nb\nc\n", 3, false, 0],
      ["a\nb\nc\n", 9, false, 0],
      ["a\nb\nc", 1, false, 2],
      ["a\nb\nc", 1, true, 4],
      ["a\nb\nc", 0, true, 4],
      ["a\nb\nc\n", 1, true, 4],
      ["\n\n\n", 2, false, 1],
      ["no newline", 1, false, 0],
      ["no newline", 1, true, 0],
    ];
    for (const [text, count, unfinished, expected] of table) {
      Deno.writeTextFileSync(folder.log, text);
      using file = (await folder.place.open())!;
      assertEquals(
        await startOfLast(file, { ...rest, count, unfinished }),
        { offset: expected, whole: true },
        JSON.stringify([text, count, unfinished]),
      );
    }
  },
});

Deno.test({
  name: "the start of the last lines, over many blocks",
  ignore: !granted.files,
  async fn() {
    await using folder = new LogFolder();
    const random = seeded(3);
    const lines = Array.from(
      { length: 5_000 },
      () => "x".repeat(random() < 0.01 ? 70_000 : random() * 100) + "\n",
    );
    folder.append(lines.join(""));
    using file = (await folder.place.open())!;
    for (const count of [1, 2, 100, 999, 4_999, 5_000]) {
      const expected = lines.slice(0, -count).join("").length;
      assertEquals(await startOfLast(file, { ...rest, count }), { offset: expected, whole: true });
    }
  },
});

Deno.test({
  name: "the last lines of a file of 10 GiB are read from its end",
  ignore: !granted.files,
  async fn() {
    await using folder = new LogFolder();
    folder.append("");
    Deno.truncateSync(folder.log, 10 * 1024 ** 3);
    folder.append("\na\nb\n");
    assertEquals(await folder.all({ from: 2 }), ["a", "b"]);
  },
});

Deno.test({
  name: "the last lines behind a hole of 10 GiB are found without a way through it",
  ignore: !granted.files,
  async fn() {
    await using folder = new LogFolder();
    folder.append("");
    Deno.truncateSync(folder.log, 10 * 1024 ** 3);
    folder.append("a\nb\n");
    assertEquals(await folder.all({ from: 5 }), ["a", "b"]);
  },
});
