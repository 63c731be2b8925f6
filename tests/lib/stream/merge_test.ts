import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { turns } from "../../support/turns.ts";
import { sleep } from "../../../lib/stream/clock.ts";
import { merge } from "../../../lib/stream/merge.ts";

async function* count(name: string, to: number, log?: string[]): AsyncGenerator<string> {
  try {
    for (let n = 1; n <= to; n++) yield `${name}${n}`;
  } finally {
    log?.push(name);
  }
}

/** Yields once, then waits for its signal. */
async function* waits(name: string, signal: AbortSignal, log: string[]): AsyncGenerator<string> {
  try {
    yield name;
    await sleep(1_000_000, signal);
  } finally {
    await null;
    log.push(`${name} is clean`);
  }
}

async function* fails(error: unknown, first?: string): AsyncGenerator<string> {
  if (first !== undefined) yield first;
  await null;
  throw error;
}

Deno.test("merge() yields every value of every source, each source in its order, and ends with the last", async () => {
  const values = await Array.fromAsync(merge([count("a", 3), count("b", 1), count("c", 5)])) as string[];
  assertEquals(values.length, 9);
  for (const [name, to] of [["a", 3], ["b", 1], ["c", 5]] as const) {
    assertEquals(values.filter((value) => value.startsWith(name)), await Array.fromAsync(count(name, to)));
  }
});

Deno.test("merge() of nothing ends at once", async () => {
  assertEquals(await Array.fromAsync(merge([])), []);
});

Deno.test("merge() takes turns: a source that is always ready does not starve another", async () => {
  const values = await Array.fromAsync(merge([count("a", 1_000), count("b", 3)])) as string[];
  assert(values.indexOf("b3") < 20, `b3 came as number ${values.indexOf("b3")}`);
});

Deno.test("merge() has at most one value of each source in flight, and asks only as it is read", async () => {
  const asked = [0, 0];
  const source = async function* (n: number) {
    for (;;) yield asked[n]++;
  };
  const merged = merge([source(0), source(1)]);
  assertEquals(asked, [0, 0]);
  for (let n = 0; n < 10; n++) await merged.next();
  await turns();
  assert(asked.every((n) => n <= 6), `asked for ${asked} to read 10`);
  await merged.return!();
});

Deno.test("merge() answers several next() at once in their order, and each after the end", async () => {
  const merged = merge([count("a", 2)]);
  const results = await Promise.all([merged.next(), merged.next(), merged.next(), merged.next()]);
  assertEquals(results.map(({ value, done }) => done ? "done" : value), ["a1", "a2", "done", "done"]);
});

Deno.test("merge() cancels the others when one source throws, waits for their cleanup, then throws", async () => {
  const log: string[] = [];
  const error = new RangeError("broken");
  const merged = merge((signal) => [waits("a", signal, log), fails(error, "b"), waits("c", signal, log)]);
  const values: unknown[] = [];
  const thrown = await assertRejects(async () => {
    for await (const value of merged) values.push(value);
  }, RangeError);
  assertStrictEquals(thrown, error);
  assertEquals(values.toSorted(), ["a", "b", "c"]);
  assertEquals(log.toSorted(), ["a is clean", "c is clean"]);
  assertEquals((await merged.next()).done, true);
});

Deno.test("merge() throws the reason of an abort that ends several of its sources as it is", async () => {
  const controller = new AbortController();
  const merged = merge([waits("a", controller.signal, []), waits("b", controller.signal, [])]);
  const all = Array.fromAsync(merged);
  controller.abort(new RangeError("enough"));
  assertStrictEquals(await assertRejects(() => all), controller.signal.reason);
});

Deno.test("merge() keeps the failures that come after the first", async () => {
  const late = async function* (signal: AbortSignal): AsyncGenerator<string> {
    try {
      yield "late";
      await sleep(1_000_000, signal);
    } finally {
      // deno-lint-ignore no-unsafe-finally -- a cleanup that fails is what is tested
      throw new TypeError("cleanup");
    }
  };
  const merged = merge((signal) => [late(signal), fails(new RangeError("first"), "x")]);
  const error = await assertRejects(() => Array.fromAsync(merged), AggregateError);
  assertEquals((error.cause as Error).message, "first");
  assertEquals(error.errors.map((error: Error) => error.message), ["first", "cleanup"]);
});

Deno.test("merge() with isolate tells of a failed source and goes on with the rest", async () => {
  const values = await Array.fromAsync(
    merge([count("a", 2), fails(new Error("secret")), count("c", 2)], { onError: "isolate" }),
  );
  assertEquals(values.filter((value) => typeof value === "string").toSorted(), ["a1", "a2", "c1", "c2"]);
  assertEquals(values.filter((value) => typeof value !== "string"), [
    { event: "error", data: { source: 1, reason: "failed" } },
  ]);
});

Deno.test("merge() that is left early returns every source, also those that wait", async () => {
  const log: string[] = [];
  const names = [..."abcdefghij"];
  for await (const _ of merge((signal) => names.map((name) => waits(name, signal, log)))) break;
  assertEquals(log.toSorted(), names.map((name) => `${name} is clean`));
});

Deno.test("merge() of plain sources that is left early runs their finally", async () => {
  const log: string[] = [];
  for await (const _ of merge([count("a", 9, log), count("b", 9, log)])) break;
  assertEquals(log.toSorted(), ["a", "b"]);
});

Deno.test("merge() that is never read starts no source", async () => {
  let started = false;
  const merged = merge(() => {
    started = true;
    return [count("a", 1)];
  });
  await merged.return!();
  assertEquals([started, (await merged.next()).done], [false, true]);
});

Deno.test("merge() wakes what waits for a value when it is returned", async () => {
  const log: string[] = [];
  const merged = merge((signal) => [waits("a", signal, log)]);
  await merged.next();
  const waiting = merged.next();
  await merged.return!();
  assertEquals([(await waiting).done, log], [true, ["a is clean"]]);
});

Deno.test("an abort from outside ends the sources, and the merge with their reason", async () => {
  const log: string[] = [];
  const controller = new AbortController();
  const merged = merge((signal) => [waits("a", signal, log), waits("b", signal, log)], {
    signal: controller.signal,
  });
  await merged.next();
  await merged.next();
  const waiting = merged.next();
  controller.abort(new RangeError("gone"));
  await assertRejects(() => waiting, RangeError, "gone");
  assertEquals(log.toSorted(), ["a is clean", "b is clean"]);
});

Deno.test("a source that throws when it is started fails the merge, which returns the ones before it", async () => {
  const log: string[] = [];
  const broken = {
    [Symbol.asyncIterator]() {
      throw new RangeError("no iterator");
    },
  } as AsyncIterable<string>;
  await assertRejects(() => Array.fromAsync(merge([count("a", 9, log), broken])), RangeError, "no iterator");
});
