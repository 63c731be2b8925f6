import { assertEquals, assertMatch } from "@std/assert";
import { lineFilter, type LogOptions, logRecords, mergedLogs } from "../../../lib/logs/log_events.ts";
import type { LogPlace } from "../../../lib/logs/log_place.ts";
import { CursorAt, Encoded } from "../../../lib/stream/event.ts";
import type { Format } from "../../../lib/stream/formats/format.ts";
import { sse } from "../../../lib/stream/formats/sse.ts";
import type { StreamItem } from "../../../lib/stream/source.ts";
import { granted } from "../../support/granted.ts";
import { LogFolder } from "../../support/log_reading.ts";

function test(name: string, run: (folder: LogFolder) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !granted.files,
    async fn() {
      await using folder = new LogFolder();
      await run(folder);
    },
  });
}

const error = lineFilter("ERROR", "", false);

/** A browser's EventSource on one log, or on several; `await using` closes it. */
class EventSource implements AsyncDisposable {
  /** The last id that came. */
  id = "";
  readonly #abort = new AbortController();
  readonly #items: AsyncIterator<StreamItem>;
  #events: string[] = [];

  constructor(folder: LogFolder, options: Partial<LogOptions>, after?: string, places?: LogPlace[]) {
    const all = { from: 0, follow: true, ...options };
    const source = places === undefined
      ? logRecords(folder.follower, folder.place, all)
      : mergedLogs(folder.follower, places, all);
    const items = source({ after, format: sse, signal: this.#abort.signal }) as AsyncIterable<StreamItem>;
    this.#items = items[Symbol.asyncIterator]();
  }

  /** Reads the next item. */
  async read(): Promise<void> {
    const { value, done } = await this.#items.next();
    const text = done ? "event: closed\n" : written(value, sse);
    this.id = [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? this.id;
    for (const [event] of text.matchAll(/^(data: .*|event: .*)$/gm)) this.#events.push(event);
  }

  /** The next field that is not an id. */
  async next(): Promise<string> {
    while (this.#events.length === 0) await this.read();
    return this.#events.shift()!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#items.return!();
  }
}

function written(item: StreamItem, format: Format): string {
  if (item instanceof CursorAt) return format.start(item.id);
  return item instanceof Encoded ? new TextDecoder().decode(item.bytes) : format.event(item);
}

/** The cursor of a client that is cut before its first line. */
async function cutAtOnce(
  folder: LogFolder,
  options: Partial<LogOptions>,
  places?: LogPlace[],
): Promise<string> {
  await using source = new EventSource(folder, options, undefined, places);
  await source.read();
  return source.id;
}

test("a client that is cut before its first line comes back to where it began", async (folder) => {
  folder.append("old\nERROR old\n");
  for (const options of [{ from: 0 }, { from: 0, wanted: error }]) {
    const id = await cutAtOnce(folder, options);
    folder.append("ERROR away\n" + "info\n".repeat(150));
    await using source = new EventSource(folder, { wanted: error, ...options }, id);
    assertEquals(await source.next(), "data: ERROR away");
  }
});

test("a client that is cut while there is no file gets all that was written since", async (folder) => {
  const id = await cutAtOnce(folder, { from: 0 });
  folder.append("a\nb\n");
  await using source = new EventSource(folder, { from: 0 }, id);
  assertEquals([await source.next(), await source.next()], ["data: a", "data: b"]);
});

test("a client that is cut while there is no file gets the files that were rotated since", async (folder) => {
  const id = await cutAtOnce(folder, { from: 0 });
  folder.append("a\n");
  Deno.renameSync(folder.log, `${folder.log}.1`);
  folder.append("b\n");
  await using source = new EventSource(folder, { from: 0 }, id);
  assertEquals([await source.next(), await source.next()], ["data: a", "data: b"]);
});

test("the cursor moves past lines that a filter leaves out", async (folder) => {
  folder.append("ERROR 1\ninfo\n");
  await using source = new EventSource(folder, { from: 10, wanted: error });
  assertEquals(await source.next(), "data: ERROR 1");
  await source.read();
  folder.append("info\n");
  await source.read();
  assertMatch(source.id, /-18-\d+$/);
});

test("merged logs have a cursor of them all before the first line", async (folder) => {
  const places = [folder.place, folder.placeOf(`${folder.path}/none.log`)];
  folder.append("old\n");
  const id = await cutAtOnce(folder, { from: 0 }, places);
  folder.append("a\n");
  await using source = new EventSource(folder, { from: 0 }, id, places);
  assertMatch(await source.next(), /"line":"a"/);
  folder.append("b\n", places[1].path);
  assertMatch(await source.next(), /"name":"none.log","line":"b"/);
});

test("the cursor of merged logs moves past lines that a filter leaves out", async (folder) => {
  folder.append("info\n");
  await using source = new EventSource(folder, { from: 10, wanted: error }, undefined, [folder.place]);
  await source.read();
  await source.read();
  assertMatch(source.id, /^app\.log=.*-5-\d+$/);
});
