import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { type StreamOptions, streamResponse } from "../../../lib/stream/response.ts";
import { exchange } from "../../../lib/stream/exchange.ts";
import type { Source } from "../../../lib/stream/source.ts";
import { granted } from "../../support/granted.ts";
import { serve } from "../../support/server.ts";
import { turns } from "../../support/turns.ts";
import { open, route } from "../../support/wire.ts";

/** What is answered, without a server, and what is reported. */
async function answer(source: Source, options: StreamOptions, init: RequestInit = {}, query = "") {
  const reports: string[] = [];
  const report = (message: string, error?: unknown) => void reports.push(`${message}: ${error}`);
  const request = new Request(`http://localhost/${query}`, init);
  const response = await streamResponse(exchange(request, undefined, { report }), source, options);
  return { response, reports };
}

async function* tokens() {
  yield "to";
  yield "kens";
}

/** Like `tokens`, but not complete in its first turn. */
async function* slow() {
  yield "to";
  await turns();
  yield "kens";
}

Deno.test("streamResponse() joins tokens with the separator that it is given", async () => {
  const { response } = await answer(tokens, { separator: "" });
  assertEquals(await response.text(), "tokens");
});

Deno.test("the separator is of text alone", async () => {
  const { response } = await answer(tokens, { separator: "" }, {}, "?format=ndjson");
  assertEquals((await response.text()).split("\n")[0], '{"data":"to"}');
});

for (const source of [tokens, slow]) {
  Deno.test(`streamResponse() has the status and the headers of its options: ${source.name}`, async () => {
    const { response } = await answer(source, { status: 201, headers: { "X-Model": "m" } });
    assertEquals([response.status, response.headers.get("x-model")], [201, "m"]);
    assertEquals(response.headers.get("cache-control"), "no-store, no-transform");
    assertEquals(await response.text(), "to\nkens\n");
  });
}

for (
  const headers of [
    { "X-A": "1", "X-B": "2" },
    [["X-A", "1"], ["X-B", "2"]] as [string, string][],
    new Headers({ "x-a": "1", "x-b": "2" }),
  ]
) {
  Deno.test(`headers are taken as ${headers.constructor.name}`, async () => {
    const { response } = await answer(tokens, { headers });
    assertEquals([response.headers.get("x-a"), response.headers.get("x-b")], ["1", "2"]);
    await response.body?.cancel();
  });
}

Deno.test("each Set-Cookie goes out by itself", async () => {
  const { response } = await answer(tokens, { headers: [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]] });
  assertEquals(response.headers.getSetCookie(), ["a=1", "b=2"]);
  await response.body?.cancel();
});

Deno.test("a Cache-Control of the handler's own keeps no-transform", async () => {
  const { response } = await answer(tokens, { headers: { "Cache-Control": "private, no-store" } });
  assertEquals(response.headers.get("cache-control"), "private, no-store, no-transform");
  await response.body?.cancel();
});

Deno.test("HEAD has the status and the headers of GET", async () => {
  const options = { status: 203, type: "text/csv", headers: { "X-Model": "m" } };
  const [head, get] = [await answer(tokens, options, { method: "HEAD" }), await answer(tokens, options)];
  assertEquals([head.response.status, [...head.response.headers]], [203, [...get.response.headers]]);
  await Promise.all([head.response.body?.cancel(), get.response.body?.cancel()]);
});

Deno.test("a media type of one's own takes strings and bytes as they are", async () => {
  const { response } = await answer(async function* () {
    yield "a,b\n";
    yield new Uint8Array([0, 255, 10]);
    yield "c";
  }, { type: "text/csv; header=present" });
  assertEquals(response.headers.get("content-type"), "text/csv; header=present");
  assertEquals(
    new Uint8Array(await response.arrayBuffer()),
    new Uint8Array([97, 44, 98, 10, 0, 255, 10, 99]),
  );
});

Deno.test("a media type of one's own is not negotiated", async () => {
  const { response } = await answer(
    tokens,
    { type: "text/csv" },
    { headers: { accept: "image/png" } },
    "?format=sse",
  );
  assertEquals([response.headers.get("content-type"), await response.text()], ["text/csv", "tokens"]);
});

Deno.test("a media type of one's own may have a wording and a separator", async () => {
  const options: StreamOptions<number[]> = {
    type: "text/csv",
    line: ({ data }) => data.join(),
    separator: "\r\n",
  };
  const { response } = await answer(async function* () {
    yield [1, 2];
    yield [3];
  }, options as StreamOptions);
  assertEquals(await response.text(), "1,2\r\n3\r\n");
});

Deno.test({
  name: "a failure cuts a media type of one's own, after what came before it",
  ignore: !granted.server,
  async fn() {
    await using server = await serve({
      routes: [route("/", (_request, context) =>
        streamResponse(context, async function* () {
          yield "a,b\n";
          await turns();
          throw new Error("secret");
        }, { type: "text/csv" }))],
    });
    const reading = await open(server.origin);
    assertEquals(await reading.until("b\n"), "a,b\n");
    await assertRejects(() => reading.rest());
    assertMatch(server.reports(), /secret/);
  },
});

const refusals: [options: StreamOptions, rule: string][] = [
  ...[100, 204, 205, 206, 199, 300, 404, 200.5, NaN].map((status): [StreamOptions, string] => [
    { status },
    `'status' must be from 200 to 299, but for 204, 205 and 206: current value is ${status}`,
  ]),
  ...Object.entries({
    "Content-Length": "5",
    "Content-Encoding": "gzip",
    "Content-Range": "bytes 0-1/2",
    "Transfer-Encoding": "chunked",
    "Trailer": "X",
    "Connection": "close",
    "Keep-Alive": "timeout=5",
    "Upgrade": "h2c",
  }).map(([name, value]): [StreamOptions, string] => [
    { headers: { [name]: value } },
    `'headers' must not have ${name.toLowerCase()}: current value is "${value}"`,
  ]),
  [{ headers: { "Content-Type": "text/csv" } }, `the option 'type': current value is "text/csv"`],
  [
    { headers: { "Cache-Control": "max-age=9" } },
    `have no-store in cache-control: current value is "max-age=9"`,
  ],
  [{ headers: { "Cache-Control": "x-no-store" } }, "no-store in cache-control"],
  [{ type: "csv" }, `'type' must be a media type: current value is "csv"`],
  [{ type: "text/csv\r\nX: y" }, "'type' must be a media type"],
  [{ type: "text/csv", format: "sse" }, "both 'format' and 'type': current values are sse and text/csv"],
];
for (const [options, rule] of refusals) {
  Deno.test(`${JSON.stringify(options)} is a 500 before the source starts, reported with the rule`, async () => {
    let started = false;
    for (const method of ["GET", "HEAD"]) {
      const { response, reports } = await answer(
        () => {
          started = true;
          return tokens();
        },
        options,
        { method },
      );
      assertEquals([response.status, await response.json(), started], [500, {
        error: "internal server error",
      }, false]);
      assertStringIncludes(reports.join(), rule);
    }
  });
}
