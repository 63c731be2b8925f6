import { assertEquals } from "@std/assert";
import { valueOf } from "../../../lib/channels/value.ts";
import { RunChannel } from "../../../lib/runs/run_channel.ts";
import { StreamEnd } from "../../../lib/stream/errors.ts";
import { turns } from "../../support/turns.ts";

/** A run with one event, and whether a wait for its second has ended. */
function setUp() {
  const of = { route: "/", params: {} };
  const run = new RunChannel("a", of, { runEvents: 9, runBytes: 999 }, { epoch: "1", started: "" });
  run.add(valueOf(1), 1);
  const { signal } = new AbortController();
  const wait = { ended: false };
  const reach = (cursor: string) => void run.reach(cursor, signal).then(() => wait.ended = true);
  return { run, wait, reach, second: run.history.id(2) };
}

Deno.test("a cursor of an event that is yet to come is waited for", async () => {
  const { run, wait, reach, second } = setUp();
  reach(second);
  await turns();
  assertEquals(wait.ended, false);
  run.add(valueOf(2), 1);
  await turns();
  assertEquals(wait.ended, true);
});

Deno.test("a cursor of an event that never came is waited for until the run ends", async () => {
  const { run, wait, reach, second } = setUp();
  reach(second);
  await turns();
  assertEquals(wait.ended, false);
  run.conclude("lost", new StreamEnd("lost"));
  await turns();
  assertEquals(wait.ended, true);
});

Deno.test("a cursor of another run is not waited for", async () => {
  const { wait, reach, second } = setUp();
  reach(second.replace("-1-", "-2-"));
  await turns();
  assertEquals(wait.ended, true);
});
