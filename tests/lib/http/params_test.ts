import { assertEquals, assertThrows } from "@std/assert";
import { HttpError, quote } from "../../../lib/stream/errors.ts";
import { boolParam, checkParams, intParam, requiredParam } from "../../../lib/http/params.ts";

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

const names: [query: string, message: string | null][] = [
  ["", null],
  ["count=1&task=a&task=b&interval=2&after=x", null],
  ["utm=1&utm=2&_=3&cuont2=1", null],
  ["count=1&count=2", 'count must be given once: current values are "1" and "2"'],
  ["after=&after=&after=&after=", 'after must be given once: current values are "" and "" and "" and more'],
  ["coun=1", 'the parameter\'s name must be count: current value is "coun"'],
  ["counts=1", 'the parameter\'s name must be count: current value is "counts"'],
  ["Count=1", 'the parameter\'s name must be count: current value is "Count"'],
  ["coutn=1", 'the parameter\'s name must be count: current value is "coutn"'],
  ["itnerval=1", 'the parameter\'s name must be interval: current value is "itnerval"'],
  ["interal=1", 'the parameter\'s name must be interval: current value is "interal"'],
  // Two mistakes, and a known name of four letters.
  ["itnervla=1&cuotn=1", null],
  ["tsak=1&tasks=1&tas=1", null],
];

for (const [text, message] of names) {
  Deno.test(`checkParams() ${message === null ? "takes" : "refuses"} '${text}'`, () => {
    const check = () => checkParams(query(text), ["count", "interval", "after"], ["task"]);
    if (message === null) return check();
    const error = assertThrows(check, HttpError);
    assertEquals([error.status, error.message], [400, message]);
  });
}
