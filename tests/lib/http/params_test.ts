import { assertEquals, assertThrows } from "@std/assert";
import { HttpError, quote } from "../../../lib/stream/errors.ts";
import {
  bool,
  flag,
  int,
  line,
  many,
  oneOf,
  type Param,
  required,
  segment,
  text,
} from "../../../lib/http/params.ts";
import { paramReader } from "../../../lib/http/param_reader.ts";

/** What a parameter `n` has read of a query. */
function read<T>(param: Param<T>, query: string | Record<string, string>): T {
  return paramReader({ n: param })(new URLSearchParams(query), {}).n as T;
}

function refusal(of: () => unknown): [status: number, message: string] {
  const { status, message } = assertThrows(of, HttpError);
  return [status, message];
}

const number = int({ min: 1, max: 100, default: 5 }, "a number");

for (const [text, expected] of [["", 5], ["n=1", 1], ["n=100", 100], ["n=007", 7]] as const) {
  Deno.test(`int() reads '${text}' as ${expected}`, () => {
    assertEquals(read(number, text), expected);
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
  Deno.test(`int() refuses ${JSON.stringify(value)} with the name, the rule and the value`, () => {
    assertEquals(refusal(() => read(number, { n: value })), [
      400,
      `n must be a whole number from 1 to 100: current value is ${JSON.stringify(value)}`,
    ]);
  });
}

for (
  const [text, expected] of [["", true], ["n=true", true], ["n=1", true], ["n=false", false], [
    "n=0",
    false,
  ]] as const
) {
  Deno.test(`bool() reads '${text}' as ${expected}`, () => {
    assertEquals(read(bool({ default: true }, "yes or no"), text), expected);
  });
}

for (const value of ["", "yes", "TRUE", "2"]) {
  Deno.test(`bool() refuses ${JSON.stringify(value)}`, () => {
    assertEquals(refusal(() => read(bool({ default: true }, "yes or no"), { n: value })), [
      400,
      `n must be true or false: current value is ${JSON.stringify(value)}`,
    ]);
  });
}

Deno.test("oneOf() reads one of its words, and nothing as undefined", () => {
  const fruit = oneOf(["apple", "pear"], "a fruit");
  assertEquals([read(fruit, "n=pear"), read(fruit, "")], ["pear", undefined]);
});

Deno.test("oneOf() names its words to one that is none of them", () => {
  const refused = (words: string[]) => refusal(() => read(oneOf(words, ""), "n=start"))[1];
  assertEquals([["stop"], ["a", "b"], ["a", "b", "c"]].map(refused), [
    'n must be stop: current value is "start"',
    'n must be a or b: current value is "start"',
    'n must be a, b or c: current value is "start"',
  ]);
});

Deno.test("flag() is whether the parameter is there, and what it says", () => {
  const given = ["n", "n=true", "n=false", ""].map((query) => read(flag("yes"), query));
  assertEquals(given, [true, true, false, false]);
  assertEquals(
    refusal(() => read(flag("yes"), { n: "x" }))[1],
    'n must be true or false: current value is "x"',
  );
});

Deno.test("line() refuses a text of two lines, and one that is too long", () => {
  const short = line({ max: 3 }, "a text");
  assertEquals([read(short, "n=abc"), read(short, "")], ["abc", ""]);
  assertEquals(["abcd", "a\nb"].map((n) => refusal(() => read(short, { n }))[1]), [
    'n must be at most 3 characters in one line: current value is "abcd"',
    'n must be at most 3 characters in one line: current value is "a\\nb"',
  ]);
});

Deno.test("required() gives the value", () => {
  assertEquals(read(required({ example: "NAME" }, "a file"), "n=a"), "a");
});

Deno.test("required() names an absent value and an empty one", () => {
  for (const [text, value] of [["", "absent"], ["n=", '""']]) {
    assertEquals(refusal(() => read(required({ example: "NAME" }, "a file"), text)), [
      400,
      `n must be given, as in ?n=NAME: current value is ${value}`,
    ]);
  }
});

Deno.test("many() reads all values in order, and none as an empty array", () => {
  const numbers = many(number);
  assertEquals([read(numbers, "n=2&n=1&n=2"), read(numbers, "")], [[2, 1, 2], []]);
});

Deno.test("many() refuses a wrong value among others, and more values than it takes", () => {
  const two = many(number, { max: 2 });
  assertEquals([refusal(() => read(two, "n=1&n=0"))[1], refusal(() => read(two, "n=1&n=2&n=3"))[1]], [
    'n must be a whole number from 1 to 100: current value is "0"',
    "n must be given at most 2 times: current value is 3",
  ]);
});

Deno.test("a segment of the path is no parameter of the query", () => {
  const read = paramReader({ name: segment("a name"), n: text("a text") });
  assertEquals(read(new URLSearchParams("name=b&n=c"), { name: "a" }), { n: "c", name: "a" });
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

for (const [query, message] of names) {
  Deno.test(`a reader of parameters ${message === null ? "takes" : "refuses"} '${query}'`, () => {
    const [once, often] = [text("a text"), many(text("a text"))];
    const reader = paramReader({ count: once, interval: once, after: once, task: often });
    const check = () => reader(new URLSearchParams(query), {});
    if (message === null) check();
    else assertEquals(refusal(check), [400, message]);
  });
}
