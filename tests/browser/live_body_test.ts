import { assertEquals } from "@std/assert";
import { valueOf } from "../../lib/channels/value.ts";
import { browserTest } from "../support/browser.ts";
import { serve, until } from "../support/server.ts";

browserTest("a text stream shows its first line while the response is open", async (page) => {
  await using server = await serve();
  await page.goto(`${server.origin}/stream?interval=60000&request=false`, { waitUntil: "commit" });
  await page.getByText("step 1: 1 x 2 = 2").waitFor();
  assertEquals(await page.evaluate("document.readyState"), "loading");
});

browserTest("fetch() reads each record of an NDJSON stream while the response is open", async (page) => {
  await using server = await serve();
  await page.goto(`${server.origin}/healthz`);
  const reading = await page.evaluateHandle(async () => {
    const { body } = await fetch("/channels/demo?format=ndjson");
    const reading = { text: "" };
    (async () => {
      const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
      for (let read; !(read = await reader.read()).done;) reading.text += read.value;
    })();
    return reading;
  });
  const records = async () => (await reading.evaluate(({ text }) => text)).split("\n").slice(0, -1);
  for (const count of [1, 2, 3]) {
    server.store.publish("demo", [valueOf(count)]);
    await until(async () => (await records()).length === count);
  }
  assertEquals((await records()).map((record) => JSON.parse(record).data), [1, 2, 3]);
});
