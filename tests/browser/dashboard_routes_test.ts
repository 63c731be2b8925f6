import { assertEquals, assertStringIncludes } from "@std/assert";
import { valueOf } from "../../lib/channels/value.ts";
import { type Context, described } from "../../lib/handler.ts";
import { required, segment } from "../../lib/http/params.ts";
import { upgrade } from "../../lib/sockets/mod.ts";
import { weirRoutes } from "../../handlers/routes.ts";
import { browserTest, signIn } from "../support/browser.ts";
import type { Locator, Page } from "../support/playwright.ts";
import { serve, type TestServer, until } from "../support/server.ts";
import { guardOf, token } from "../support/tokens.ts";
import { route } from "../support/wire.ts";

/** The row of a route, open. */
async function open(page: Page, { origin }: TestServer, route: string): Promise<Locator> {
  await page.goto(`${origin}/#routes/${route}`);
  const path = route.slice(route.indexOf("/"));
  const row = page.locator(`details[open]:has(> summary > code:text-is("${path}"))`);
  await row.waitFor();
  return row;
}

const tryIt = (row: Locator) => row.getByRole("button", { name: "Try it" }).click();
const commandOf = (row: Locator) => row.locator(".command").textContent();

async function shell(line: string, env = {}): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", line], env }).output();
  return new TextDecoder().decode(stdout);
}

browserTest("a stream that is tried shows its first line while it runs, and can be stopped", async (page) => {
  await using server = await serve();
  const row = await open(page, server, "GET/stream");
  await row.getByLabel("interval").fill("60000");
  await row.getByLabel("request").selectOption("false");
  await tryIt(row);
  await row.getByText("step 1: 1 x 2 = 2").waitFor();
  await row.getByText("200 OK").waitFor();
  await row.getByRole("button", { name: "Stop" }).click();
  await row.getByText("stopped").waitFor();
  await until(() => server.app.limits.streams.used === 1); // The dashboard's own.
});

browserTest("no more than 64 KiB of an answer are read", async (page) => {
  await using server = await serve();
  const row = await open(page, server, "GET/stream");
  for (const [name, value] of [["count", "1000000"], ["interval", "0"]]) {
    await row.getByLabel(name).fill(value);
  }
  await row.getByLabel("request").selectOption("false");
  await tryIt(row);
  await row.getByText("stopped at 64 KiB").waitFor();
  assertEquals((await row.locator("pre").textContent()).length, 65_536);
  await until(() => server.app.limits.streams.used === 1);
});

browserTest("a parameter out of bounds is refused in the server's words", async (page) => {
  await using server = await serve();
  const row = await open(page, server, "GET/stream");
  await row.getByLabel("count").fill("0");
  await tryIt(row);
  await row.getByText("400 Bad Request").waitFor();
  await row.getByText("count must be a whole number from 1 to 1000000: current value is").waitFor();
});

browserTest("a DELETE is sent once it is confirmed", async (page) => {
  await using server = await serve();
  await (await fetch(`${server.origin}/stream?run=demo&interval=0&request=false`)).text();
  const row = await open(page, server, "DELETE/runs/:name");
  await tryIt(row);
  await page.getByText("DELETE /runs/demo?").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  assertEquals((await server.app.runs.list()).length, 1);
  await tryIt(row);
  await page.getByRole("button", { name: "Delete" }).click();
  await row.getByText("200 OK").waitFor();
  assertEquals(await server.app.runs.list(), []);
});

browserTest("the curl line posts what the form does, apostrophes and all", async (page) => {
  await using server = await serve();
  const row = await open(page, server, "POST/channels/:name");
  await row.getByLabel("name").fill("it.s");
  await row.getByLabel("Content-Type").selectOption("text/plain");
  await row.getByLabel("Body", { exact: true }).fill(`@it's "$HOME" \\ \`id\` 100%`);
  const line = await commandOf(row);
  assertEquals(JSON.parse(await shell(line)).count, 1);
  await tryIt(row);
  await row.getByText("201 Created").waitFor();
  const { body } = await fetch(`${server.origin}/channels/it.s?after=0&format=text`);
  const lines: string[] = [];
  for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
    lines.push(...chunk.trimEnd().split("\n"));
    if (lines.length >= 2) break;
  }
  assertEquals(lines, Array(2).fill(`@it's "$HOME" \\ \`id\` 100%`));
});

browserTest(
  "the curl line has each value of a parameter that is given often, and the path's",
  async (page) => {
    await using server = await serve();
    server.store.publish("a", [valueOf(1)]);
    const row = await open(page, server, "GET/events");
    await row.getByLabel("channel").nth(0).fill("a");
    await row.locator(".field").nth(0).getByRole("button", { name: "Add another" }).click();
    await page.keyboard.type("b & c");
    assertStringIncludes(await commandOf(row), "/events?channel=a&channel=b+%26+c&");
    const file = await open(page, server, "GET/files/*");
    await file.getByLabel("path").fill("a folder/100%.txt");
    assertStringIncludes(await commandOf(file), "/files/a%20folder/100%25.txt'");
  },
);

browserTest("with tokens the curl line has the token of its shell, and works", async (page) => {
  await using server = await serve({ guard: guardOf() });
  await signIn(page, server.origin, token.reader);
  const row = await open(page, server, "GET/async_route");
  const line = await commandOf(row);
  assertEquals(await shell(line, { WEIR_TOKEN: token.reader }), '{"message":"This is an async route"}\n');
});

browserTest("what the token does not allow says which right it needs, and is not offered", async (page) => {
  await using server = await serve({ guard: guardOf() });
  await signIn(page, server.origin, token.reader);
  const row = await open(page, server, "POST/channels/:name");
  await row.getByText("needs the right publish").waitFor();
  assertEquals(await row.getByRole("button").count(), 0);
});

browserTest("the route of the WebSocket leads to its tab", async (page) => {
  await using server = await serve();
  const row = await open(page, server, "GET/ws");
  await row.getByText("Try it in the WebSocket tab").click();
  await page.getByRole("button", { name: "Connect" }).waitFor();
});

browserTest("a row without an example has that of a parameter, and none for its path", async (page) => {
  const params = { name: segment("who"), prompt: required({ example: "a cup of tea" }, "what is asked") };
  const handler = described({ params }, (_request, { params }) => Response.json(params));
  await using server = await serve({ routes: [...weirRoutes, route("/ask/:name", handler)] });
  const row = await open(page, server, "GET/ask/:name");
  assertEquals(await row.getByLabel("name").inputValue(), "");
  assertEquals(await row.getByLabel("prompt").inputValue(), "a cup of tea");
  await row.getByLabel("name").fill("ann");
  assertEquals(JSON.parse(await shell(await commandOf(row))), { name: "ann", prompt: "a cup of tea" });
});

const echo = (request: Request, context: Context<unknown>) =>
  upgrade(request, context, async (socket) => {
    for await (const message of socket) await socket.send(`you said ${message}`);
  });
const socketRoutes = [
  ...weirRoutes,
  route(
    "/told/:name",
    described(
      { answers: { 101: { description: "a WebSocket" } } },
      (request, context) => echo(request, context),
    ),
  ),
  route("/untold", echo),
];

for (const isTold of [true, false]) {
  const of = isTold ? "is described" : "is not described, once it is tried,";
  browserTest(`the row of a WebSocket of one's own that ${of} leads to its tab`, async (page) => {
    await using server = await serve({ routes: socketRoutes });
    const row = await open(page, server, isTold ? "GET/told/:name" : "GET/untold");
    assertEquals(await row.getByRole("button", { name: "Try it" }).count(), isTold ? 0 : 1);
    if (isTold) await row.getByLabel("name").fill("ann");
    else await tryIt(row);
    await row.getByText("Try it in the WebSocket tab").click();
    await page.getByRole("button", { name: "Connect" }).click();
    await page.getByText(/^open$/).waitFor();
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("you said hello").waitFor();
  });
}
