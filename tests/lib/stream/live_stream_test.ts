import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { turns } from "../../support/turns.ts";
import { sleep } from "../../../lib/stream/clock.ts";
import { StreamEnd } from "../../../lib/stream/errors.ts";
import { cursorAt, Encoded } from "../../../lib/stream/event.ts";
import type { Format } from "../../../lib/stream/formats/format.ts";
import { ndjson } from "../../../lib/stream/formats/ndjson.ts";
import { sse } from "../../../lib/stream/formats/sse.ts";
import { text } from "../../../lib/stream/formats/text.ts";
import { LiveStream } from "../../../lib/stream/live_stream.ts";
import { uncounted } from "../../../lib/stream/stream_counts.ts";

/** A stream without a server: its body is read by hand, and what it tells its edge is kept. */
function open(
  source: (signal: AbortSignal) => AsyncIterable<unknown>,
  format: Format = text,
  after?: string,
) {
  const controller = new AbortController();
  const told: string[] = [];
  const reports: string[] = [];
  const { promise: released, resolve } = Promise.withResolvers<void>();
  const { promise: ready, resolve: begin } = Promise.withResolvers<void>();
  let bytes = 0;
  const stream = new LiveStream(source(controller.signal), format, {
    cursor: after,
    counts: uncounted,
    preamble: () => "",
    missed: () => {},
    report: (message, error) => void reports.push(`${message}: ${(error as Error).message}`),
    started: begin,
    quiet: begin,
    stop: () => controller.abort(),
    sent: (count) => void (bytes += count),
    ended: (how) => told.push(`${how} ${bytes}`),
    released: resolve,
  });
  return { stream, ready, told, reports, released, signal: controller.signal };
}

const decoder = new TextDecoder();
type Reader = ReadableStreamDefaultReader<Uint8Array>;
const read = async (reader: Reader) => {
  const { value, done } = await reader.read();
  return done ? null : decoder.decode(value);
};

Deno.test("values that are ready in the same turn leave as one chunk", async () => {
  const { stream, ready, told, released } = open(async function* () {
    for (let n = 0; n < 10; n++) yield { data: "a" };
    await turns();
    for (let n = 0; n < 3; n++) {
      await null;
      yield { data: "b" };
    }
  });
  await ready;
  const reader = stream.body().getReader();
  assertEquals(await read(reader), "a\n".repeat(10));
  assertEquals(await read(reader), "b\n".repeat(3));
  assertEquals(await read(reader), null);
  await released;
  assertEquals(told, ["complete 26"]);
});

Deno.test("no value waits for a later one", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { stream, ready, released } = open(async function* () {
    yield { data: "first" };
    await promise;
    yield { data: "second" };
  });
  await ready;
  const reader = stream.body().getReader();
  assertEquals(await read(reader), "first\n");
  resolve();
  assertEquals(await read(reader), "second\n");
  assertEquals(await read(reader), null);
  await released;
});

Deno.test("blocks of bytes keep their place among events, and leave at once", async () => {
  const block = (text: string) => new Encoded(new TextEncoder().encode(text));
  const { stream, ready, told, released } = open(async function* () {
    yield { data: 1 };
    yield block("two\n");
    yield block("three\n");
    yield { data: 4 };
  });
  await ready;
  let all = "";
  for await (const chunk of stream.body()) all += decoder.decode(chunk);
  assertEquals(all, "1\ntwo\nthree\n4\n");
  await released;
  assertEquals(told, ["complete 14"]);
});

/** What a stream that yields these values sends, to its end. */
async function sent(values: unknown[], format: Format): Promise<string> {
  const { stream, ready, released } = open(async function* () {
    yield* values;
  }, format);
  await ready;
  let all = "";
  for await (const chunk of stream.body()) all += decoder.decode(chunk, { stream: true });
  await released;
  return all.slice(0, all.length - (format.end("complete") ?? "").length);
}

class Celsius {
  constructor(readonly data: number) {}
}

/** What is yielded, as text and as the data of NDJSON and SSE. */
const yielded: [what: string, value: unknown, asText: string, asNdjson: string, asSse: string][] = [
  ["a string", "a b", "a b", '"a b"', "a b"],
  ["a number", 0, "0", "0", "0"],
  ["a boolean", false, "false", "false", "false"],
  ["null", null, "null", "null", "null"],
  ["an array", [1, "a"], '[1,"a"]', '[1,"a"]', '[1,"a"]'],
  ["an object", { step: 1 }, '{"step":1}', '{"step":1}', '{"step":1}'],
  ["an object with id but no data", { id: "1" }, '{"id":"1"}', '{"id":"1"}', '{"id":"1"}'],
  ["a class's object with data", new Celsius(3), '{"data":3}', '{"data":3}', '{"data":3}'],
  [
    "an object with data and another key",
    { data: 1, unit: "C" },
    '{"data":1,"unit":"C"}',
    '{"data":1,"unit":"C"}',
    '{"data":1,"unit":"C"}',
  ],
];
for (const [what, value, asText, asNdjson, asSse] of yielded) {
  Deno.test(`${what} that is yielded is the data of an event`, async () => {
    assertEquals(await sent([value], text), `${asText}\n`);
    assertEquals(await sent([value], ndjson), `{"data":${asNdjson}}\n`);
    assertEquals(await sent([value], sse), `data: ${asSse}\n\n`);
  });
}

Deno.test("an object without a prototype that has data and an id is an event", async () => {
  assertEquals(
    await sent([Object.assign(Object.create(null), { id: "1", data: "x" })], sse),
    "id: 1\ndata: x\n\n",
  );
});

Deno.test("an id that is a number is a string to the reader", async () => {
  assertEquals(await sent([{ id: 7, data: "x" }], ndjson), '{"id":"7","data":"x"}\n');
});

for (const value of [{ id: {}, data: 1 }, { event: null, data: 1 }]) {
  Deno.test(`${JSON.stringify(value)} is refused, with the name of what is wrong`, async () => {
    const { stream, ready, released } = open(async function* () {
      yield value;
    });
    await ready;
    assertStringIncludes(String(stream.failure()?.error), `'${Object.keys(value)[0]}' must be a string`);
    stream.cancel();
    await released;
  });
}

Deno.test("bytes that are yielded to a text stream go as they are, in their place", async () => {
  const [first, second] = [
    new TextEncoder().encode("堰").subarray(0, 2),
    new TextEncoder().encode("堰").subarray(2),
  ];
  assertEquals(await sent(["a", first, { data: second }, "b"], text), "a\n堰b\n");
});

Deno.test("a drain that comes between a first block and its reader is told after the block", async () => {
  const { stream, ready, released } = open(async function* (signal) {
    yield new Encoded(new TextEncoder().encode('{"data":1}\n'));
    await sleep(1_000_000, signal);
  }, ndjson);
  await ready;
  stream.drain("shutdown");
  let all = "";
  for await (const chunk of stream.body()) all += decoder.decode(chunk);
  assertEquals(all, '{"data":1}\n' + ndjson.end("shutdown"));
  await released;
});

for (const reason of ["cancelled", "lost", "revoked"] as const) {
  for (const format of [ndjson, sse]) {
    Deno.test(`a source that throws StreamEnd("${reason}") ends ${format.name} with that reason, unreported`, async () => {
      const { stream, ready, told, reports, released } = open(async function* () {
        yield { data: "x" };
        await turns();
        throw new StreamEnd(reason);
      }, format);
      await ready;
      let all = "";
      for await (const chunk of stream.body()) all += decoder.decode(chunk);
      assertEquals(all, format.event({ data: "x" }) + format.end(reason));
      await released;
      assertEquals([told, reports], [[`cut ${all.length}`], []]);
    });
  }
}

Deno.test("a source that throws StreamEnd breaks a text body, after what came before it, unreported", async () => {
  const { stream, ready, reports, released } = open(async function* () {
    yield { data: "x" };
    throw new StreamEnd("cancelled");
  });
  await ready;
  const reader = stream.body().getReader();
  assertEquals(await read(reader), "x\n");
  await assertRejects(() => reader.read());
  await released;
  assertEquals(reports, []);
});

Deno.test("a StreamEnd that comes after the client has gone is not reported", async () => {
  const { stream, ready, reports, released } = open(async function* (signal) {
    yield { data: "x" };
    await sleep(1_000_000, signal).catch(() => {});
    throw new StreamEnd("cancelled");
  });
  await ready;
  await stream.body().cancel();
  await released;
  assertEquals(reports, []);
});

Deno.test("cursorAt() moves the cursor of server-sent events without an event, and begins every stream", async () => {
  for (const [format, expected] of [[sse, "id: 7\n\r\n"], [ndjson, ""], [text, ""]] as const) {
    const begun = Promise.withResolvers<void>();
    const { stream, ready, released } = open(async function* () {
      yield cursorAt("7");
      await begun.promise;
      yield { id: "8", data: "a" };
      yield cursorAt("9");
    }, format);
    await ready;
    begun.resolve();
    let all = "";
    for await (const chunk of stream.body()) all += decoder.decode(chunk);
    const after = expected.replace("7", "9");
    const end = format.end("complete") ?? "";
    assertEquals(all, expected + format.event({ id: "8", data: "a" }) + after + end);
    await released;
  }
});

Deno.test("a stream that is complete in its first turn is one string, counted in bytes", async () => {
  const { stream, ready, told, released, signal } = open(async function* () {
    yield { data: "堰" };
  }, ndjson);
  await ready;
  assertEquals(stream.whole(), '{"data":"堰"}\n{"event":"end","data":{"reason":"complete"}}\n');
  await released;
  assertEquals([told, signal.aborted], [["complete 60"], false]);
});

Deno.test("a generator is asked only as its reader reads: one that stops stops it", async () => {
  let yielded = 0;
  const { stream, ready, released } = open(async function* () {
    for (;;) yield { data: `${++yielded} ${"x".repeat(100)}` };
  });
  await ready;
  const reader = stream.body().getReader();
  await reader.read();
  await reader.read();
  await turns();
  const stalled = yielded;
  for (let n = 0; n < 5; n++) await turns();
  assertEquals(yielded, stalled);
  assert(yielded < 4_000, `${yielded} values for two chunks`);
  await reader.cancel();
  await released;
});

Deno.test("values that are slow to compute do not wait for many others", async () => {
  const { stream, ready, released } = open(async function* () {
    for (let n = 1;; n++) {
      const start = Date.now();
      while (Date.now() - start < 10);
      yield { data: n };
    }
  });
  await ready;
  const reader = stream.body().getReader();
  assertEquals(await read(reader), "1\n2\n");
  await reader.cancel();
  await released;
});

Deno.test("a generator without an await leaves its turn to the others", async () => {
  const { stream, ready, released } = open(async function* () {
    for (;;) yield { data: "x" };
  });
  await ready;
  const reader = stream.body().getReader();
  let reading = true;
  const all = (async () => {
    while (reading) await reader.read();
  })();
  for (let n = 0; n < 20; n++) await turns();
  reading = false;
  await all;
  await reader.cancel();
  await released;
});

Deno.test("cancel() aborts the signal, runs finally and counts as cut, once", async () => {
  let clean = false;
  const { stream, ready, told, released, signal } = open(async function* (signal) {
    try {
      yield { data: "x" };
      await sleep(1_000_000, signal);
    } finally {
      clean = true;
    }
  });
  await ready;
  const reader = stream.body().getReader();
  await read(reader);
  await reader.cancel();
  await released;
  stream.cancel();
  stream.drain("shutdown");
  assertEquals([clean, signal.aborted, told], [true, true, ["cut 2"]]);
});

Deno.test("a permit is held until the generator has cleaned up", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let free = false;
  const { stream, ready, told, released } = open(async function* () {
    try {
      yield { data: "x" };
      await promise;
    } finally {
      await promise;
    }
  });
  released.then(() => free = true);
  await ready;
  await stream.body().cancel();
  await turns();
  assertEquals([told, free], [["cut 0"], false]);
  resolve();
  await released;
});

Deno.test("a failure before the first event is kept for a status", async () => {
  const error = new Error("secret");
  for (const encoder of [text, ndjson, sse]) {
    // deno-lint-ignore require-yield -- it fails before
    const { stream, ready, released } = open(async function* () {
      await null;
      throw error;
    }, encoder);
    await ready;
    assertEquals(stream.failure(), { error });
    stream.cancel();
    await released;
  }
});

Deno.test("a first event that cannot be encoded is a failure before the first event", async () => {
  const { stream, ready, released } = open(async function* () {
    yield { data: 1n };
  }, ndjson);
  await ready;
  assert(stream.failure()?.error instanceof TypeError);
  stream.cancel();
  await released;
});

for (const [name, encoder] of [["NDJSON", ndjson], ["SSE", sse]] as const) {
  Deno.test(`a failure after the first event ends ${name} with a record that tells nothing of the inside`, async () => {
    const { stream, ready, told, reports, released } = open(async function* () {
      yield { data: "x" };
      await turns();
      throw new Error("secret");
    }, encoder);
    await ready;
    let all = "";
    for await (const chunk of stream.body()) all += decoder.decode(chunk);
    assertEquals(all, encoder.event({ data: "x" }) + encoder.end("error"));
    await released;
    assertEquals(told, [`cut ${all.length}`]);
    assertStringIncludes(reports.join(), "secret");
  });
}

Deno.test("a failure after the first event breaks a text body, after what came before it", async () => {
  const { stream, ready, told, reports, released } = open(async function* () {
    yield { data: "x" };
    await turns();
    yield { data: "y" };
    throw new Error("secret");
  });
  await ready;
  const reader = stream.body().getReader();
  assertEquals(await read(reader), "x\n");
  assertEquals(await read(reader), "y\n");
  const error = await assertRejects(() => reader.read(), Error);
  assertEquals(error.message.includes("secret"), false);
  await released;
  assertEquals(told, ["cut 4"]);
  assertStringIncludes(reports.join(), "secret");
});

Deno.test("a text stream that fails in its first turn, after an event, is broken as well", async () => {
  const { stream, ready, reports, released } = open(async function* () {
    yield { data: "x" };
    throw new Error("secret");
  });
  await ready;
  assertEquals(stream.whole(), null);
  const reader = stream.body().getReader();
  assertEquals(await read(reader), "x\n");
  await assertRejects(() => reader.read());
  await released;
  assertStringIncludes(reports.join(), "secret");
});

Deno.test("a drain tells SSE and NDJSON readers, breaks text, and runs finally", async () => {
  for (const encoder of [sse, ndjson, text]) {
    let clean = false;
    const { stream, ready, told, released, signal } = open(async function* (signal) {
      try {
        yield { data: "x" };
        await sleep(1_000_000, signal);
      } finally {
        clean = true;
      }
    }, encoder);
    await ready;
    const reader = stream.body().getReader();
    await reader.read();
    const next = read(reader);
    if (encoder === text) {
      const broken = assertRejects(() => next);
      stream.drain("shutdown");
      await broken;
    } else {
      stream.drain("shutdown");
      assert((await next)?.includes('{"reason":"shutdown"}'));
      assertEquals(await read(reader), null);
    }
    await released;
    assertEquals([clean, signal.aborted, told[0].startsWith("cut")], [true, true, true]);
  }
});

Deno.test("a drain while the reader is stalled is reported after the queued chunks", async () => {
  const { stream, ready, released } = open(async function* () {
    for (let n = 1;; n++) yield { data: n };
  }, ndjson);
  await ready;
  const reader = stream.body().getReader();
  await reader.read();
  await turns();
  stream.drain("shutdown");
  stream.drain("shutdown");
  let all = "";
  for (let chunk; (chunk = await read(reader)) !== null;) all += chunk;
  const lines = all.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.pop(), { event: "end", data: { reason: "shutdown" } });
  assert(lines.every(({ data }) => Number.isInteger(data)));
  await released;
});

Deno.test("an idle stream gets a ping after 15 s, again after 15 more, but not as text", async () => {
  for (const encoder of [sse, ndjson, text]) {
    const { stream, ready, released } = open(async function* (signal) {
      yield { data: "x" };
      await sleep(1_000_000, signal);
    }, encoder);
    await ready;
    const reader = stream.body().getReader();
    await reader.read();
    for (let round = 0; round < 2; round++) {
      let chunk: string | null = null;
      const next = read(reader).then((text) => chunk = text);
      await turns();
      for (let second = 0; second < 14; second++) stream.tick();
      await turns();
      assertEquals(chunk, null);
      stream.tick();
      await turns();
      const ping = encoder.ping(undefined, false);
      assertEquals(chunk, ping || null);
      if (ping === "") break;
      await next;
    }
    await reader.cancel();
    await released;
  }
});

/** The first ping of a stream that yields these items and then waits. */
async function pingAfter(items: unknown[], format: Format, after?: string): Promise<string | null> {
  const { stream, ready, released } = open(
    async function* (signal) {
      yield* items;
      await sleep(1_000_000, signal);
    },
    format,
    after,
  );
  await ready;
  const reader = stream.body().getReader();
  let last: string | null = null;
  let next = read(reader);
  for (let round = 0; round < 4 && !last?.includes("ping"); round++) {
    await turns();
    for (let second = 0; second < 15; second++) stream.tick();
    last = await next;
    if (!last?.includes("ping")) next = read(reader);
  }
  await reader.cancel();
  await released;
  return last;
}

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("a ping has the cursor that the stream is at, from an event, a block or alone", async () => {
  const at = (id: string) => `{"id":"${id}","event":"ping","data":null}\n`;
  const event = { id: "1", data: "x" };
  const block = new Encoded(bytes('{"id":"2","data":"y"}\n'), "2");
  assertEquals(await pingAfter([event], ndjson), at("1"));
  assertEquals(await pingAfter([event, block], ndjson), at("2"));
  assertEquals(await pingAfter([event, block, { data: "no id" }], ndjson), at("2"));
  assertEquals(await pingAfter([new Encoded(bytes(""), "0")], ndjson), at("0"));
  assertEquals(await pingAfter([{ data: "x" }], ndjson), '{"event":"ping","data":null}\n');
});

Deno.test("an SSE ping tells the cursor only where it has moved on from what the client has", async () => {
  const moved = new Encoded(bytes(""), "2");
  assertEquals(await pingAfter([{ id: "2", data: "x" }], sse), ": ping\n");
  assertEquals(await pingAfter([{ id: "1", data: "x" }, moved], sse), ": ping\nid: 2\n\r\n");
  assertEquals(await pingAfter([moved], sse, "1"), ": ping\nid: 2\n\r\n");
  assertEquals(await pingAfter([moved], sse, "2"), ": ping\n");
  assertEquals(await pingAfter([moved, new Encoded(bytes("id: 3\ndata: x\n\n"), "3")], sse), ": ping\n");
});

Deno.test("a ping does not overtake an event that waits for the end of its turn", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { stream, ready, released } = open(async function* (signal) {
    yield { data: 1 };
    await promise;
    yield { id: "2", data: 2 };
    stream.tick();
    await sleep(1_000_000, signal);
  }, ndjson);
  await ready;
  const reader = stream.body().getReader();
  await read(reader);
  const next = read(reader);
  await turns();
  for (let second = 0; second < 14; second++) stream.tick();
  resolve();
  assertEquals(await next, '{"id":"2","data":2}\n');
  await reader.cancel();
  await released;
});

Deno.test("a value starts the 15 s of the heartbeat anew", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { stream, ready, released } = open(async function* (signal) {
    yield { data: 1 };
    await promise;
    yield { data: 2 };
    await sleep(1_000_000, signal);
  }, sse);
  await ready;
  const reader = stream.body().getReader();
  await read(reader);
  const second = read(reader);
  await turns();
  for (let n = 0; n < 14; n++) stream.tick();
  resolve();
  assertEquals(await second, "data: 2\n\n");
  const third = read(reader);
  for (let n = 0; n < 14; n++) stream.tick();
  await turns();
  await reader.cancel();
  assertEquals(await third, null);
  await released;
});

Deno.test("a reader that takes nothing for five minutes while something waits is cut; one that waits is not", async () => {
  const make = (format: Format) =>
    open(async function* (signal) {
      yield { data: "x" };
      yield { data: "y" };
      await sleep(1_000_000, signal);
    }, format);
  const stalled = make(ndjson);
  await stalled.ready;
  const reader = stalled.stream.body().getReader();
  await reader.read();
  for (let n = 0; n < 299; n++) stalled.stream.tick();
  assertEquals(stalled.told, []);
  stalled.stream.tick();
  await stalled.released;
  assertEquals(stalled.told, ["cut 26"]);
  await assertRejects(() => reader.read());

  // As text, which has no pings.
  const waiting = make(text);
  await waiting.ready;
  const patient = waiting.stream.body().getReader();
  await patient.read();
  const next = patient.read();
  await turns();
  for (let n = 0; n < 1_000; n++) waiting.stream.tick();
  assertEquals(waiting.told, []);
  await patient.cancel();
  assertEquals((await next).done, true);
  await waiting.released;
});

Deno.test("a client that is found to be gone while a chunk is handed over gets nothing more", async () => {
  const block = new Encoded(new TextEncoder().encode("block\n"));
  for (const last of ["block", "end", "drain"]) {
    const { stream, ready, told, reports, released } = open(async function* (signal) {
      yield { data: "x" };
      if (last === "block") yield block;
      if (last !== "end") await sleep(1_000_000, signal);
    }, ndjson);
    await ready;
    stream.body();
    let calls = 0;
    // As the runtime does when its write fails at once.
    const gone = () => {
      if (++calls > 1) throw new TypeError("The stream controller cannot close or enqueue");
      stream.cancel();
    };
    if (last === "drain") stream.drain("shutdown");
    stream.pull({ enqueue: gone, close: gone, error: gone });
    await released;
    assertEquals([calls, told.length, reports], [1, 1, []], last);
  }
});

Deno.test("a cleanup that fails is logged, and releases all the same", async () => {
  const { stream, ready, reports, released } = open(async function* (signal) {
    try {
      yield { data: "x" };
      await sleep(1_000_000, signal);
    } finally {
      // deno-lint-ignore no-unsafe-finally -- a cleanup that fails is what is tested
      throw new Error("in the cleanup");
    }
  });
  await ready;
  await stream.body().cancel();
  await released;
  assertStringIncludes(reports.join(), "in the cleanup");
});
