import { assert, assertEquals, assertThrows } from "@std/assert";
import { gap, JsonText, type StreamEvent } from "../../../lib/stream/event.ts";
import { ndjson } from "../../../lib/stream/formats/ndjson.ts";
import { sse } from "../../../lib/stream/formats/sse.ts";
import { formats } from "../../../lib/stream/formats/table.ts";
import { text, textFormat } from "../../../lib/stream/formats/text.ts";

const cases: [what: string, event: StreamEvent, asText: string, asNdjson: string, asSse: string][] = [
  ["a string", { data: "a b" }, "a b\n", '{"data":"a b"}\n', "data: a b\n\n"],
  ["an object", { data: { a: 1 } }, '{"a":1}\n', '{"data":{"a":1}}\n', 'data: {"a":1}\n\n'],
  ["a number", { data: 0 }, "0\n", '{"data":0}\n', "data: 0\n\n"],
  ["null", { data: null }, "null\n", '{"data":null}\n', "data: null\n\n"],
  ["an empty string", { data: "" }, "\n", '{"data":""}\n', "data: \n\n"],
  ["a leading space", { data: " a" }, " a\n", '{"data":" a"}\n', "data:  a\n\n"],
  ["a colon", { data: ":a" }, ":a\n", '{"data":":a"}\n', "data: :a\n\n"],
  ["LF", { data: "a\nb" }, "a\nb\n", '{"data":"a\\nb"}\n', "data: a\ndata: b\n\n"],
  ["CR", { data: "a\rb" }, "a\rb\n", '{"data":"a\\rb"}\n', "data: a\ndata: b\n\n"],
  ["CRLF", { data: "a\r\nb" }, "a\r\nb\n", '{"data":"a\\r\\nb"}\n', "data: a\ndata: b\n\n"],
  ["LF CR", { data: "a\n\rb" }, "a\n\rb\n", '{"data":"a\\n\\rb"}\n', "data: a\ndata: \ndata: b\n\n"],
  ["a last LF", { data: "a\n" }, "a\n\n", '{"data":"a\\n"}\n', "data: a\ndata: \n\n"],
  [
    "a forged field",
    { data: "a\nid: 9" },
    "a\nid: 9\n",
    '{"data":"a\\nid: 9"}\n',
    "data: a\ndata: id: 9\n\n",
  ],
  [
    "NEXT LINE, LINE SEPARATOR and PARAGRAPH SEPARATOR",
    { id: "\u0085", event: "\u2028", data: "a\u0085\u2028\u2029b" },
    "a\u0085\u2028\u2029b\n",
    '{"id":"\\u0085","event":"\\u2028","data":"a\\u0085\\u2028\\u2029b"}\n',
    "id: \u0085\nevent: \u2028\ndata: a\u0085\u2028\u2029b\n\n",
  ],
  [
    "JSON text with a LINE SEPARATOR",
    { data: new JsonText('["a\u2028b"]') },
    '["a\u2028b"]\n',
    '{"data":["a\\u2028b"]}\n',
    'data: ["a\u2028b"]\n\n',
  ],
  ["CJK and emoji", { data: "堰🌊" }, "堰🌊\n", '{"data":"堰🌊"}\n', "data: 堰🌊\n\n"],
  [
    "JSON text",
    { data: new JsonText('{"n":1e400}') },
    '{"n":1e400}\n',
    '{"data":{"n":1e400}}\n',
    'data: {"n":1e400}\n\n',
  ],
  [
    "JSON text of a string",
    { id: "7", data: new JsonText('"a\\nb"') },
    "a\nb\n",
    '{"id":"7","data":"a\\nb"}\n',
    "id: 7\ndata: a\ndata: b\n\n",
  ],
  ["an id", { id: "7", data: "x" }, "x\n", '{"id":"7","data":"x"}\n', "id: 7\ndata: x\n\n"],
  ["an empty id", { id: "", data: "x" }, "x\n", '{"id":"","data":"x"}\n', "id: \ndata: x\n\n"],
  ["a type", { event: "e", data: "x" }, "x\n", '{"event":"e","data":"x"}\n', "event: e\ndata: x\n\n"],
  [
    "all",
    { id: "7", event: "e", data: [1] },
    "[1]\n",
    '{"id":"7","event":"e","data":[1]}\n',
    "id: 7\nevent: e\ndata: [1]\n\n",
  ],
  [
    "a gap",
    gap("x\ny", "1", 3),
    '# gap after="x\\ny" next="1" lost=3\n',
    '{"event":"gap","data":{"after":"x\\ny","next":"1","lost":3}}\n',
    'event: gap\ndata: {"after":"x\\ny","next":"1","lost":3}\n\n',
  ],
  [
    "a gap of unknown size before nothing",
    gap("x", null, null),
    '# gap after="x" next=null lost=null\n',
    '{"event":"gap","data":{"after":"x","next":null,"lost":null}}\n',
    'event: gap\ndata: {"after":"x","next":null,"lost":null}\n\n',
  ],
];

for (const [what, event, asText, asNdjson, asSse] of cases) {
  Deno.test(`every format carries ${what}`, () => {
    assertEquals(formats.map((format) => format.event(event)), [asText, asNdjson, asSse]);
  });
}

const circular: Record<string, unknown> = {};
circular.self = circular;
const unsendable: [what: string, data: unknown, why: string][] = [
  ["undefined", undefined, "it is undefined"],
  ["a function", () => {}, "it is function"],
  ["a symbol", Symbol("s"), "it is symbol"],
  ["a bigint", 1n, "BigInt"],
  ["a circle", circular, "circular"],
  ["an ArrayBuffer", new ArrayBuffer(1), "bytes"],
  ["a Float64Array", new Float64Array(1), "bytes"],
];
for (const [what, data, why] of unsendable) {
  Deno.test(`no format takes ${what} for data, and says why`, () => {
    for (const { event } of formats) assertThrows(() => event({ data }), TypeError, why);
  });
}

Deno.test("NDJSON and SSE take no bytes for data, and say where they can be sent", () => {
  for (const { event } of [ndjson, sse]) {
    assertThrows(() => event({ data: new Uint8Array(1) }), TypeError, "can be sent as text");
  }
});

for (const bad of ["a\nb", "a\rb", "a\0b", "\n", "1\r\ndata: forged"]) {
  Deno.test(`SSE takes no id like ${JSON.stringify(bad)}`, () => {
    assertThrows(() => sse.event({ id: bad, data: 1 }), TypeError, "'id'");
  });

  Deno.test(`SSE takes no event type like ${JSON.stringify(bad)}`, () => {
    assertThrows(() => sse.event({ event: bad, data: 1 }), TypeError, "'event'");
  });
}

Deno.test("textFormat() words an event as the handler does", () => {
  assertEquals(textFormat(({ data }) => `<${data}>`).event({ data: 1 }), "<1>\n");
});

Deno.test("textFormat() gives JSON text to the wording as its value", () => {
  const worded = textFormat(({ data }) => typeof data);
  assertEquals(worded.event({ data: new JsonText('{"a":1}') }), "object\n");
});

Deno.test("textFormat() words a gap as every text stream does", () => {
  assertEquals(textFormat(() => "x").event(gap("a", "b", 1)), '# gap after="a" next="b" lost=1\n');
});

Deno.test("textFormat() gives one format for one wording and separator", () => {
  const line = () => "x";
  assertEquals(textFormat(line) === textFormat(line), true);
  assertEquals(textFormat(line, "") === textFormat(line, ""), true);
  assertEquals(textFormat(line, "") === textFormat(line), false);
  assertEquals(textFormat() === text, true);
});

for (const [separator, token] of [["", "a"], ["\r\n", "a\r\n"], ["--", "a--"]]) {
  Deno.test(`textFormat() has ${JSON.stringify(separator)} after each event`, () => {
    assertEquals(textFormat(undefined, separator).event({ data: "a" }), token);
  });
}

Deno.test("a gap begins a line and ends it, whatever separates the events", () => {
  const line = '# gap after="a" next="b" lost=1\n';
  assertEquals(["", "--", "\n", "\r\n"].map((s) => textFormat(undefined, s).event(gap("a", "b", 1))), [
    "\n" + line,
    "\n" + line,
    line,
    line,
  ]);
});

Deno.test("text has a line for what is said about the stream, a media type of the handler's own has none", () => {
  assertEquals(textFormat(undefined, "").note?.("searched", { from: "1" }), '\n# searched from="1"\n');
  assertEquals(textFormat(undefined, "", true).note, undefined);
});

Deno.test("with a media type of the handler's own a gap is what the wording says, and without one an error", () => {
  const worded = textFormat(({ event }) => `${event}!`, "", true);
  assertEquals(worded.event(gap("a", null, null)), "gap!");
  assertThrows(() => textFormat(undefined, "", true).event(gap("a", null, null)), TypeError, "gap");
});

Deno.test("a gap echoes no more than 128 characters", () => {
  assertEquals(gap("x".repeat(1_000), null, null).data.after.length, 128);
});

Deno.test("only SSE begins with the cursor", () => {
  assertEquals(formats.map((format) => format.start("7")), ["", "", "id: 7\n\r\n"]);
});

Deno.test("a complete SSE stream stops a browser for good", () => {
  assertEquals(sse.end("complete"), 'id: end\nevent: end\ndata: {"reason":"complete"}\n\n');
});

Deno.test("a shutdown has a browser come back with its last id, each at a time of its own from 1 to 5 s", () => {
  const times = Array.from({ length: 100 }, () => {
    const [, retry] = /^event: end\nretry: (\d+)\ndata: \{"reason":"shutdown"\}\n\n$/.exec(
      sse.end("shutdown")!,
    )!;
    return Number(retry);
  });
  assert(times.every((time) => time >= 1_000 && time <= 5_000), String(times));
  assert(new Set(times).size > 50, String(times));
});

for (const separator of ["\u0085", "\u2028", "\u2029"]) {
  Deno.test(`NDJSON is one line to a reader that splits at ${JSON.stringify(separator)}, also with a plain id`, () => {
    const record = ndjson.event({ id: "7", data: `a${separator}b` }, true);
    assertEquals(record.includes(separator), false);
    assertEquals(JSON.parse(record), { id: "7", data: `a${separator}b` });
  });
}

Deno.test("a ping is no event of SSE, but tells a cursor that has moved", () => {
  assertEquals(sse.ping(undefined, false), ": ping\n");
  assertEquals(sse.ping("7", false), ": ping\n");
  assertEquals(sse.ping("7", true), ": ping\nid: 7\n\r\n");
});

Deno.test("a ping is an event of NDJSON, with the cursor where there is one, and text has none", () => {
  assertEquals(ndjson.ping(undefined, false), '{"event":"ping","data":null}\n');
  assertEquals(ndjson.ping("7", false), '{"id":"7","event":"ping","data":null}\n');
  assertEquals(text.ping("7", true), "");
});

Deno.test("a failed SSE stream has an end without an id", () => {
  assertEquals(sse.end("error"), 'event: end\ndata: {"reason":"error"}\n\n');
});

for (const reason of ["cancelled", "lost"] as const) {
  Deno.test(`an SSE stream that is ${reason} stops a browser for good`, () => {
    assertEquals(sse.end(reason), `id: end\nevent: end\ndata: {"reason":"${reason}"}\n\n`);
  });
}

Deno.test("an SSE stream that is revoked leaves the last id as it was", () => {
  assertEquals(sse.end("revoked"), 'event: end\ndata: {"reason":"revoked"}\n\n');
});

for (const reason of ["complete", "shutdown", "error", "cancelled", "lost", "revoked"] as const) {
  Deno.test(`NDJSON ends with the reason ${reason}, and text has no words for it`, () => {
    assertEquals(ndjson.end(reason), `{"event":"end","data":{"reason":"${reason}"}}\n`);
    assertEquals(text.end(reason), null);
  });
}
