import { assertEquals, assertRejects } from "@std/assert";
import { postedValues } from "../../../lib/channels/posted.ts";
import { HttpError } from "../../../lib/stream/errors.ts";

Deno.test("a body becomes values by its Content-Type", async (test) => {
  const table: [type: string | null, body: string, json: string[]][] = [
    ["application/json", '{"a": 1}', ['{"a": 1}']],
    ["application/json; charset=utf-8", "[1,\n2]", ["[1, 2]"]],
    ["application/vnd.x+json", "null", ["null"]],
    ["APPLICATION/JSON", " 1 ", ["1"]],
    [null, '"text"', ['"text"']],
    ["application/x-www-form-urlencoded", '{"curl":"-d"}', ['{"curl":"-d"}']],
    ["text/plain;charset=UTF-8", '{"a": 1}', ['"{\\"a\\": 1}"']],
    ["text/plain", "", ['""']],
    ["application/x-ndjson", '1\r\n\n"two"\n{"three":3}', ["1", '"two"', '{"three":3}']],
    [null, '"\\ud83d\\ude00"', ['"\\ud83d\\ude00"']],
    [null, '{"half":"\\ud800"}', ['{"half":"\\ud800"}']],
    ["application/jsonl", "1\n2\n", ["1", "2"]],
    ["application/jsonl", "1\n2\r", ["1", "2"]],
  ];
  for (const [type, body, json] of table) {
    await test.step(`${type} ${JSON.stringify(body)}`, async () => {
      assertEquals((await postedValues(type, body)).map((value) => value.json), json);
    });
  }
});

Deno.test("what is not JSON is refused with its line", async (test) => {
  const table: [type: string | null, body: string, status: number, message: string][] = [
    [
      "application/json",
      "{",
      400,
      'the body must be JSON: current value is "{" (a text is posted with Content-Type: text/plain)',
    ],
    [
      null,
      "",
      400,
      'the body must be JSON: current value is "" (a text is posted with Content-Type: text/plain)',
    ],
    [
      "application/x-ndjson",
      "1\n\n2\nthree\n",
      400,
      'line 4 must be JSON: current value is "three"',
    ],
    [
      "application/x-ndjson",
      '1\n"\\ud800"\n',
      400,
      'line 2 must be whole characters: current value is "\\"\\\\ud800\\""',
    ],
    ["application/x-ndjson", "1\n\u00a0\n", 400, 'line 2 must be JSON: current value is "\u00a0"'],
    ["application/x-ndjson", "1\r2\n", 400, 'line 1 must be JSON: current value is "1\\r2"'],
    ["application/x-ndjson", "\n \n", 400, "the body must hold at least one line of JSON"],
    [
      "image/png",
      "1",
      415,
      "Content-Type must be application/json, application/x-ndjson, application/jsonl or text/plain: " +
      'current value is "image/png"',
    ],
    [
      "application/json; UTF-8",
      "1",
      415,
      'Content-Type must be a media type and its parameters: current value is "application/json; UTF-8"',
    ],
  ];
  for (const [type, body, status, message] of table) {
    await test.step(`${type} ${JSON.stringify(body)}`, async () => {
      const error = await assertRejects(() => postedValues(type, body), HttpError);
      assertEquals([error.status, error.message], [status, message]);
    });
  }
});

Deno.test("very many lines are all there, in order", async () => {
  const lines = Array.from({ length: 200_000 }, (_, i) => String(i));
  assertEquals((await postedValues("application/jsonl", lines.join("\n"))).map(({ json }) => json), lines);
});
