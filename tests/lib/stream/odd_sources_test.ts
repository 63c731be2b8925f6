import { assert, assertEquals, assertMatch } from "@std/assert";
import { Encoded } from "../../../lib/stream/event.ts";
import { exchange } from "../../../lib/stream/exchange.ts";
import { streamResponse } from "../../../lib/stream/response.ts";
import type { Source } from "../../../lib/stream/source.ts";
import { turns } from "../../support/turns.ts";

/** Asks a source for NDJSON; what it reports, and how many streams are still counted. */
async function ask(source: Source) {
  const reports: string[] = [];
  const at = exchange(new Request("http://localhost/?format=ndjson"), undefined, {
    draining: new AbortController().signal,
    report: (message, error) => void reports.push(`${message} ${error}`),
  });
  const response = await streamResponse(at, source);
  return { response, reports, streams: at.bodies.streams };
}

Deno.test("a source of nothing but empty blocks leaves turns to others", async () => {
  let count = 0;
  const { response } = await ask(async function* ({ signal }) {
    while (!signal.aborted) yield count++ < 1_000_000 ? new Encoded(new Uint8Array()) : "it had no turn";
  });
  const reader = response.body!.getReader();
  const reading = reader.read();
  await turns();
  assert(count < 1_000_000);
  await reader.cancel();
  await reading;
});

const locked = new ReadableStream();
locked.getReader();

for (
  const [what, source] of Object.entries({
    "a locked ReadableStream": locked,
    "no iterator": { [Symbol.asyncIterator]: () => null },
    "an iterator without next()": { [Symbol.asyncIterator]: () => ({}) },
    "an iterator that throws": {
      [Symbol.asyncIterator]() {
        throw new Error("no");
      },
    },
  })
) {
  Deno.test(`a source with ${what} is 500, and no longer counted`, async () => {
    const { response, streams } = await ask(() => source as never);
    assertEquals([response.status, streams.used], [500, 0]);
    await response.body?.cancel();
  });
}

for (const value of [{ id: "end", data: 1 }, { event: "end", data: { reason: "complete" } }]) {
  Deno.test(`${JSON.stringify(value)} of a source is a failure, as it would look complete`, async () => {
    const { response, reports } = await ask(async function* () {
      yield "first";
      yield value;
    });
    assertEquals(
      await response.text(),
      '{"data":"first"}\n{"event":"end","data":{"reason":"error"}}\n',
    );
    assertMatch(reports.join(), /Cannot send the event as 'end'/);
  });
}
