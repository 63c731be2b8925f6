import { assert, assertEquals, assertRejects } from "@std/assert";
import { Limits } from "../../../lib/limits.ts";
import { startOfLast } from "../../../lib/logs/search.ts";
import { FileLines } from "../../../lib/logs/file_lines.ts";
import { FileFingerprint } from "../../../lib/logs/fingerprint.ts";
import type { LineBlock } from "../../../lib/logs/line_block.ts";
import { LogFollower } from "../../../lib/logs/log_follower.ts";
import { LogFile } from "../../../lib/logs/log_file.ts";
import { until } from "../../support/server.ts";
import { granted } from "../../support/granted.ts";
import { LogFolder, logTest as test } from "../../support/log_reading.ts";
import { LogWriter, seeded, Seen } from "../../support/log_writer.ts";
import type { Rotation } from "../../support/log_writer.ts";

const { signal } = new AbortController();

const ignore = !granted.files;

/** A file that counts how often it is read. */
class CountingFile extends LogFile {
  reads = 0;

  constructor({ file, info }: LogFile, readonly onRead: (reads: number) => void = () => {}) {
    super(file, info);
  }

  override readOnce(position: number, buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    this.onRead(++this.reads);
    return super.readOnce(position, buffer);
  }
}

test("the last lines come first, then each new one", async (folder) => {
  folder.append("a\nb\nc\nd\n");
  const reading = folder.read({ from: 2 });
  assertEquals(await reading.take(2), ["c", "d"]);
  folder.append("e\n");
  assertEquals(await reading.next(), "e");
});

test("without following, it ends with what is there, an unfinished line included but without a cursor", async (folder) => {
  folder.append("a\nb\nunfin");
  assertEquals(await folder.all({ from: 2 }), ["b", "unfin"]);
  assertEquals(await folder.all({ from: 0 }), []);
  const reading = folder.read({ follow: false });
  await reading.take(3);
  assertEquals(reading.cursor, undefined);
});

test("an unfinished line is sent once it is complete", async (folder) => {
  folder.append("a\nhal");
  const reading = folder.read();
  assertEquals(await reading.next(), "a");
  folder.append("f\n");
  assertEquals(await reading.next(), "half");
});

test("a cursor continues exactly after its line, also in another process", async (folder) => {
  folder.append("a\nb\nc\n");
  const first = folder.read();
  assertEquals(await first.take(2), ["a", "b"]);
  folder.restart();
  assertEquals(await folder.all({ after: first.cursor }), ["c"]);
});

test("CRLF, NUL, bytes that are not UTF-8, and a character split over two writes", async (folder) => {
  const reading = folder.read();
  const euro = new TextEncoder().encode("€\n");
  folder.append("dos\r\nnul\0\n");
  folder.append(new Uint8Array([0xff, 65, 10]));
  folder.append(euro.subarray(0, 1));
  assertEquals(await reading.take(3), ["dos", "nul\0", "\ufffdA"]);
  folder.append(euro.subarray(1));
  assertEquals(await reading.next(), "€");
});

test("a character split over two reads is one character", async (folder) => {
  const lines = Array.from({ length: 40_000 }, (_, i) => "€".repeat(i % 30));
  folder.append(lines.join("\n") + "\n");
  assertEquals(await folder.all(), lines);
});

test("a line over the limit is cut, marked and skipped to its end", async (folder) => {
  folder.append("a\n" + "x".repeat(150) + "\nb\n");
  assertEquals(await folder.all(), ["a", "x".repeat(100) + " [cut: 50 more bytes]", "b"]);
  const reading = folder.read();
  await reading.take(2);
  assertEquals(await folder.all({ after: reading.cursor }), ["b"]);
}, { lineBytes: 100 });

test("a line over the limit is cut between characters", async (folder) => {
  folder.append("x" + "€".repeat(50) + "\n");
  assertEquals(await folder.all(), ["x" + "€".repeat(33) + " [cut: 51 more bytes]"]);
}, { lineBytes: 102 });

test("a line at the limit is whole, one byte more is not", async (folder) => {
  folder.append("x".repeat(100) + "\n" + "y".repeat(101) + "\n");
  assertEquals(await folder.all(), ["x".repeat(100), "y".repeat(100) + " [cut: 1 more bytes]"]);
}, { lineBytes: 100 });

test("a line far over the limit costs no memory and hides nothing after it", async (folder) => {
  for (let i = 0; i < 40; i++) folder.append("x".repeat(1_048_576));
  folder.append("\nafter\n");
  const reading = folder.read({ follow: false });
  const [cut, after] = await reading.take(2);
  assertEquals(cut!.length, 65_536 + " [cut: 41877504 more bytes]".length);
  assertEquals(after, "after");
});

test("a renamed file is read to its end before the new one is begun", async (folder) => {
  folder.append("a\n");
  const reading = folder.read();
  assertEquals(await reading.next(), "a");
  Deno.renameSync(folder.log, `${folder.log}.1`);
  folder.append("b\n", `${folder.log}.1`);
  assertEquals(await reading.next(), "b");
  Deno.writeTextFileSync(folder.log, "");
  folder.append("c\n", `${folder.log}.1`);
  assertEquals(await reading.next(), "c");
  folder.append("last", `${folder.log}.1`);
  folder.append("d\n");
  assertEquals(await reading.take(2), ["last", "d"]);
});

for (const rotated of ["app.log-20300101", "app-2030-01-01.log", "app.log.2030-01-01_10", "moved-app"]) {
  test(`a cursor is found in the file that has become ${rotated}`, async (folder) => {
    folder.append("a\nb\n");
    const reading = folder.read();
    await reading.next();
    Deno.renameSync(folder.log, `${folder.path}/${rotated}`);
    folder.append("c\n");
    assertEquals(await folder.all({ after: reading.cursor }), ["b", "c"]);
  });
}

test("a cursor several rotations back goes through the newer files in turn", async (folder) => {
  using writer = new LogWriter(folder.path, "app.log", 9);
  writer.write(3);
  const reading = folder.read();
  const [first] = await reading.take(1);
  for (let i = 0; i < 5; i++) {
    await writer.rotate("rename", 1);
    writer.write(2);
  }
  const lines = [first, ...await folder.all({ after: reading.cursor })];
  assertEquals(lines.map((line) => parseInt(line!)), Array.from({ length: writer.last }, (_, i) => i + 1));
});

test("a missing or packed file between is a gap", async (folder) => {
  using writer = new LogWriter(folder.path, "app.log", 9);
  writer.write(1);
  const reading = folder.read();
  await reading.next();
  for (let i = 0; i < 3; i++) {
    await writer.rotate("rename", 0);
    writer.write(1);
  }
  Deno.renameSync(`${folder.log}.2`, `${folder.log}.2.gz`);
  assertEquals((await folder.all({ after: reading.cursor })).map((line) => line.split(" ")[0]), [
    "GAP",
    "3",
    "4",
  ]);
});

test("a truncated file is a gap and then its start", async (folder) => {
  folder.append("a\nb\n");
  const reading = folder.read();
  assertEquals(await reading.take(2), ["a", "b"]);
  Deno.truncateSync(folder.log);
  assertEquals(await reading.next(), "GAP");
  folder.append("c\n");
  assertEquals(await reading.next(), "c");
});

test("a byte order mark is no part of the first line, whole, cut or unfinished", async (folder) => {
  const table = [
    ["a\nb\n", "a", "b"],
    ["a\r\nb\n", "a", "b"],
    ["a", "a"],
    ["xxxxxxxxxxxx\n", "xxxxxxx [cut: 5 more bytes]"],
  ];
  for (const [text, ...expected] of table) {
    Deno.writeTextFileSync(folder.log, "\ufeff" + text);
    assertEquals(await folder.all(), expected);
  }
}, { lineBytes: 10 });

for (const hole of [5, 100, 5_000]) {
  test(
    `a hole of ${hole} bytes is no text, and the line behind it comes whole, with a cursor`,
    async (folder) => {
      folder.append("");
      Deno.truncateSync(folder.log, hole);
      const reading = folder.read();
      const first = reading.next();
      await until(() => reading.cursor !== undefined);
      folder.append("first after it, of a certain length that is over 48 bytes\nsecond\n");
      assertEquals(await first, "first after it, of a certain length that is over 48 bytes");
      assertEquals(await folder.all({ after: reading.cursor }), ["second"]);
      assertEquals(await folder.all({ from: 5 }), await folder.all());
    },
    { lineBytes: 1_000 },
  );
}

test("a cursor at the end of a hole leads back to it", async (folder) => {
  folder.append("");
  Deno.truncateSync(folder.log, 3_000);
  using file = (await folder.place.open())!;
  const lines = new FileLines(file, FileFingerprint.start(file.info), 1_000);
  assertEquals([await lines.next(signal), lines.at.offset], [null, 3_000]);
  folder.append("a\n");
  assertEquals(await folder.all({ after: lines.at.cursor }), ["a"]);
});

test("a hole is read in pieces of 1 MiB forwards, and not read backwards", async (folder) => {
  folder.append("");
  Deno.truncateSync(folder.log, 100 * 1_048_576);
  folder.append("a\n");
  using file = new CountingFile((await folder.place.open())!);
  const lines = new FileLines(file, FileFingerprint.start(file.info), 1_000);
  assertEquals((await lines.next(signal) as LineBlock).lines()[0].data, "a");
  assert(file.reads < 110, `${file.reads} reads`);
  file.reads = 0;
  const search = { count: 5, lineBytes: 1_000, searchBytes: Infinity, unfinished: false, signal };
  const { offset } = await startOfLast(file, search);
  assert(file.reads < 5 && offset > 98 * 1_048_576, `${file.reads} reads to ${offset}`);
});

test("a block of lines takes at most 128 KiB, for a reader that does not read keeps it", async (folder) => {
  folder.append(`${"x".repeat(999)}\n`.repeat(1_000));
  using file = (await folder.place.open())!;
  const lines = new FileLines(file, FileFingerprint.start(file.info), 65_536);
  const sizes: number[] = [];
  for (let block; (block = await lines.next(signal) as LineBlock | null) !== null;) sizes.push(block.size);
  assert(Math.max(...sizes) <= 131_072, `${sizes}`);
});

test("a reader that has left stops within one block of a line without an end", async (folder) => {
  folder.append("x");
  Deno.truncateSync(folder.log, 100 * 1_048_576);
  const controller = new AbortController();
  using file = new CountingFile((await folder.place.open())!, (reads) => {
    if (reads === 5) controller.abort();
  });
  const lines = new FileLines(file, FileFingerprint.start(file.info), 1_000);
  await assertRejects(() => lines.next(controller.signal), DOMException);
  assertEquals(file.reads, 5);
});

test("a file truncated and filled past the old position is never read from the middle of a line", async (folder) => {
  folder.append("a 1\nb 1\n");
  const reading = folder.read();
  await reading.take(2);
  Deno.writeTextFileSync(folder.log, "a longer line than before\nnext\n");
  assertEquals(await reading.take(3), ["GAP", "a longer line than before", "next"]);
  assertEquals(await folder.all({ after: reading.cursor }), []);
});

const long = "x".repeat(100);
const banner = "the same in each file\n".repeat(20);
for (
  const [where, before, after] of [
    ["in the first line", `10:00\n${banner}the same\n`, `11:00\n${banner}the same\n`],
    ["where the last line begins", `${banner}10:00 ${long}\n`, `${banner}11:00 ${long}\n`],
    ["where the last line ends", `${banner}${long} 10:00\n`, `${banner}${long} 11:00\n`],
  ]
) {
  test(`a file truncated and filled again shows when it differs only ${where}`, async (folder) => {
    folder.append(before);
    const reading = folder.read({ from: 1 });
    await reading.next();
    Deno.writeTextFileSync(folder.log, `${after}next\n`);
    const seen = [];
    while (seen.at(-1) !== "next") seen.push(await reading.next());
    assertEquals(seen, ["GAP", ...after.trim().split("\n"), "next"]);
  });
}

test("a cursor of what was truncated away continues in the copy, and says that lines may be missing", async (folder) => {
  folder.append("a\nb\nc\n");
  const reading = folder.read();
  await reading.take(2);
  await reading.stop();
  Deno.copyFileSync(folder.log, `${folder.log}.1`);
  Deno.writeTextFileSync(folder.log, "d is longer than the rest\n");
  assertEquals(await folder.all({ after: reading.cursor }), ["c", "GAP", "d is longer than the rest"]);
});

test("a file that was deleted and made again is a gap and then its start", async (folder) => {
  folder.append("a\n");
  const reading = folder.read();
  await reading.next();
  Deno.removeSync(folder.log);
  folder.append("b\n");
  assertEquals(await reading.take(2), ["GAP", "b"]);
});

test("a renamed file is not done while the new one is empty: its writer may not have moved yet", async (folder) => {
  folder.append("a\n");
  const reading = folder.read();
  await reading.next();
  await reading.stop();
  Deno.renameSync(folder.log, `${folder.log}.1`);
  folder.append("");
  folder.append("unfin", `${folder.log}.1`);
  const again = folder.read({ after: reading.cursor, follow: false });
  assertEquals([await again.next(), again.cursor], ["unfin", undefined]);
  folder.append("ished\n", `${folder.log}.1`);
  folder.append("b\n");
  assertEquals(await folder.all({ after: reading.cursor }), ["unfinished", "b"]);
});

test("lines that are still written to the rotated file come, and leave the cursor where it is", async (folder) => {
  folder.append("a\n");
  const reading = folder.read();
  await reading.next();
  Deno.renameSync(folder.log, `${folder.log}.1`);
  folder.append("b\n");
  assertEquals(await reading.next(), "b");
  const { cursor } = reading;
  folder.append("late\nla", `${folder.log}.1`);
  assertEquals([await reading.next(), reading.cursor], ["late", undefined]);
  folder.append("ter\nlast", `${folder.log}.1`);
  assertEquals(await reading.next(), "later");
  folder.now += 10_000;
  assertEquals(await reading.next(), "last");
  folder.append("c\n");
  assertEquals(await reading.next(), "c");
  assertEquals(await folder.all({ after: cursor }), ["c"]);
});

test("a cursor in an older copy does not read twice what the log still has", async (folder) => {
  folder.append("a\n");
  const reading = folder.read();
  await reading.next();
  await reading.stop();
  Deno.renameSync(folder.log, `${folder.log}.2`);
  folder.append("b\n");
  const birth = () => Deno.statSync(folder.log).birthtime!.getTime();
  // The file system's clock is coarse: the copy must have a later birth time.
  do {
    Deno.copyFileSync(folder.log, `${folder.log}.new`);
    Deno.renameSync(`${folder.log}.new`, `${folder.log}.1`);
  } while (Deno.statSync(`${folder.log}.1`).birthtime!.getTime() === birth());
  folder.append("c\n");
  assertEquals(await folder.all({ after: reading.cursor }), ["b", "GAP", "c"]);
});

/** The cursor in what was truncated away and copied; the log has other lines since. */
async function copied(folder: LogFolder, lines: string): Promise<string> {
  folder.append("a\nb\n");
  const reading = folder.read();
  await reading.next();
  await reading.stop();
  Deno.copyFileSync(folder.log, `${folder.log}.2`);
  Deno.writeTextFileSync(folder.log, lines);
  return reading.cursor!;
}

for (const [what, made] of [["in a line", 310], ["after a line", 301]] as [string, number][]) {
  test(`what ends ${what} in a copy that is still being made goes on in the log`, async (folder) => {
    const c = "c".repeat(300);
    const after = await copied(folder, `${c}\nlong line\n`);
    folder.append(`${c}\nlong line\n`.slice(0, made), `${folder.log}.1`);
    const reading = folder.read({ after });
    assertEquals(await reading.take(4), ["b", "GAP", c, "long line"]);
    folder.append(`${c}\nlong line\n`.slice(made), `${folder.log}.1`);
    folder.append("d\n");
    assertEquals(await reading.next(), "d");
  });
}

test("a copy that has just been made is no second gap", async (folder) => {
  const after = await copied(folder, "c\n");
  folder.append("", `${folder.log}.1`);
  assertEquals(await folder.all({ after }), ["b", "GAP", "c"]);
});

test("a log that is copied and truncated before it is read goes on in its copy", async (folder) => {
  const after = await copied(folder, "c\n");
  let rotates = false;
  const open = (path: string) => {
    if (path === folder.log && rotates) {
      rotates = false;
      Deno.copyFileSync(path, `${path}.1`);
      Deno.writeTextFileSync(path, "d\n");
    }
    return Deno.open(path);
  };
  const reading = folder.read({ after }, folder.placeOf(folder.log, folder.path, { open }));
  assertEquals(await reading.next(), "b");
  rotates = true;
  assertEquals(await reading.take(4), ["GAP", "c", "GAP", "d"]);
});

test("a log that is truncated while it is compared with its copy loses none of that", async (folder) => {
  const c = "c".repeat(300);
  const after = await copied(folder, `${c}\nlast\n`);
  folder.append(`${c}\n`, `${folder.log}.1`);
  let reads = -Infinity;
  const open = async (path: string) => {
    const file = await Deno.open(path);
    const read = file.read.bind(file);
    if (path === folder.log) {
      file.read = (buffer) => {
        // The first two show that it still has what the copy has.
        if (++reads === 3) {
          folder.append("last\n", `${path}.1`);
          Deno.writeTextFileSync(path, "d\n");
        }
        return read(buffer);
      };
    }
    return file;
  };
  const reading = folder.read({ after }, folder.placeOf(folder.log, folder.path, { open }));
  assertEquals(await reading.take(3), ["b", "GAP", c]);
  reads = 0;
  assertEquals(await reading.take(3), ["last", "GAP", "d"]);
});

test("a copy of an unfinished line ends in it when the log has been truncated", async (folder) => {
  const after = await copied(folder, "c\n");
  folder.append("x\nunfin", `${folder.log}.1`);
  assertEquals(await folder.all({ after }), ["b", "GAP", "x", "unfin", "GAP", "c"]);
});

test("a file that is not there yet is waited for", async (folder) => {
  const reading = folder.read();
  const line = reading.next();
  folder.append("a\n");
  assertEquals(await line, "a");
});

for (const away of ["a directory", "away"]) {
  test(`a cursor goes on after its line when the log was ${away} in between`, async (folder) => {
    folder.append("a\nb\n");
    const first = folder.read();
    await first.next();
    await first.stop();
    Deno.mkdirSync(`${folder.path}/elsewhere`);
    Deno.renameSync(folder.log, `${folder.path}/elsewhere/kept`);
    if (away === "a directory") Deno.mkdirSync(folder.log);
    const begun: Promise<string>[] = [];
    const readings = [first.cursor!, first.cursor!, "1-1-1-5-5"].map((after) => {
      const { promise, resolve } = Promise.withResolvers<string>();
      begun.push(promise);
      return folder.read({ after, begun: resolve });
    });
    const lines = readings.map((reading) => reading.next());
    assertEquals(await Promise.all(begun), [first.cursor, first.cursor, "1-1-1-5-5"]);
    if (away === "a directory") Deno.removeSync(folder.log);
    Deno.renameSync(`${folder.path}/elsewhere/kept`, folder.log);
    assertEquals(await Promise.all(lines), ["b", "b", "GAP"]);
    folder.append("c\n");
    assertEquals(await readings[0].next(), "c");
    assertEquals(await readings[2].take(3), ["a", "b", "c"]);
  });
}

test("a cursor whose file does not come back is a gap, and then the new log", async (folder) => {
  const reading = folder.read({ after: "1-1-1-5-5" });
  const line = reading.next();
  folder.append("a\n");
  assertEquals([await line, await reading.next()], ["GAP", "a"]);
});

test("a folder that is made later, or made again, is seen", async (folder) => {
  const path = `${folder.path}/later`;
  const reading = folder.read({}, folder.placeOf(`${path}/b.log`));
  const line = reading.next();
  Deno.mkdirSync(path);
  folder.append("a\n", `${path}/b.log`);
  assertEquals(await line, "a");
  Deno.removeSync(path, { recursive: true });
  Deno.mkdirSync(path);
  folder.append("b\n", `${path}/b.log`);
  assertEquals(await reading.take(2), ["GAP", "b"]);
});

for (const after of ["garbage", "1-1-1-5-5", "", "zzzz-zz-zz-99999999999-1"]) {
  test(`a cursor that leads nowhere is a gap, then it begins as without one: ${JSON.stringify(after)}`, async (folder) => {
    folder.append("a\nb\nc\n");
    assertEquals(await folder.all({ after, from: 2 }), ["GAP", "b", "c"]);
  });
}

test("a cursor whose line has changed leads nowhere", async (folder) => {
  folder.append("a1\nb1\nc1\n");
  const reading = folder.read();
  await reading.take(2);
  const file = Deno.openSync(folder.log, { write: true });
  file.writeSync(new TextEncoder().encode("a1\nb2\n"));
  file.close();
  assertEquals(await folder.all({ after: reading.cursor, from: 1 }), ["GAP", "c1"]);
});

Deno.test({
  name: "a FIFO in the place of a log does not delay readers of other logs",
  ignore: ignore || !granted.run || Deno.build.os === "windows",
  async fn() {
    await using folder = new LogFolder();
    const joined = Promise.withResolvers<void>();
    folder.follower = new LogFollower(new Limits(), undefined, () => {
      joined.resolve();
      return 1;
    }, () => folder.now);
    folder.append("a\n");
    const reading = folder.read();
    assertEquals(await reading.next(), "a");
    const after = reading.next();
    // It has seen the log at its path.
    await joined.promise;
    const fifo = `${folder.path}/fifo`;
    await new Deno.Command("mkfifo", { args: [fifo] }).output();
    Deno.renameSync(fifo, folder.log);
    const other = `${folder.path}/other.log`;
    folder.append("b\n", other);
    const another = folder.read({}, folder.placeOf(other));
    assertEquals(await another.next(), "b");
    folder.append("c\n", other);
    assertEquals(await another.next(), "c");
    Deno.removeSync(folder.log);
    folder.append("d\n");
    assertEquals(await after, "d");
  },
});

test("many followers get every line, and a slow one gets them from the file", async (folder) => {
  folder.append("0\n");
  const readings = Array.from({ length: 20 }, () => folder.read());
  for (const reading of readings) assertEquals(await reading.next(), "0");
  const slow = readings.pop()!;
  const lines = Array.from({ length: 30_000 }, (_, i) => `${i} ${"x".repeat(100)}`);
  for (let at = 0; at < lines.length; at += 1_000) {
    folder.append(lines.slice(at, at + 1_000).join("\n") + "\n");
    for (const reading of readings) assertEquals((await reading.take(1_000)).length, 1_000);
  }
  assertEquals(await slow.take(lines.length), lines);
  folder.append("end\n");
  for (const reading of [slow, ...readings]) assertEquals(await reading.next(), "end");
});

test("a reader that leaves in the middle of a wait ends at once", async (folder) => {
  const reading = folder.read();
  const line = reading.next();
  await reading.stop();
  assertEquals(await line, null);
});

for (const how of ["rename", "copytruncate"] as Rotation[]) {
  test(`each number comes once and in order over 40 rotations by ${how}, with a reader that is cut`, async (folder) => {
    const random = seeded(7);
    const seen = new Seen();
    using writer = new LogWriter(folder.path, "app.log", 12);
    let reading = folder.read();
    for (let n = 0; n < 40; n++) {
      for (let i = 0; i < 3; i++) {
        writer.write(1 + Math.floor(random() * 50));
        // Sometimes it keeps up, sometimes it stays behind.
        const upTo = random() < 0.5 ? writer.last : writer.last - Math.floor(random() * 60);
        while (seen.last < upTo) add(await reading.next());
        if (random() < 0.3) {
          await reading.stop();
          if (random() < 0.5) folder.restart();
          reading = folder.read({ after: reading.cursor });
        }
      }
      await writer.rotate(how, Math.floor(random() * 3));
    }
    writer.write(1);
    while (seen.last < writer.last) add(await reading.next());
    if (how === "rename") assertEquals([seen.gaps, seen.missing], [0, 0]);
    else assert(seen.missing <= 40 * 60, `${seen.missing} lines are missing`);

    function add(line: string | null): void {
      if (line === "GAP") seen.gap();
      else seen.line(line!);
    }
  });
}
