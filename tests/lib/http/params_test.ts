import { assertEquals, assertThrows } from "@std/assert";
import { HttpError, quote } from "../../../lib/stream/errors.ts";
import { boolParam, intParam, requiredParam } from "../../../lib/http/params.ts";

const query = (text: string) => new URLSearchParams(text);
const bounds = { min: 1, max: 100, fallback: 5 };

for (const [text, expected] of [["", 5], ["n=1", 1], ["n=100", 100], ["n=007", 7], ["n=2&n=3", 2]] as const) {
  Deno.test(`intParam() reads '${text}' as ${expected}`, () => {
    assertEquals(intParam(query(text), "n", bounds), expected);
  });
}

for (
  const value of [
    "",
    "0",
    "101",
    "-1",
    "+1",
    "1.0",
    "1e1",
    " 1",
    "0x1",
    "NaN",
    "Infinity",
    "٣",
    "9".repeat(16),
  ]
) {
  Deno.test(`intParam() refuses ${JSON.stringify(value)} with the name, the rule and the value`, () => {
    const error = assertThrows(
      () => intParam(new URLSearchParams({ n: value }), "n", bounds),
      HttpError,
    );
    assertEquals(error.status, 400);
    assertEquals(
      error.message,
      `n must be a whole number from 1 to 100: current value is ${JSON.stringify(value)}`,
    );
  });
}

for (
  const [text, expected] of [["", true], ["f=true", true], ["f=1", true], ["f=false", false], [
    "f=0",
    false,
  ]] as const
) {
  Deno.test(`boolParam() reads '${text}' as ${expected}`, () => {
    assertEquals(boolParam(query(text), "f", true), expected);
  });
}

for (const value of ["", "yes", "TRUE", "2"]) {
  Deno.test(`boolParam() refuses ${JSON.stringify(value)}`, () => {
    const error = assertThrows(() => boolParam(new URLSearchParams({ f: value }), "f", true), HttpError);
    assertEquals([error.status, error.message], [
      400,
      `f must be true or false: current value is ${JSON.stringify(value)}`,
    ]);
  });
}

Deno.test("requiredParam() gives the value", () => {
  assertEquals(requiredParam(query("file=a"), "file", "NAME"), "a");
});

Deno.test("requiredParam() names an absent value and an empty one", () => {
  for (const [text, value] of [["", "absent"], ["file=", '""']]) {
    const error = assertThrows(() => requiredParam(query(text), "file", "NAME"), HttpError);
    assertEquals([error.status, error.message], [
      400,
      `file must be given, as in ?file=NAME: current value is ${value}`,
    ]);
  }
});

Deno.test("quote() escapes and cuts what a client sent", () => {
  assertEquals(quote('a"\n\0'), '"a\\"\\n\\u0000"');
  assertEquals(quote("x".repeat(81)).length, 83);
});
