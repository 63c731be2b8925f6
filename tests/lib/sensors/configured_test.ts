import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Limits } from "../../../lib/limits.ts";
import { parseDeclared, readDeclared } from "../../../lib/sensors/configured.ts";
import { SensorsFileError } from "../../../lib/sensors/declared.ts";
import { services } from "../../support/sensor_services.ts";
import { granted } from "../../support/granted.ts";

const parse = (...sensors: unknown[]) => parseDeclared(JSON.stringify({ sensors }), "/", ["cpu"], services());

Deno.test("a declared sensor has what it declares, or the defaults", () => {
  const sensors = parse(
    { id: "a", type: "http", url: "http://localhost/" },
    { id: "b", type: "file", path: "b", interval: 60_000 },
    { id: "c", type: "push", unit: "K", description: "by hand", interval: 60_000 },
  );
  const common = { unit: "", description: "", interval: 1_000 };
  assertEquals(JSON.parse(JSON.stringify(sensors)), [
    { ...common, id: "a", timeout: 1_000 },
    { ...common, id: "b", interval: 60_000, timeout: 5_000 },
    { id: "c", unit: "K", description: "by hand", interval: 60_000, push: true },
  ]);
});

Deno.test("a byte order mark and a scheme in capitals are accepted", () => {
  const file = { sensors: [{ id: "a", type: "http", url: "HTTP://127.0.0.1/" }] };
  assertEquals(parseDeclared("\ufeff" + JSON.stringify(file), "/", [], services()).length, 1);
});

Deno.test("a wrong field is pointed at", async (test) => {
  const push = { id: "a", type: "push" };
  const table: [sensors: unknown[], message: string][] = [
    [[1], "/sensors/0 must be an object: current value is 1"],
    [[{}], '/sensors/0/type must be "http", "file" or "push": current value is absent'],
    [
      [push, { ...push, id: "b", unit: 1 }],
      "/sensors/1/unit must be a text of at most 32 characters: current value is 1",
    ],
    [
      [{ ...push, interval: 99 }],
      "/sensors/0/interval must be a whole number from 100 to 86400000: current value is 99",
    ],
    [[{ ...push, timeout: 99 }], "/sensors/0/timeout must be a known field: current value is 99"],
    [[push, push], '/sensors/1/id must not be another sensor\'s: current value is "a"'],
    [[{ ...push, id: "cpu" }], '/sensors/0/id must not be another sensor\'s: current value is "cpu"'],
    [
      [{ id: "a", type: "http", url: "ftp://x" }],
      '/sensors/0/url must be an http or https URL: current value is "ftp://x"',
    ],
    [
      [{ id: "a", type: "http", url: "http://" }],
      '/sensors/0/url must be an http or https URL: current value is "http://"',
    ],
    [
      [{ id: "a", type: "http", url: "http://x", pointer: "a" }],
      '/sensors/0/pointer must be a JSON Pointer (RFC 6901): current value is "a"',
    ],
    [
      [{ id: "a", type: "file", path: "x", timeout: 2_000 }],
      "/sensors/0/timeout must be a whole number from 1 to 1000: current value is 2000",
    ],
    [
      [{ id: "a", type: "file", path: "x", scale: "2" }],
      '/sensors/0/scale must be a finite number: current value is "2"',
    ],
    [[{ id: "a", type: "file" }], "/sensors/0/path must be a path: current value is absent"],
    // Null is a value, and a wrong one.
    [
      [{ ...push, interval: null }],
      "/sensors/0/interval must be a whole number from 100 to 86400000: current value is null",
    ],
    [
      [{ ...push, unit: null }],
      "/sensors/0/unit must be a text of at most 32 characters: current value is null",
    ],
    [
      [{ id: "a", type: "file", path: "x", scale: null }],
      "/sensors/0/scale must be a finite number: current value is null",
    ],
    // The name of a field is the file's, so a terminal gets no control character of it.
    [[{ ...push, "a/b~c": 1 }], "/sensors/0/a~1b~0c must be a known field: current value is 1"],
    [
      [{ ...push, "\x1b[2J\n": ["\n"] }],
      '"/sensors/0/\\u001b[2J\\n" must be a known field: current value is ["\\n"]',
    ],
    [
      [{ ...push, ["x".repeat(99)]: 1 }],
      `"/sensors/0/${"x".repeat(69)}…" must be a known field: current value is 1`,
    ],
  ];
  for (const [sensors, message] of table) {
    await test.step(
      message,
      () => assertEquals(assertThrows(() => parse(...sensors), SensorsFileError).message, message),
    );
  }
  assertThrows(
    () => parse({ ...push, id: "stream" }),
    SensorsFileError,
    "/sensors/0/id must be 1 to 64 letters",
  );
});

Deno.test("a wrong file is pointed at", async (test) => {
  const table: [text: string, message: RegExp][] = [
    ["{", /^the file must be JSON/],
    // What is quoted of the file has no control character for a terminal.
    ["# Weir\n\nA minimal \x1b[31mserver\n", /^the file must be JSON: [^\p{Cc}]+$/u],
    ["[]", /^"" must be an object: current value is \[\]$/],
    ["{}", /^\/sensors must be an array: current value is absent$/],
    ['{"sensors":[],"more":1}', /^\/more must be a known field: current value is 1$/],
    [
      '{"sensors":[{"id":"a","type":"file","path":"x","offset":-1e999}]}',
      /^\/sensors\/0\/offset must be a finite number: current value is -Infinity$/,
    ],
  ];
  for (const [text, message] of table) {
    await test.step(JSON.stringify(text), () => {
      assertMatch(
        assertThrows(() => parseDeclared(text, "/", [], services()), SensorsFileError).message,
        message,
      );
    });
  }
});

Deno.test({
  name: "a file that cannot be used is reported with the flag or variable that gave it",
  ignore: !granted.files,
  async fn() {
    const file = await Deno.makeTempFile();
    await Deno.writeTextFile(file, "# Weir\n\nnot JSON\n");
    for (
      const [path, rule] of [[`${file}.none`, "must be a file that can be read"], [file, "must be JSON"]]
    ) {
      const { message } = assertThrows(
        () => readDeclared(path, "WEIR_SENSORS", new Limits()),
        SensorsFileError,
      );
      assertMatch(message, new RegExp(`^WEIR_SENSORS .*${rule}.*$`));
    }
    await Deno.remove(file);
  },
});

Deno.test({
  name: "a path that is no file is not opened",
  ignore: !granted.files,
  fn() {
    const { message } = assertThrows(
      () => readDeclared(Deno.cwd(), "--sensors", new Limits()),
      SensorsFileError,
    );
    assertEquals(message, `--sensors must be a file that can be read: ${Deno.cwd()} is not a file`);
  },
});
