import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { type FormatName, formats } from "../../../lib/stream/formats/table.ts";
import { HttpError } from "../../../lib/stream/errors.ts";
import { accepts, negotiate } from "../../../lib/stream/negotiate.ts";

function ask(query: string, accept: string | null, own: FormatName = "text") {
  return negotiate({
    headers: new Headers(accept === null ? {} : { accept }),
    query: new URLSearchParams(query),
  }, own);
}

const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

const cases: [
  query: string,
  accept: string | null,
  own: FormatName,
  format: FormatName,
  contentType?: string,
][] = [
  ["", null, "text", "text"],
  ["", null, "sse", "sse"],
  ["", "*/*", "ndjson", "ndjson"],
  ["", "", "sse", "sse"],
  ["", browser, "text", "text"],
  ["", browser, "sse", "sse"],
  ["", "text/*", "sse", "sse"],
  ["", "text/*", "ndjson", "text"],
  ["", "application/*", "text", "ndjson"],
  ["", "text/event-stream", "text", "sse"],
  ["", "TEXT/EVENT-STREAM", "text", "sse"],
  ["", "application/x-ndjson", "text", "ndjson"],
  ["", "application/jsonl", "text", "ndjson", "application/jsonl"],
  ["", "text/plain, text/event-stream;q=0.5", "sse", "text"],
  ["", "text/plain;q=0.2, text/event-stream;q=0.5", "text", "sse"],
  ["", "text/plain;q=0, */*", "text", "ndjson"],
  ["", "text/plain; charset=utf-8", "sse", "text"],
  ["", "text/event-stream;charset=utf-8", "text", "sse"],
  ["", "application/x-ndjson; charset=utf-8", "text", "ndjson"],
  ["", "text/plain;charset=utf-8;q=0.2, text/event-stream;charset=utf-8;q=0.5", "text", "sse"],
  ["?format=sse", null, "text", "sse"],
  ["?format=text", "text/event-stream", "sse", "text"],
  ["?format=ndjson", "image/png", "sse", "ndjson"],
  ["?format=sse&format=text", null, "text", "sse"],
  ["?other=1", "text/event-stream", "text", "sse"],
];

for (const [query, accept, own, name, contentType] of cases) {
  Deno.test(`'${query}' with Accept ${accept} on a ${own} route is ${contentType ?? name}`, () => {
    const format = formats.find((format) => format.name === name)!;
    assertEquals(ask(query, accept, own), { format, contentType: contentType ?? format.mediaTypes[0] });
  });
}

for (
  const accept of ["image/png", "text/html", "application/json", "text/plain;q=0", "*/*;q=0", "nonsense"]
) {
  Deno.test(`Accept ${accept} is answered 406`, () => {
    const error = assertThrows(() => ask("", accept), HttpError);
    assertEquals(error.status, 406);
    assertMatch(error.message, /^Accept must allow text\/plain, .*: current value is "/);
    assert(error.message.endsWith(JSON.stringify(accept)));
  });
}

Deno.test("a long format is not echoed whole", () => {
  const error = assertThrows(() => ask(`?format=${"x".repeat(3_000)}`, null), HttpError);
  assert(error.message.length < 200);
});

for (const name of ["", "SSE", "json", "toString", "__proto__"]) {
  Deno.test(`format ${JSON.stringify(name)} is answered 400 with the rule and the value`, () => {
    const error = assertThrows(() => ask(`?format=${name}`, null), HttpError);
    assertEquals(error.status, 400);
    assertEquals(
      error.message,
      `format must be text, ndjson or sse: current value is ${JSON.stringify(name)}`,
    );
  });
}

const preferences: [accept: string | null, types: string[], chosen: string | undefined][] = [
  [null, ["text/plain", "text/html"], "text/plain"],
  ["", ["text/plain", "text/html"], "text/plain"],
  ["text/html", ["text/plain", "text/html"], "text/html"],
  ["text/plain; charset=utf-8", ["text/plain"], "text/plain"],
  ["text/plain;charset=utf-8", ["text/plain"], "text/plain"],
  ["text/plain ; charset=utf-8 ; format=flowed", ["text/plain"], "text/plain"],
  ['text/plain;x="a;q=0,b\\",c";y=1, text/html;q=0.5', ["text/html", "text/plain"], "text/plain"],
  ["text/plain;charset=utf-8;q=0.5, text/html;q=0.6", ["text/plain", "text/html"], "text/html"],
  ["text/plain; charset=utf-8; Q=0", ["text/plain"], undefined],
  ["text/plain;q=0.5;charset=utf-8, text/html;q=0.6", ["text/plain", "text/html"], "text/html"],
  ["text/plain;quality=1;q=0", ["text/plain"], undefined],
  ["text/plain;", ["text/plain"], "text/plain"],
  ["text/*;level=1", ["application/json", "text/html"], "text/html"],
  ["image/png;a=b", ["text/plain"], undefined],
  ['text/plain;x="never closed, text/html', ["text/html", "text/plain"], "text/plain"],
];

for (const [accept, types, chosen] of preferences) {
  Deno.test(`Accept ${accept} chooses ${chosen} of ${types.join(" and ")}`, () => {
    assertEquals(accepts(new Headers(accept === null ? {} : { accept }), ...types), chosen);
  });
}

// A pattern that backtracks over these would not come to an end.
for (const part of [';\\"', ';"', '";', ";", '"\\', ";q"]) {
  Deno.test(`Accept with ${part} repeated 100,000 times is read`, () => {
    assertEquals(
      accepts(new Headers({ accept: "image/png" + part.repeat(100_000) }), "text/plain"),
      undefined,
    );
  });
}
