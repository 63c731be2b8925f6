import { assertEquals, assertMatch } from "@std/assert";
import { HttpError, StreamEnd } from "../../../lib/stream/errors.ts";
import { cursorAt, Encoded, gap } from "../../../lib/stream/event.ts";
import { events, SourceState } from "../../../lib/stream/events.ts";
import { exchange } from "../../../lib/stream/exchange.ts";
import { ndjson } from "../../../lib/stream/formats/ndjson.ts";
import { sse } from "../../../lib/stream/formats/sse.ts";
import { sourceFormat } from "../../../lib/stream/formats/source_format.ts";
import type { Format } from "../../../lib/stream/formats/format.ts";
import type { PartSource, PartWanted } from "../../../lib/stream/part.ts";
import { streamResponse } from "../../../lib/stream/response.ts";
import type { StreamItem } from "../../../lib/stream/source.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { turns } from "../../support/turns.ts";

/** Numbers from the one after its cursor, which is the last one, to `last`; then it waits, or ends. */
function numbers(last: number, waits = true): PartSource {
  return async function* ({ after, signal }) {
    if (after === undefined) yield cursorAt("0");
    for (let n = Number(after ?? 0) + 1; n <= last; n++) yield { id: String(n), data: n };
    if (waits) await aborted(signal);
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
}

interface Record {
  id?: string;
  event?: string;
  // deno-lint-ignore no-explicit-any -- what the sources say
  data: any;
}

/** The records of a stream of these sources, until there is no more for now, or the end. */
async function read(
  sources: { [name: string]: PartSource },
  { after, format = ndjson, clock = new FakeClock(), reports = [] }: {
    after?: string;
    format?: Format;
    clock?: FakeClock;
    reports?: string[];
  } = {},
): Promise<{ records: Record[]; text: string; more(): Promise<Record[]> }> {
  const stop = new AbortController();
  const report = (message: string) => void reports.push(message);
  const source = events(new Map(Object.entries(sources)), { report, clock });
  const items = source({ after, format, signal: stop.signal })[Symbol.asyncIterator]();
  let text = "";
  void (async () => {
    for (let item; !(item = await items.next()).done;) text += record(item.value as StreamItem, format);
    text += format.end("complete");
  })().catch((error) => text += format.end((error as StreamEnd).reason));
  let at = 0;
  const more = async () => {
    await turns();
    const fresh = text.slice(at);
    at = text.length;
    return fresh.split("\n").filter(Boolean).map((line) => JSON.parse(line) as Record);
  };
  const records = format === ndjson ? await more() : (await turns(), []);
  return { records, text, more };
}

function record(item: StreamItem, format: Format): string {
  if (item instanceof Encoded) return new TextDecoder().decode(item.bytes);
  return "data" in item ? format.event(item) : format.start(item.id);
}

const data = (records: Record[]) => records.map(({ data: { source, data } }) => [source, data]);
const states = (records: Record[]) =>
  records.filter(({ event }) => event === "state").map(({ data: { source, state, reason } }) => [
    source,
    state,
    reason,
  ]);

Deno.test("each event says its source, and one that is busy starves none", async () => {
  const { records } = await read({ a: numbers(3), b: numbers(1), c: numbers(2) });
  assertEquals(data(records), [["a", 1], ["b", 1], ["c", 1], ["a", 2], ["c", 2], ["a", 3]]);
});

Deno.test("a source that never waits starves none", async () => {
  let n = 0;
  const endless: PartSource = async function* ({ signal }) {
    yield cursorAt("0");
    while (!signal.aborted && n < 1_000) yield { id: String(++n), data: n };
    await aborted(signal);
  };
  const { records } = await read({ endless, b: numbers(2) });
  const places = records.flatMap(({ data: { source } }, at) => source === "b" ? [at] : []);
  assertEquals(places.length, 2);
  assertEquals(places.every((at) => at < 10), true, `b came at ${places}`);
});

Deno.test("the id of every event resumes each source exactly", async () => {
  const { records } = await read({ a: numbers(3), b: numbers(2), c: numbers(0) });
  const all = data(records);
  for (const [at, { id }] of records.entries()) {
    const again = await read({ a: numbers(3), b: numbers(2), c: numbers(1) }, { after: id });
    const missing = [...all.slice(at + 1), ["c", 1]];
    assertEquals(data(again.records).map(String).sort(), missing.map(String).sort());
  }
});

Deno.test("an id has at most 120 bytes a source", async () => {
  const long: PartSource = async function* ({ signal }) {
    yield { id: "z".repeat(112), data: 1 };
    await aborted(signal);
  };
  const sources = Object.fromEntries(Array.from({ length: 32 }, (_, n) => [`source ${n}`, long]));
  const { records } = await read(sources);
  assertMatch(records.at(-1)!.id!, /^[0-9a-z~.-]+$/);
  assertEquals(records.at(-1)!.id!.length, 32 * 120);
});

Deno.test("a source that is not in the cursor starts live, and one that is no longer asked for is ignored", async () => {
  const first = await read({ a: numbers(2), b: numbers(1) });
  const live: PartSource = async function* ({ after, signal }) {
    yield { data: `after ${after}` };
    await aborted(signal);
  };
  const again = await read({ b: numbers(2), c: live }, { after: first.records.at(-1)!.id });
  assertEquals(data(again.records), [["c", "after undefined"], ["b", 2]]);
});

Deno.test("a cursor that is not whole goes to each source as it is", async () => {
  const { records: [{ id }] } = await read({ a: numbers(1), b: numbers(0) });
  const echo: PartSource = async function* ({ after, signal }) {
    yield gap(after!, null, null);
    await aborted(signal);
  };
  for (
    const after of [
      "x",
      "0",
      "~.",
      `${id}~`,
      id!.replace(/\.$/, "7"),
      id!.slice(0, -1),
      id!.slice(3),
      "e\u00e9.",
      "abcdef-1~".repeat(500) + "abcdef-1.",
    ]
  ) {
    const { records } = await read({ a: echo, b: echo }, { after });
    const expected = { after: after.slice(0, 128), next: null, lost: null };
    assertEquals(data(records), [["a", expected], ["b", expected]]);
    assertEquals(records.map(({ event }) => event), ["gap", "gap"]);
  }
});

Deno.test("until its gap has come, a cursor that cannot be followed is none in the ids of others either", async () => {
  const silent: PartSource = ({ signal }) => numbers(0)({ after: "9", signal } as PartWanted);
  const one: PartSource = async function* ({ signal }) {
    yield { id: "1", data: 1 };
    await aborted(signal);
  };
  for (const [after, then] of [["garbage", "garbage"], ["no cursor: \u00e9", "x"]]) {
    const { records: [{ id }] } = await read({ one, silent }, { after });
    let got: string | undefined;
    const looks: PartSource = (wanted) =>
      numbers(0)({ after: got = wanted.after, signal: wanted.signal } as PartWanted);
    await read({ silent: looks }, { after: id });
    assertEquals(got, then);
  }
});

Deno.test("no id leaves before each source has said where it begins", async () => {
  let begin = () => {};
  const slow: PartSource = async function* (wanted) {
    await new Promise<void>((resolve) => begin = resolve);
    wanted.begun("7");
    yield* numbers(0)(Object.assign(Object.create(wanted), { after: "7" }));
  };
  const stream = await read({ a: numbers(1), slow });
  assertEquals(stream.records, []);
  begin();
  const [{ id }] = await stream.more();
  assertMatch(id!, /-7~.{6}-1\.$/);
});

Deno.test("a source that has not begun within a second is absent, and live when it does", async () => {
  let begin = () => {};
  const slow: PartSource = async function* ({ signal }) {
    await new Promise<void>((resolve) => begin = resolve);
    yield { id: "7", data: "now" };
    await aborted(signal);
  };
  const clock = new FakeClock();
  const stream = await read({ a: numbers(1), slow }, { clock });
  assertEquals(stream.records, []);
  await clock.advance(1_000);
  const records = await stream.more();
  assertEquals(states(records), [["slow", "absent", undefined]]);
  assertEquals(data(records.slice(1)), [["a", 1]]);
  begin();
  const later = await stream.more();
  assertEquals(states(later), [["slow", "live", undefined]]);
  assertEquals(data(later.slice(1)), [["slow", "now"]]);
});

Deno.test("a source that says it is absent, and then live, is told so", async () => {
  const source: PartSource = async function* ({ signal }) {
    yield new SourceState("absent");
    yield new SourceState("live");
    await aborted(signal);
  };
  const { records } = await read({ a: source });
  assertEquals(states(records), [["a", "absent", undefined], ["a", "live", undefined]]);
});

Deno.test("a source may yield null", async () => {
  const nothing: PartSource = async function* ({ signal }) {
    yield null;
    await aborted(signal);
  };
  const { records } = await read({ nothing });
  assertEquals(records, [{ data: { source: "nothing", data: null } }]);
});

Deno.test("a source that fails says so, is reported, and stops no other", async () => {
  const reports: string[] = [];
  const fails: PartSource = () => {
    throw new Error("inside");
  };
  const { records } = await read({ fails, a: numbers(1) }, { reports });
  assertEquals(states(records), [["fails", "failed", undefined]]);
  assertEquals(data(records.slice(1)), [["a", 1]]);
  assertEquals(reports, ["the source fails failed"]);
});

Deno.test("a source that is refused says why, and is not reported", async () => {
  const reports: string[] = [];
  const refused: PartSource = () => {
    throw new HttpError(503, "too many channels");
  };
  const { records } = await read({ refused, a: numbers(0) }, { reports });
  assertEquals([states(records), reports], [[["refused", "failed", "too many channels"]], []]);
});

Deno.test("a source that ends says how, and the stream is complete with the last one", async () => {
  const cancelled: PartSource = async function* () {
    yield { id: "1", data: 1 };
    throw new StreamEnd("cancelled");
  };
  const { records } = await read({ a: numbers(1, false), cancelled });
  assertEquals(states(records), [["cancelled", "ended", "cancelled"], ["a", "ended", "complete"]]);
  assertEquals(records.at(-1), { event: "end", data: { reason: "complete" } });
});

Deno.test("where a source has failed, the end is one that a browser comes back after", async () => {
  const fails: PartSource = () => {
    throw new HttpError(503, "busy");
  };
  const { records } = await read({ fails, a: numbers(1, false) });
  assertEquals(records.at(-1), { event: "end", data: { reason: "error" } });
});

Deno.test("a reader that leaves runs every source's cleanup", async () => {
  let cleaned = 0;
  const source: PartSource = async function* ({ signal }) {
    try {
      yield cursorAt("1");
      await aborted(signal);
    } finally {
      cleaned++;
    }
  };
  const sources = new Map([["a", source], ["b", source]]);
  const request = exchange(new Request("http://localhost/?format=sse"));
  const response = await streamResponse(request, events(sources, request));
  const reader = response.body!.getReader();
  await reader.read();
  await reader.cancel();
  await turns();
  assertEquals(cleaned, 2);
});

/** A source that yields one block of records that are encoded already, as channels do. */
function block(name: string, base: Format): { source: PartSource; block: Encoded } {
  const format = sourceFormat(base, name);
  const lines = [
    format.event({ id: "1", data: "id: 9\n\nx" }),
    format.event({ event: "late", data: "no id" }),
    format.event({ id: "2", event: "named", data: { id: 7 } }),
  ];
  const encoded = new Encoded(new TextEncoder().encode(lines.join("")), "2");
  const source: PartSource = async function* (wanted) {
    assertEquals(wanted.format, format, "the format is the same for all who read the source");
    yield cursorAt("0");
    yield encoded;
    await aborted(wanted.signal);
  };
  return { source, block: encoded };
}

Deno.test("blocks that readers share get the cursors of the other sources into each id, in NDJSON", async () => {
  const { source } = block("a", ndjson);
  const { records } = await read({ a: source, b: numbers(0) });
  const [, b] = /~?([0-9a-z]{6}-0)~/.exec(records[0].id!)!;
  const ids = records.map(({ id }) => id?.replace(/[0-9a-z]{6}(-\d\.)$/, "TAG$1"));
  assertEquals(ids, [`${b}~TAG-1.`, undefined, `${b}~TAG-2.`]);
  assertEquals(data(records), [["a", "id: 9\n\nx"], ["a", "no id"], ["a", { id: 7 }]]);
  const again = await read({ a: numbers(3), b: numbers(1) }, { after: records[2].id });
  assertEquals(data(again.records), [["a", 3], ["b", 1]]);
});

Deno.test("blocks that readers share get the cursors of the other sources into each id, in SSE", async () => {
  const { source } = block("a", sse);
  const stream = await read({ a: source, b: numbers(0) }, { format: sse });
  const records = stream.text.replaceAll(/[0-9a-z]{6}-/g, "TAG-").split(/\n\r?\n/).slice(1, -1);
  assertEquals(records, [
    'id: TAG-0~TAG-1.\ndata: {"source":"a","data":"id: 9\\n\\nx"}',
    'event: late\ndata: {"source":"a","data":"no id"}',
    'id: TAG-0~TAG-2.\nevent: named\ndata: {"source":"a","data":{"id":7}}',
  ]);
});

Deno.test("a reader of one source gets its blocks themselves, which all such readers share", async () => {
  const { source, block: shared } = block("a", sse);
  const items = events(new Map([["a", source]]), { report: () => {} })({
    format: sse,
    signal: new AbortController().signal,
  })[Symbol.asyncIterator]();
  await items.next();
  const { value } = await items.next();
  assertEquals((value as Encoded).bytes === shared.bytes, true);
  await items.return!();
});

Deno.test("readers of several sources with the same cursors share what was made of a block", async () => {
  const { source, block: shared } = block("a", sse);
  const open = async () => {
    const sources = new Map([["a", source], ["b", numbers(0)]]);
    const wanted = { format: sse, signal: new AbortController().signal };
    const items = events(sources, { report: () => {} })(wanted)[Symbol.asyncIterator]();
    await items.next();
    const { value } = await items.next();
    return { bytes: (value as Encoded).bytes, leave: () => items.return!() };
  };
  const [one, two] = [await open(), await open()];
  assertEquals([one.bytes === two.bytes, one.bytes === shared.bytes], [true, false]);
  await Promise.all([one.leave(), two.leave()]);
});
