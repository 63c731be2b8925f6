/**
 * Readers that leave and come back at random instants while one publisher posts as fast as it can: each gets every event
 * exactly once, or a gap that counts right.
 *
 *     deno run --allow-all tests/torture/channels_torture.ts [RECONNECTS]
 */
import { sleep } from "../../lib/stream/clock.ts";
import { serve } from "../support/server.ts";

const reconnects = Number(Deno.args[0] ?? 1_000);
const readers = 50;
const stays = new AbortController().signal;

await using server = await serve({ limits: { channelEvents: 60 } });
const url = `${server.origin}/channels/torture`;
let gaps = 0;
let times = 0;
/** How many events there are, once that is known. */
let events = Infinity;

/** Follows the channel from the event after its first to its last, over many connections. */
async function follow(first: string): Promise<void> {
  let last = 0;
  let id = first;
  for (;;) {
    let lost = 0;
    const response = await fetch(`${url}?format=ndjson&after=${id}`);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    const timer = setTimeout(() => reader.cancel(), events < Infinity ? 60_000 : Math.random() * 600);
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const { event, id: own, data } = JSON.parse(line);
        if (event === "gap") {
          gaps++;
          lost += data.lost;
          continue;
        }
        if (event === "ping") continue;
        if (data !== last + lost + 1) {
          throw new Error(`event ${data} came where ${last + lost + 1} was expected`);
        }
        [last, id, lost] = [data, own, 0];
      }
      if (last >= events - 1) break;
    }
    clearTimeout(timer);
    await reader.cancel();
    if (last >= events - 1) return;
    times++;
    // Half of them stay away for longer than the history reaches back.
    if (events === Infinity && Math.random() < 0.5) await sleep(Math.random() * 200, stays);
  }
}

/** Posts that many numbers, the next ones, in one request; the last one's id. */
async function publish(count: number): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/jsonl" },
    body: Array.from({ length: count }, () => published++).join("\n"),
  });
  if (response.status !== 201) throw new Error(`a post was answered ${response.status}`);
  return (await response.json()).id;
}

let published = 0;
const first = await publish(1);
const following = Promise.all(Array.from({ length: readers }, () => follow(first)));
while (times < reconnects) await publish(10);
events = published;
// Those who have everything already wait for one more.
await publish(1);
await following;
console.log(`${readers} readers, ${times} reconnects, ${events} events, ${gaps} gaps: none lost, none twice`);
