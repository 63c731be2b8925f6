import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Format } from "../../../lib/stream/formats.ts";
import { HttpError } from "../../../lib/stream/errors.ts";
import { negotiate } from "../../../lib/stream/negotiate.ts";

const types = {
  text: "text/plain; charset=utf-8",
  ndjson: "application/x-ndjson",
  sse: "text/event-stream",
};

function ask(query: string, accept: string | null, own: Format = "text") {
  const url = new URL(`http://localhost/stream${query}`);
  return negotiate(new Request(url, { headers: accept === null ? {} : { accept } }), url, own);
}

const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

const cases: [query: string, accept: string | null, own: Format, format: Format, contentType?: string][] = [
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

for (const [query, accept, own, format, contentType = types[format]] of cases) {
  Deno.test(`'${query}' with Accept ${accept} on a ${own} route is ${contentType}`, () => {
    assertEquals(ask(query, accept, own), { format, contentType });
  });
}

for (
  const accept of ["image/png", "text/html", "application/json", "text/plain;q=0", "*/*;q=0", "nonsense"]
) {
  Deno.test(`Accept ${accept} is answered 406`, () => {
    assertEquals(assertThrows(() => ask("", accept), HttpError).status, 406);
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
