/**
 * A thousand wrong tokens a second: what they do to the requests of others, and to the events of a channel. Each of them is 401,
 * and everything else is answered as without them; the times of both are told.
 *
 *     deno run --allow-all tests/torture/wrong_tokens_torture.ts [SECONDS] [A SECOND]
 */
import { start } from "../support/process.ts";
import { bearer, token, tokenLines } from "../support/tokens.ts";
import { open } from "../support/wire.ts";

const seconds = Number(Deno.args[0] ?? 10);
const rate = Number(Deno.args[1] ?? 1_000);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const cwd = await Deno.makeTempDir({ prefix: "weir-wrong-" });
await Deno.writeTextFile(`${cwd}/.tokens`, tokenLines.join("\n") + "\n", { mode: 0o600 });
await Deno.mkdir(`${cwd}/files`);
await using server = await start(["--token-file", ".tokens", "--files", "files"], { cwd });

/** In a thread of its own: asks with a new wrong token each time, 20 ms' worth at once; posts the count of each status. */
const flooding = `onmessage = async ({ data: { url, rate, seconds } }) => {
  const counts = {};
  const end = performance.now() + seconds * 1_000;
  const asking = [];
  for (let due = performance.now(); due < end; due += 20) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    for (let n = 0; n < rate / 50; n++) {
      const headers = { authorization: "Bearer " + crypto.randomUUID().replaceAll("-", "") };
      asking.push(fetch(url, { headers }).then(async (response) => {
        await response.body?.cancel();
        counts[response.status] = (counts[response.status] ?? 0) + 1;
      }));
    }
  }
  await Promise.all(asking);
  postMessage(counts);
}`;
const flooder = new Worker(`data:text/javascript,${encodeURIComponent(flooding)}`, { type: "module" });

const events = await open(`${server.origin}/channels/demo?format=ndjson`, bearer(token.admin));
let published = 0;

/** Publishes, and waits for the event: the ms until each answer, and until each event. */
async function measure(): Promise<{ answers: number[]; events: number[] }> {
  const times = { answers: [] as number[], events: [] as number[] };
  for (const end = performance.now() + seconds * 1_000; performance.now() < end;) {
    const began = performance.now();
    const came = events.until(`event ${++published}.`).then(() =>
      times.events.push(performance.now() - began)
    );
    const response = await fetch(`${server.origin}/channels/demo`, {
      method: "POST",
      headers: bearer(token.admin),
      body: `event ${published}.`,
    });
    await response.body?.cancel();
    if (response.status !== 201) throw new Error(`a good token was answered ${response.status}`);
    times.answers.push(performance.now() - began);
    await came;
    await pause(5);
  }
  return times;
}

const shown = (times: number[]) => {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.floor(sorted.length * part)].toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms of ${sorted.length}`;
};

await measure();
const quiet = await measure();
const flooded = new Promise<Record<string, number>>((resolve) =>
  flooder.onmessage = ({ data }) => resolve(data)
);
flooder.postMessage({ url: `${server.origin}/sensors`, rate, seconds });
const busy = await measure();
const counts = await flooded;
flooder.terminate();
events.leave();
for (const [what, { answers, events }] of Object.entries({ without: quiet, with: busy })) {
  console.log(`${what} them: answers ${shown(answers)}; events ${shown(events)}`);
}
console.log(`wrong tokens by status: ${JSON.stringify(counts)} in ${seconds} s`);
await server[Symbol.asyncDispose]();
await Deno.remove(cwd, { recursive: true });
Deno.exit(Object.keys(counts).join() === "401" ? 0 : 1);
