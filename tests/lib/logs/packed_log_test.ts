import { assertEquals } from "@std/assert";
import { FileFingerprint } from "../../../lib/logs/fingerprint.ts";
import { LogFile } from "../../../lib/logs/log_file.ts";
import { PackedLog } from "../../../lib/logs/packed_log.ts";
import { randomBytes } from "../../support/files.ts";
import { type LogFolder, logTest as test, pack } from "../../support/log_reading.ts";
import { LogWriter } from "../../support/log_writer.ts";
import { until } from "../../support/server.ts";

/** Three rotated files and the log, each with two lines, and the cursor after the first line. */
async function rotated(folder: LogFolder): Promise<string> {
  using writer = new LogWriter(folder.path, "app.log", 9);
  writer.write(1);
  const reading = folder.read({ follow: false });
  await reading.next();
  writer.write(1);
  for (let i = 0; i < 3; i++) {
    await writer.rotate("rename", 0);
    writer.write(2);
  }
  return reading.cursor!;
}

/** The cursor of a position in a file. */
async function cursorIn(path: string, offset: number): Promise<string> {
  const file = await Deno.open(path);
  using log = new LogFile(file, await file.stat());
  return (await FileFingerprint.at(log, { offset }, 100))!.cursor;
}

const born = (path: string) => Deno.statSync(path).birthtime!.getTime();

const numbers = (lines: string[]) => lines.map((line) => line.split(" ")[0]).join(" ");

for (
  const [what, packed] of [
    ["lies in a packed file", [3]],
    ["lies before a packed file", [2]],
    ["lies in the first of several packed files", [1, 2, 3]],
  ] as [string, number[]][]
) {
  test(`a cursor that ${what} goes on exactly`, async (folder) => {
    const after = await rotated(folder);
    for (const number of packed) pack(`${folder.log}.${number}`);
    assertEquals(numbers(await folder.all({ after })), "2 3 4 5 6 7 8");
  });
}

test("a cursor of a line that was read from a packed file goes on exactly", async (folder) => {
  let after = await rotated(folder);
  for (const number of [1, 2, 3]) pack(`${folder.log}.${number}`);
  const lines: string[] = [];
  for (let i = 0; i < 7; i++) {
    const reading = folder.read({ after });
    lines.push(...await reading.take(1) as string[]);
    after = reading.cursor!;
    await reading.stop();
  }
  assertEquals(numbers(lines), "2 3 4 5 6 7 8");
});

test("a live reader goes on where the file that it has open is packed, and the next one too", async (folder) => {
  using writer = new LogWriter(folder.path, "app.log", 9);
  writer.write(1);
  const reading = folder.read();
  const lines = await reading.take(1) as string[];
  for (let i = 0; i < 3; i++) {
    await writer.rotate("rename", 0);
    pack(`${folder.log}.1`);
    for (let n = 9; n > 1; n--) {
      try {
        Deno.renameSync(`${folder.log}.${n - 1}.gz`, `${folder.log}.${n}.gz`);
      } catch {
        // There are not as many.
      }
    }
    writer.write(2);
  }
  lines.push(...await reading.take(6) as string[]);
  assertEquals(numbers(lines), "1 2 3 4 5 6 7");
});

test("a file that was made in the millisecond of the log is no copy of it", async (folder) => {
  const made = `${folder.log}.1`;
  let after = "";
  await until(async () => {
    for (const { name } of Deno.readDirSync(folder.path)) Deno.removeSync(`${folder.path}/${name}`);
    folder.append("a\nb\n");
    Deno.renameSync(folder.log, made);
    folder.append("c\n");
    after = await cursorIn(made, 2);
    return born(made) === born(folder.log);
  });
  pack(made);
  assertEquals(await folder.all({ after }), ["b", "c"]);
});

test("a copy that has the time of what it is of is found when it is packed", async (folder) => {
  folder.append("a\nb\n");
  const copy = `${folder.log}.1`;
  await until(() => {
    Deno.copyFileSync(folder.log, `${copy}.new`);
    Deno.renameSync(`${copy}.new`, copy);
    return born(copy) > born(folder.log);
  });
  const { mtime } = Deno.statSync(folder.log);
  Deno.utimeSync(copy, mtime!, new Date(mtime!.getTime() - 60_000));
  const after = await cursorIn(copy, 2);
  Deno.truncateSync(folder.log);
  folder.append("c\n");
  pack(copy);
  assertEquals(await folder.all({ after }), ["b", "GAP", "c"]);
});

test("a packed file is older than one that is not, also when it was written to for longer", async (folder) => {
  folder.append("a\n");
  Deno.renameSync(folder.log, `${folder.log}.2`);
  folder.append("b\n");
  const reading = folder.read({ follow: false });
  await reading.next();
  Deno.renameSync(folder.log, `${folder.log}.1`);
  folder.append("c\n");
  const later = new Date(Deno.statSync(`${folder.log}.1`).mtime!.getTime() + 5);
  Deno.utimeSync(`${folder.log}.2`, later, later);
  pack(`${folder.log}.2`);
  const lines = await folder.all({ after: reading.cursor });
  assertEquals(lines, ["c"]);
});

test("a packed log is paged backwards from a cursor", async (folder) => {
  const after = await rotated(folder);
  for (const number of [2, 3]) pack(`${folder.log}.${number}`);
  const reading = folder.read({ after });
  await reading.take(3);
  const [page, first] = await Promise.all([
    folder.all({ before: reading.cursor, from: 10 }),
    folder.all({ before: after, from: 10 }),
  ]);
  assertEquals([numbers(page), numbers(first)], ["3 4", "1"]);
});

test("what was copied before truncations, and packed, is read, with a gap after each", async (folder) => {
  using writer = new LogWriter(folder.path, "app.log", 9);
  writer.write(1);
  const reading = folder.read({ follow: false });
  await reading.next();
  writer.write(1);
  for (const number of [2, 1]) {
    await writer.rotate("copytruncate", 1);
    writer.write(1);
    Deno.renameSync(`${folder.log}.1`, `${folder.log}.${number}`);
    pack(`${folder.log}.${number}`);
  }
  assertEquals(numbers(await folder.all({ after: reading.cursor })), "2 GAP 4 GAP 6");
});

for (
  const [what, change] of [
    [
      "is damaged",
      (packed: Uint8Array) => packed.map((byte, i) => i === packed.length - 6 ? byte ^ 1 : byte),
    ],
    ["is cut", (packed: Uint8Array) => packed.subarray(0, -3)],
    ["is no gzip", () => new TextEncoder().encode("packed")],
    ["has two parts", (packed: Uint8Array) => new Uint8Array([...packed, ...packed])],
  ] as [string, (packed: Uint8Array) => Uint8Array][]
) {
  test(`a packed file between that ${what} is one gap`, async (folder) => {
    const after = await rotated(folder);
    pack(`${folder.log}.2`, change);
    assertEquals(numbers(await folder.all({ after })), "2 GAP 5 6 7 8");
  });
}

test("a file that another program has packed is a gap", async (folder) => {
  const after = await rotated(folder);
  pack(`${folder.log}.2`);
  Deno.renameSync(`${folder.log}.2.gz`, `${folder.log}.2.xz`);
  assertEquals(numbers(await folder.all({ after })), "2 GAP 5 6 7 8");
});

test("a packed file without a number or a day, which may be a copy, is a gap", async (folder) => {
  const after = await rotated(folder);
  pack(`${folder.log}.1`);
  Deno.renameSync(`${folder.log}.1.gz`, `${folder.log}.old.gz`);
  assertEquals(numbers(await folder.all({ after })), "2 3 4 GAP 7 8");
});

test("a cursor goes on exactly in a file that was packed with a new time, once the log was there", async (folder) => {
  folder.append("a\n");
  const reading = folder.read({ follow: false });
  await reading.next();
  folder.append("b\n");
  const old = `${folder.path}/app-2030-01-01T00-00-00.000.log`;
  Deno.renameSync(folder.log, old);
  folder.append("c\n");
  await until(() => Date.now() > Deno.statSync(folder.log).mtime!.getTime() + 25);
  Deno.utimeSync(old, new Date(), new Date());
  pack(old);
  assertEquals(await folder.all({ after: reading.cursor }), ["b", "c"]);
});

test("a packed copy of a file that is there is not read again", async (folder) => {
  folder.append("a\n");
  const reading = folder.read({ follow: false });
  await reading.next();
  folder.append("b\n");
  Deno.renameSync(folder.log, `${folder.log}.1`);
  Deno.copyFileSync(`${folder.log}.1`, `${folder.log}-20300101`);
  pack(`${folder.log}-20300101`);
  folder.append("c\n");
  const lines = await folder.all({ after: reading.cursor });
  assertEquals(lines.filter((line) => line !== "GAP"), ["b", "c"]);
});

test("a packed file that is longer than allowed is a gap, and so is a cursor in it", async (folder) => {
  folder.append("a\n");
  const reading = folder.read({ follow: false });
  await reading.next();
  folder.append("b".repeat(2_000) + "\n");
  Deno.renameSync(folder.log, `${folder.log}.2`);
  pack(`${folder.log}.2`);
  folder.append("c\n", `${folder.log}.1`);
  folder.append("d\n");
  assertEquals((await folder.all({ after: reading.cursor }))[0], "GAP");
}, { unpackedBytes: 2_000 });

test("a search for a cursor unpacks no more in all than one file may have", async (folder) => {
  folder.append("a\n");
  const reading = folder.read({ follow: false });
  await reading.next();
  folder.append("b".repeat(900) + "\n");
  for (const [number, text] of [[3, "c"], [2, "d"]] as const) {
    folder.append(`${text.repeat(1_500)}\n`, `${folder.log}.${number}`);
    pack(`${folder.log}.${number}`);
  }
  Deno.renameSync(folder.log, `${folder.log}.1`);
  pack(`${folder.log}.1`);
  folder.append("e\n");
  assertEquals((await folder.all({ after: reading.cursor }))[0], "GAP");
}, { unpackedBytes: 2_000 });

test("a packed log gives any bytes of what it was, in any order", async (folder) => {
  const bytes = randomBytes(300_000);
  bytes.fill(0, 100_000, 250_000);
  folder.append(bytes, `${folder.log}.1`);
  pack(`${folder.log}.1`);
  const file = await Deno.open(`${folder.log}.1.gz`);
  using packed = await PackedLog.of(file, await file.stat(), 300_000);
  assertEquals(packed.stat().size, 300_000);
  for (
    const [from, length] of [[0, 10], [5, 200_000], [299_990, 100], [1, 5], [300_000, 5], [400_000, 5], [
      0,
      300_001,
    ]]
  ) {
    const buffer = new Uint8Array(length);
    const read = await packed.readOnce(from, buffer);
    assertEquals(buffer.subarray(0, read), bytes.subarray(from, from + length), `${from} ${length}`);
  }
});

test("a packed file that is overwritten while it is read is a gap, and what comes after it is read", async (folder) => {
  const text = Array.from({ length: 60_000 }, (_, i) => `${i} ${crypto.randomUUID()}\n`);
  folder.append(text[0]);
  const first = folder.read({ follow: false });
  await first.next();
  folder.append(text.slice(1).join(""));
  Deno.renameSync(folder.log, `${folder.log}.1`);
  pack(`${folder.log}.1`);
  folder.append("after\n");
  const reading = folder.read({ after: first.cursor });
  assertEquals(await reading.take(1), [text[1].trimEnd()]);
  Deno.writeTextFileSync(`${folder.log}.1.gz`, "overwritten");
  let line = "";
  while (/^\d/.test(line = (await reading.next())!));
  assertEquals([line, await reading.next()], ["GAP", "after"]);
});
