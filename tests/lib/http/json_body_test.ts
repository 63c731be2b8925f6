import { assertEquals, assertMatch } from "@std/assert";
import { jsonFault } from "../../../lib/http/json_fault.ts";
import { json } from "../../../lib/stream/json.ts";
import { granted } from "../../support/granted.ts";
import { serve } from "../../support/server.ts";
import { route, send } from "../../support/wire.ts";

const faults: [text: string, fault: number | null][] = [
  ...["0", "-0.5e+3", '"a\\u00e9\\n"', " [ ] ", "{}", '{"a":[1,{"b":null}],"c":true}', "[[[]]]"].map((
    text,
  ): [string, null] => [text, null]),
  ["", 0],
  ["  ", 2],
  ["{", 1],
  ['{"a"', 4],
  ['{"a":', 5],
  ['{"a":1', 6],
  ["[1", 2],
  ['"abc', 4],
  ["{a:1}", 1],
  ["{'a':1}", 1],
  ['{"a" 1}', 5],
  ['{"a":}', 5],
  ['{"a":1,}', 7],
  ['{"a":1 "b":2}', 7],
  ["[1,]", 3],
  ["[,1]", 1],
  ["[1 2]", 3],
  ["[1}", 2],
  ['{"a":1]', 6],
  ["1 2", 2],
  ["]", 0],
  ["01", 0],
  ["1.", 0],
  ["+1", 0],
  ["NaN", 0],
  ["nul", 0],
  ["truex", 0],
  ["undefined", 0],
  ['"a\nb"', 2],
  ['"a\\x"', 2],
  ['"a\\u12g4"', 2],
  ["[1, // one\n2]", 4],
  ["\u00a01", 0],
];
for (const [text, fault] of faults) {
  Deno.test(`JSON ${JSON.stringify(text)} has its fault at ${fault}`, () => {
    assertEquals(jsonFault(text), fault);
    let parses = true;
    try {
      JSON.parse(text);
    } catch {
      parses = false;
    }
    assertEquals(parses, fault === null);
  });
}

Deno.test("a million open arrays, and a string of a million escapes, have their fault at their end", () => {
  assertEquals(jsonFault("[".repeat(1e6)), 1e6);
  assertEquals(jsonFault('"' + "\\n".repeat(1e6)), 1 + 2e6);
});

const echo = route("/", async (_request, context) => json(await context.json()), "POST");

/** Posts a body to a handler that gives back what `context.json()` is. */
async function post(body: string, contentType: string | null = "application/json") {
  await using server = await serve({ routes: [echo], limits: { bodyBytes: 100 } });
  const headers = contentType === null ? undefined : { "content-type": contentType };
  // Bytes, since fetch() gives a string a type of its own.
  const init = { method: "POST", body: new TextEncoder().encode(body), headers };
  const response = await fetch(server.origin, init);
  return [response.status, await response.json()];
}

for (
  const type of [
    null,
    "application/json",
    "Application/JSON; charset=utf-8",
    "application/ld+json",
    "application/x-www-form-urlencoded",
  ]
) {
  Deno.test({
    name: `context.json() takes a body with the Content-Type ${type}`,
    ignore: !granted.server,
    fn: async () => assertEquals(await post('{"a":[1]}', type), [200, { a: [1] }]),
  });
}

for (
  const type of ["text/plain", "text/html", "application/x-ndjson", "multipart/form-data; boundary=x", "json"]
) {
  Deno.test({
    name: `context.json() refuses a body with the Content-Type ${type}`,
    ignore: !granted.server,
    async fn() {
      const [status, { error }] = await post("{}", type);
      assertEquals(status, 415);
      assertMatch(error, /^Content-Type must be/);
    },
  });
}

const places: [body: string, error: string][] = [
  ['{\n  "a": 1,\n}', 'the body must be JSON: "}" cannot stand at line 3, column 1'],
  ['{\r\n "a": x}', 'the body must be JSON: "x" cannot stand at line 2, column 7'],
  ['["🌊",🌊]', 'the body must be JSON: "🌊" cannot stand at line 1, column 7'],
  ["", "the body must be JSON: it ends too early, at line 1, column 1"],
  ['{"a":\n', "the body must be JSON: it ends too early, at line 2, column 1"],
];
for (const [body, error] of places) {
  Deno.test({
    name: `context.json() names the place of the fault in ${JSON.stringify(body)}`,
    ignore: !granted.server,
    fn: async () => assertEquals(await post(body), [400, { error }]),
  });
}

Deno.test({
  name: "context.json() refuses a body over the limit with 413",
  ignore: !granted.server,
  fn: async () => assertEquals((await post(`"${"x".repeat(100)}"`))[0], 413),
});

Deno.test({
  name: "context.json() refuses a body that does not arrive in time with 408",
  ignore: !granted.server,
  async fn() {
    await using server = await serve({ routes: [echo], limits: { bodyMs: 20 } });
    using conn = await send(
      server.port,
      "POST / HTTP/1.1\nHost: localhost\nContent-Length: 9\nContent-Type: application/json\n\n{",
    );
    const { value } = await conn.readable.getReader().read();
    assertMatch(new TextDecoder().decode(value), /^HTTP\/1.1 408 /);
  },
});
