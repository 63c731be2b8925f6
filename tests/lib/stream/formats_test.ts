import { assertEquals, assertThrows } from "@std/assert";
import {
  gap,
  ndjsonEncoder,
  sseEncoder,
  type StreamEvent,
  textEncoder,
} from "../../../lib/stream/formats.ts";

const cases: [what: string, event: StreamEvent, text: string, ndjson: string, sse: string][] = [
  ["a string", { data: "a b" }, "a b\n", '{"data":"a b"}\n', "data: a b\n\n"],
  ["an object", { data: { a: 1 } }, '{"a":1}\n', '{"data":{"a":1}}\n', 'data: {"a":1}\n\n'],
  ["a number", { data: 0 }, "0\n", '{"data":0}\n', "data: 0\n\n"],
  ["null", { data: null }, "null\n", '{"data":null}\n', "data: null\n\n"],
  ["nothing", { data: undefined }, "null\n", "{}\n", "data: null\n\n"],
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
  ["LINE SEPARATOR", { data: "a\u2028b" }, "a\u2028b\n", '{"data":"a\u2028b"}\n', "data: a\u2028b\n\n"],
  ["CJK and emoji", { data: "堰🌊" }, "堰🌊\n", '{"data":"堰🌊"}\n', "data: 堰🌊\n\n"],
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

for (const [what, event, text, ndjson, sse] of cases) {
  Deno.test(`every format carries ${what}`, () => {
    assertEquals(textEncoder().event(event), text);
    assertEquals(ndjsonEncoder.event(event), ndjson);
    assertEquals(sseEncoder.event(event), sse);
  });
}

for (const bad of ["a\nb", "a\rb", "a\0b", "\n", "1\r\ndata: forged"]) {
  Deno.test(`SSE takes no id and no event type like ${JSON.stringify(bad)}`, () => {
    assertThrows(() => sseEncoder.event({ id: bad, data: 1 }), TypeError, "'id'");
    assertThrows(() => sseEncoder.event({ event: bad, data: 1 }), TypeError, "'event'");
  });
}

Deno.test("text takes a handler's own wording, and tells a gap in its own", () => {
  const encoder = textEncoder(({ data }) => `<${data}>`);
  assertEquals(encoder.event({ data: 1 }), "<1>\n");
  assertEquals(encoder.event(gap("a", "b", 1)), '# gap after="a" next="b" lost=1\n');
});

Deno.test("a gap echoes no more than 128 characters", () => {
  assertEquals(gap("x".repeat(1_000), null, null).data.after.length, 128);
});

Deno.test("only a complete SSE stream stops a browser for good, and a shutdown has it come back", () => {
  assertEquals(sseEncoder.end("complete"), 'id: end\nevent: end\ndata: {"reason":"complete"}\n\n');
  assertEquals(sseEncoder.end("shutdown"), 'event: end\nretry: 2000\ndata: {"reason":"shutdown"}\n\n');
  assertEquals(sseEncoder.end("error"), 'event: end\ndata: {"reason":"error"}\n\n');
});

Deno.test("NDJSON says how it ended, and text has no words for it", () => {
  for (const reason of ["complete", "shutdown", "error"] as const) {
    assertEquals(ndjsonEncoder.end(reason), `{"event":"end","data":{"reason":"${reason}"}}\n`);
    assertEquals(textEncoder().end(reason), null);
  }
});
