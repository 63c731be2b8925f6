import { assertEquals } from "@std/assert";
import { startOfLast } from "../../../lib/logs/search.ts";
import { granted } from "../../support/granted.ts";
import { scans, Turns } from "../../../lib/logs/turns.ts";
import { endOfTurn } from "../../../lib/stream/clock.ts";
import { LogFolder } from "../../support/log_reading.ts";
import { until } from "../../support/server.ts";
import { seeded } from "../../support/log_writer.ts";

const rest = {
  lineBytes: 65_536,
  searchBytes: 67_108_864,
  unfinished: false,
  signal: new AbortController().signal,
};

function test(name: string, run: (folder: LogFolder) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !granted.files,
    async fn() {
      await using folder = new LogFolder({ searchBytes: 2_000_000 });
      await run(folder);
    },
  });
}

test("the start of the last lines that are wanted, over many blocks", async (folder) => {
  const random = seeded(5);
  const wanted = (line: string) => line.startsWith("E");
  const lines = Array.from({ length: 40_000 }, () => {
    const length = random() < 0.001 ? 2_500_000 * random() : 100 * random();
    return `${random() < 0.01 ? "E" : "i"}${(random() < 0.1 ? "é" : "x").repeat(length)}\n`;
  });
  const bytes = lines.map((line) => new TextEncoder().encode(line).length);
  folder.append(lines.join(""));
  folder.append("E unfinished");
  using file = (await folder.place.open())!;
  for (const count of [1, 2, 3, 50, 200, 1_000]) {
    const places = lines.flatMap((line, i) => wanted(line) ? [i] : []);
    const first = places.at(-count) ?? 0;
    const offset = bytes.slice(0, first).reduce((sum, length) => sum + length, 0);
    const searchBytes = Infinity;
    assertEquals(await startOfLast(file, { ...rest, searchBytes, count, wanted }), {
      offset,
      whole: true,
    });
  }
});

test("lines that are not wanted do not count among the last ones", async (folder) => {
  folder.append("E 1\ni\nE 2\n" + "i\n".repeat(500) + "E unfinished");
  const wanted = (line: string) => line.startsWith("E");
  assertEquals((await folder.all({ from: 1, wanted })).slice(0, 2), ["E unfinished"]);
  assertEquals((await folder.all({ from: 2, wanted }))[0], "E 2");
  assertEquals((await folder.all({ from: 9, wanted }))[0], "E 1");
  assertEquals(await folder.read({ from: 1, wanted }).next(), "E 2");
  assertEquals(await folder.all({ from: 0, wanted }), []);
});

test("where the search has met its bound, an item says how far it went", async (folder) => {
  folder.append("E 1\n" + `${"i".repeat(99)}\n`.repeat(40_000) + "E 2\n");
  const wanted = (line: string) => line.startsWith("E");
  const lines = (await folder.all({ from: 2, wanted })).filter((line) => !line.startsWith("i"));
  assertEquals(lines, ["SEARCHED", "E 2"]);
  assertEquals((await folder.all({ from: 1, wanted }))[0], "E 2");
});

test("a search passes a hole", async (folder) => {
  folder.append("");
  Deno.truncateSync(folder.log, 10_000_000);
  folder.append("E 1\ni\n");
  const wanted = (line: string) => line.startsWith("E");
  assertEquals(await folder.all({ from: 5, wanted: (line) => line.includes("E") }), ["E 1", "i"]);
  assertEquals(await folder.all({ from: 5, wanted }), ["E 1", "i"]);
});

test("a search waits for the searches under way, which would stall the server together", async (folder) => {
  folder.append("E 1\nI 2\n");
  const wanted = (line: string) => line.startsWith("E");
  const { signal } = new AbortController();
  const permits = [
    await folder.follower.searches.acquire({ signal }),
    await folder.follower.searches.acquire({ signal }),
  ];
  const reading = folder.read({ from: 1, follow: false, wanted });
  const line = reading.next();
  await until(() => folder.follower.searches.waiting === 1);
  for (const permit of permits) permit.release();
  assertEquals(await line, "E 1");
});

const long = "i\n".repeat(100_000);
const wanted = (line: string) => line.startsWith("E");

for (
  const [what, options, content] of [
    ["a search", { from: 1, wanted }, long],
    ["a filter of all lines", { from: "start", wanted }, long],
    ["the way through a hole", { from: "start" }, "\0".repeat(1_048_576)],
  ] as const
) {
  test(`${what} takes turns with others`, async (folder) => {
    folder.append(content + "E 1\n");
    const permit = await scans.limiter.acquire(rest);
    const lines = folder.all(options);
    await until(() => scans.limiter.waiting === 1);
    permit.release();
    assertEquals((await lines).at(-1), "E 1");
  });
}

Deno.test("where several readers wait for a turn, what else is ready comes before them", async () => {
  const turns = new Turns();
  let passed = 0;
  const all = Promise.all(Array.from({ length: 3 }, () => turns.next(rest.signal).then(() => passed++)));
  await new Promise<void>(endOfTurn);
  assertEquals(passed, 0);
  await all;
});
