import { basename } from "node:path";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FileFingerprint } from "../../../lib/logs/fingerprint.ts";
import { WholeLines } from "../../../lib/logs/line_block.ts";
import type { LogItem, LogReader } from "../../../lib/logs/log_reader.ts";
import { pollMs, Tail } from "../../../lib/logs/tail.ts";
import { Opens, OpensBusy } from "../../../lib/opens.ts";
import { HttpError } from "../../../lib/stream/errors.ts";
import { until } from "../../support/server.ts";
import { CursorAt, Encoded } from "../../../lib/stream/event.ts";
import { ndjson } from "../../../lib/stream/formats/ndjson.ts";
import { text } from "../../../lib/stream/formats/text.ts";
import { logRecords } from "../../../lib/logs/log_events.ts";
import { LogPlace } from "../../../lib/logs/log_place.ts";
import { type LogFolder, logTest as test } from "../../support/log_reading.ts";

Deno.test("the longer a log has been quiet the less often it is polled, and an absent path once a second", () => {
  const minute = 60_000;
  const table: [number, number, boolean, number][] = [
    [1, 0, false, 10],
    [50, 999, false, 10],
    [51, 0, false, 20],
    [500, 999, true, 20],
    [1, 1_000, false, 100],
    [500, minute, false, 100],
    [1, 5 * minute, false, 500],
    [1, 10 * minute, false, 1_000],
    [1, 60 * minute, false, 1_000],
    [1, 1_000, true, 1_000],
    [500, 60 * minute, true, 1_000],
  ];
  for (const [followers, quietMs, absent, expected] of table) {
    assertEquals(pollMs(followers, quietMs, absent), expected, `${[followers, quietMs, absent]}`);
  }
});

test(
  "over the limit of followed logs the next is 503, and one more reader of a followed log is not",
  async (folder) => {
    folder.append("a\n");
    const first = folder.read();
    assertEquals([await first.next(), await folder.read().next()], ["a", "a"]);
    const other = folder.placeOf(`${folder.path}/other.log`);
    folder.append("b\n", other.path);
    const refused = await assertRejects(
      () => folder.read({}, other).next(),
      HttpError,
      "too many followed logs",
    );
    assertEquals(refused.status, 503);
    assertEquals(await folder.read({ follow: false }, other).next(), "b");
  },
  { followedLogs: 1 },
);

test("a log without followers does not count against the limit", async (folder) => {
  folder.append("a\n");
  const first = folder.read();
  await first.next();
  await first.stop();
  const other = folder.placeOf(`${folder.path}/other.log`);
  folder.append("b\n", other.path);
  assertEquals(await folder.read({}, other).next(), "b");
}, { followedLogs: 1 });

/** Opens files, but not the first `times` times. */
function busy(times: number): Pick<Opens, "open"> {
  const opens = new Opens();
  return {
    open: (path) => times-- > 0 ? Promise.reject(new OpensBusy("too many files")) : opens.open(path),
  };
}

test("a reader that follows waits until a file can be opened", async (folder) => {
  folder.append("a\nb\n");
  const first = folder.read();
  await first.next();
  const place = folder.placeOf(folder.log, null, busy(3));
  assertEquals(await folder.read({ after: first.cursor }, place).next(), "b");
});

test("a rotation while no file can be opened loses nothing", async (folder) => {
  let left = 0;
  const opens = new Opens();
  const place = folder.placeOf(folder.log, null, {
    open: (path) => left-- > 0 ? Promise.reject(new OpensBusy("")) : opens.open(path),
  });
  folder.append("a\n");
  const reading = folder.read({}, place);
  assertEquals(await reading.next(), "a");
  left = 3;
  Deno.renameSync(folder.log, `${folder.log}.1`);
  folder.append("b\n", `${folder.log}.1`);
  folder.append("c\n");
  assertEquals(await reading.take(2), ["b", "c"]);
  assertEquals(folder.reports, []);
});

test("a reader that does not follow gets 503 when a file cannot be opened", async (folder) => {
  folder.append("a\n");
  const place = folder.placeOf(folder.log, null, busy(1));
  const refused = await assertRejects(() => folder.read({ follow: false }, place).next(), HttpError);
  assertEquals(refused.status, 503);
});

/** Opens files, but not those that are named. */
function denied(names: Set<string>): Pick<Opens, "open"> {
  const opens = new Opens();
  return {
    open: (path) =>
      names.has(basename(path))
        ? Promise.reject(new Deno.errors.PermissionDenied("not yours"))
        : opens.open(path),
  };
}

for (const follow of [true, false]) {
  test(`a log that may not be read is 403, follow=${follow}`, async (folder) => {
    folder.append("a\n");
    const place = folder.placeOf(folder.log, null, denied(new Set(["app.log"])));
    const refused = await assertRejects(() => folder.read({ follow }, place).next(), HttpError);
    assertEquals([refused.status, refused.message], [403, "the log app.log may not be read"]);
  });
}

test("a client with a cursor waits until the log may be read", async (folder) => {
  folder.append("a\n");
  const after = (await cursorOf(folder))!;
  const names = new Set(["app.log"]);
  const reading = folder.read({ after }, folder.placeOf(folder.log, null, denied(names)));
  const line = reading.next();
  folder.append("b\n");
  names.clear();
  assertEquals(await line, "b");
});

test("a rotated file that may not be read is a gap, and the next one is read", async (folder) => {
  folder.append("a\n");
  const after = await cursorOf(folder);
  Deno.renameSync(folder.log, `${folder.log}.2`);
  folder.append("b\n");
  Deno.renameSync(folder.log, `${folder.log}.1`);
  folder.append("c\n");
  const place = folder.placeOf(folder.log, null, denied(new Set(["app.log.1"])));
  assertEquals(await folder.read({ after }, place).take(2), ["GAP", "c"]);
  assertEquals(await folder.read({ after, follow: false }, place).take(3), ["GAP", "c", null]);
});

test("what ends before a file that may not be read ends with a gap", async (folder) => {
  folder.append("a\n");
  const after = await cursorOf(folder);
  folder.append("b\n");
  Deno.renameSync(folder.log, `${folder.log}.1`);
  folder.append("c\n");
  const place = folder.placeOf(folder.log, null, denied(new Set(["app.log"])));
  assertEquals(await folder.read({ after, follow: false }, place).take(3), ["b", "GAP", null]);
});

/** The cursor after all that there is. */
async function cursorOf(folder: LogFolder): Promise<string | undefined> {
  const reading = folder.read();
  await reading.next();
  return reading.cursor;
}

test("a failure to read is reported once, and the log is read on when it is over", async (folder) => {
  folder.append("a\n");
  const opens = new Opens();
  let failures = 0;
  let reads = () => {};
  const failed = new Promise<void>((resolve) => reads = resolve);
  const place = folder.placeOf(folder.log, null, {
    async open(path) {
      const file = await opens.open(path);
      const { read } = file;
      file.read = (buffer) => {
        if (failures === 0) return read.call(file, buffer);
        if (--failures === 0) reads();
        return Promise.reject(new Error("the disk is gone"));
      };
      return file;
    },
  });
  const reading = folder.read({}, place);
  assertEquals(await reading.next(), "a");
  const next = reading.next();
  failures = 3;
  await failed;
  folder.append("b\n");
  assertEquals(await next, "b");
  assertEquals(folder.reports.length, 1);
  assertStringIncludes(folder.reports[0], "reading a log failed");
});

test("a reader that joins while lines are being read gets them once", async ({ place }) => {
  const start = FileFingerprint.start(await Deno.stat("."));
  const block = new WholeLines(start, new TextEncoder().encode("a\n"));
  const reading = Promise.withResolvers<LogItem>();
  let at = start;
  const items = [reading.promise, Promise.resolve(null)];
  const reader = {
    get at() {
      return at;
    },
    get cursor() {
      return at.cursor;
    },
    next: () => items.shift(),
    [Symbol.dispose]() {},
  } as unknown as LogReader;
  const tail = new Tail(place, () => {}, () => 1_000_000, () => 0);
  tail.join(reader);
  const look = tail.advance();
  await Promise.resolve();
  // It has read the line, and not yet handed it over.
  at = block.after;
  const joins = { at, cursor: at.cursor } as LogReader;
  assertEquals(tail.join(joins), null);
  reading.resolve(block);
  await look;
  assertEquals(tail.join(joins), { number: 1, rest: null });
  await tail.close();
});

test("an unfinished line is an item of its own after a second of silence, once a pause, and then comes whole", async (folder) => {
  const reading = folder.read({}, new Looked(folder));
  const next = reading.next();
  await looks();
  folder.append("a\nhal");
  assertEquals(await next, "a");
  const { cursor } = reading;
  const unfinished = reading.next();
  await looks();
  folder.now = 999;
  await looks();
  folder.append("f a l");
  await looks();
  folder.now = 1_998;
  await looks();
  folder.now = 1_999;
  assertEquals(await unfinished, "UNFINISHED half a l");
  assertEquals([await folder.read().take(2), reading.cursor], [["a", "UNFINISHED half a l"], cursor]);
  folder.now = 9_999;
  await looks();
  folder.append("ine\n");
  assertEquals(await reading.next(), "half a line");
});

test("a client with a filter gets no unfinished line that it does not want, and text gets none", async (folder) => {
  folder.append("a\n");
  const { signal } = new AbortController();
  const wanted = (line: string) => !line.includes("no");
  for (const [format, expected] of [[ndjson, "yes"], [text, "yes, whole"]] as const) {
    Deno.writeTextFileSync(folder.log, "a\n");
    const source = logRecords(folder.follower, new Looked(folder), { from: 0, follow: true, wanted });
    const items = source({ format, signal })[Symbol.asyncIterator]();
    await items.next();
    const next = items.next();
    for (const part of ["no", " whole\n", "yes", ", whole\n"]) {
      folder.append(part);
      await looks();
      folder.now += 1_000;
      await looks();
    }
    let { value } = await next;
    while (value instanceof CursorAt) ({ value } = await items.next());
    assertEquals(
      value instanceof Encoded ? new TextDecoder().decode(value.bytes).trim() : value.data,
      expected,
    );
    await items.return!();
  }
});

let looked = 0;

/** A log whose looks are counted: each poll checks what is at its path. */
class Looked extends LogPlace {
  constructor({ place: { name, path, root, opens } }: LogFolder) {
    super(name, path, root, opens, 0);
  }

  override stat(): Promise<Deno.FileInfo | null> {
    looked++;
    return super.stat();
  }
}

/** Resolves when a log has been polled some times. */
async function looks(): Promise<void> {
  const wanted = looked + 5;
  await until(() => looked >= wanted);
}
