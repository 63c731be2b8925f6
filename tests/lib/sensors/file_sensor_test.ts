import { assertEquals, assertRejects } from "@std/assert";
import { Opens } from "../../../lib/opens.ts";
import { parseDeclared } from "../../../lib/sensors/configured.ts";
import { type Sensor, SensorError } from "../../../lib/sensors/sensor.ts";
import { services } from "../../support/sensor_services.ts";
import { granted } from "../../support/granted.ts";

const never = new AbortController().signal;

/** A file sensor; `fields` are those of its declaration. */
function fileSensor(path: string, fields = {}, opens = new Opens()): Sensor {
  const sensors = [{ id: "test", type: "file", path, ...fields }];
  return parseDeclared(JSON.stringify({ sensors }), "/", [], services(opens))[0] as Sensor;
}

/** What a file sensor makes of a file with this text. */
async function read(text: string, fields = {}): Promise<number> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, text);
    return await fileSensor(path, fields).read(never);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test(
  { name: "a file sensor reads the number that its file begins with", ignore: !granted.files },
  async (test) => {
    const table: [text: string, value: number][] = [
      ["42", 42],
      ["\ufeff \n-1.5e3\n", -1500],
      ["+.5 V", 0.5],
      ["21.5°C", 21.5],
      ["50%", 50],
      ["0.41 0.35 0.30 1/234", 0.41],
      ["7;8", 7],
      [" ".repeat(250) + "12345\nmore", 12345],
    ];
    for (const [text, value] of table) {
      await test.step(JSON.stringify(text.trim()), async () => assertEquals(await read(text), value));
    }
    assertEquals(await read("21500", { scale: 0.001, offset: -1 }), 20.5);
  },
);

Deno.test(
  { name: "what is no number as a whole is not read as its beginning", ignore: !granted.files },
  async (test) => {
    const table = [
      "",
      "warm",
      "12,5",
      "1,234.5",
      "2026-11-23",
      "192.168.0.1",
      "1.2.",
      "0x10",
      "12abc",
      "1e",
      // Only the first 256 bytes are read: a number that may go on behind them is no number.
      " ".repeat(250) + "1234567890",
      "9".repeat(400),
      " ".repeat(253) + "12.5",
      " ".repeat(252) + "1.5e10",
      " ".repeat(300) + "1",
    ];
    for (const text of table) {
      await test.step(JSON.stringify(text.trim()), async () => {
        const error = await assertRejects(() => read(text), SensorError);
        assertEquals(error.message, "the file does not begin with a number");
      });
    }
  },
);

/** Runs with the path of a FIFO that nobody writes to. */
async function withFifo(run: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await new Deno.Command("mkfifo", { args: [`${folder}/fifo`] }).output();
    await run(`${folder}/fifo`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const fifos = { ignore: !granted.run || Deno.build.os === "windows" };

Deno.test("a FIFO is not opened", fifos, async () => {
  await withFifo(async (path) => {
    const error = await assertRejects(async () => await fileSensor(path).read(never), SensorError);
    assertEquals(error.message, "it is not a file");
  });
});

Deno.test("a read ends with its signal while opens that hang have every permit", fifos, async () => {
  await withFifo(async (path) => {
    const opens = new Opens();
    const hanging = Array.from({ length: 8 }, () => opens.open(path));
    const file = await Deno.makeTempFile();
    await Deno.writeTextFile(file, "1");
    const stop = new AbortController();
    const rejected = assertRejects(
      async () => await fileSensor(file, {}, opens).read(stop.signal),
      SensorError,
    );
    stop.abort();
    // A writer lets them go.
    using _writer = await Deno.open(path, { read: true, write: true });
    for (const opened of await Promise.all(hanging)) opened.close();
    await rejected;
    await Deno.remove(file);
  });
});
