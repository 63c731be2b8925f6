import { assertEquals, assertRejects } from "@std/assert";
import { fileSensor } from "../../../lib/sensors/file_sensor.ts";
import { SensorError } from "../../../lib/sensors/sensor.ts";
import { granted } from "../../support/granted.ts";

const common = { id: "test", unit: "", description: "", interval: 1_000, timeout: 1_000 };
const signal = new AbortController().signal;

/** What a file sensor makes of a file with this text. */
async function read(text: string, { scale = 1, offset = 0 } = {}): Promise<number> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, text);
    return await fileSensor({ ...common, type: "file", path, scale, offset }).read(signal);
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
      // Only the first 256 bytes are looked at: a number that may go on behind them is no number.
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
