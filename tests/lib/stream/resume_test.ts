import { assertEquals, assertMatch } from "@std/assert";
import { exchange } from "../../../lib/stream/exchange.ts";
import { cursorAt, Encoded } from "../../../lib/stream/event.ts";
import { type StreamOptions, streamResponse } from "../../../lib/stream/response.ts";
import type { Source } from "../../../lib/stream/source.ts";
import { turns } from "../../support/turns.ts";

/** What a client that comes back after the cursor 7 is answered. */
async function resumed(source: Source, query = "?after=7&format=ndjson", options: StreamOptions = {}) {
  const report = () => {};
  const request = exchange(new Request(`http://localhost/${query}`), undefined, { report });
  const response = await streamResponse(request, source, options);
  return { status: response.status, body: await response.text() };
}

const end = '{"event":"end","data":{"reason":"complete"}}\n';
const gap = (next: string | null) =>
  `{"event":"gap","data":{"after":"7","next":${JSON.stringify(next)},"lost":null}}\n`;

Deno.test("a source that never looks at the cursor begins with a gap, which names the first event", async () => {
  const { body } = await resumed(async function* () {
    yield { id: "1", data: "x" };
    yield { id: "2", data: "y" };
  });
  assertEquals(body, gap("1") + '{"id":"1","data":"x"}\n{"id":"2","data":"y"}\n' + end);
});

Deno.test("the gap comes in every format that has one", async () => {
  const source = async function* () {
    yield "x";
  };
  assertEquals((await resumed(source, "?after=7")).body, '# gap after="7" next=null lost=null\nx\n');
  assertMatch((await resumed(source, "?after=7&format=sse")).body, /^event: gap\ndata: .*\n\ndata: x\n\n/);
});

Deno.test("a media type of one's own has no gap, and gets none", async () => {
  const source = async function* () {
    yield "x";
  };
  assertEquals((await resumed(source, "?after=7", { type: "text/csv" })).body, "x");
});

Deno.test("a source that takes the cursor as a parameter is trusted with it", async () => {
  const { body } = await resumed(async function* ({ after }) {
    yield { id: "8", data: `after ${after}` };
  });
  assertEquals(body, '{"id":"8","data":"after 7"}\n' + end);
});

Deno.test("a source that looks at the cursor before its first value is trusted with it", async () => {
  const { body } = await resumed(async function* (wanted) {
    await turns();
    yield wanted.after;
  });
  assertEquals(body, '{"data":"7"}\n' + end);
});

Deno.test("a source that looks at the cursor only after its first value is not", async () => {
  const { body } = await resumed(async function* (wanted) {
    yield "x";
    yield wanted.after;
  });
  assertEquals(body, gap(null) + '{"data":"x"}\n{"data":"7"}\n' + end);
});

for (
  const [what, value] of [["a block", new Encoded(new TextEncoder().encode("x\n"), "1")], [
    "a cursor",
    cursorAt("1"),
  ]]
) {
  Deno.test(`the gap goes before ${what}, too`, async () => {
    const { body } = await resumed(async function* () {
      yield value;
    });
    assertEquals(body.startsWith(gap(null)), true);
  });
}

Deno.test("without a cursor there is nothing to have missed", async () => {
  const { body } = await resumed(async function* () {
    yield "x";
  }, "?format=ndjson");
  assertEquals(body, '{"data":"x"}\n' + end);
});

Deno.test("the gap is no first event: what fails then is still a status", async () => {
  const { status } = await resumed(async function* () {
    yield 1n;
  });
  assertEquals(status, 500);
});

Deno.test("a gap that begins a text stream with another separator begins a line", async () => {
  const source = async function* () {
    yield "to";
    yield "ken";
  };
  assertEquals(
    (await resumed(source, "?after=7", { separator: "" })).body,
    '\n# gap after="7" next=null lost=null\ntoken',
  );
});
