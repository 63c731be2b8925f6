/** The server of the soak: histories so short that they are full within its first minute, and a log that grows and rotates. */
import { every } from "../../lib/stream/clock.ts";
import { serve } from "../support/server.ts";

const maxLogBytes = 1_048_576;

const server = await serve({
  keepRuns: 5,
  limits: {
    sensorReadings: 60,
    channelEvents: 200,
    runs: 100,
    runEvents: 1_000,
    accessLogBytes: 2_097_152,
    accessLogsKept: 2,
  },
  services: (app) => [app.metrics, { name: "the log's writer", start: write }],
});
await Deno.writeFile(`${server.folder}/files/data.bin`, new Uint8Array(4_194_304));
console.log(`Listening on ${server.origin}/`);
Deno.addSignalListener("SIGTERM", async () => {
  await server[Symbol.asyncDispose]();
  Deno.exit(0);
});

async function write(signal: AbortSignal): Promise<void> {
  const path = `${server.folder}/logs/app.log`;
  let n = 0;
  for await (const _ of every(20, signal)) {
    const size = await Deno.stat(path).then(({ size }) => size, () => 0);
    if (size > maxLogBytes) await Deno.rename(path, `${path}.1`);
    await Deno.writeTextFile(path, `line ${n++} of a log that rotates ${"·".repeat(40)}\n`.repeat(5), {
      append: true,
    });
  }
}
