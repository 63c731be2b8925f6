import { assertEquals, assertRejects } from "@std/assert";
import { Opens, OpensBusy } from "../../lib/opens.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { makeFifo, makeRoot } from "../support/files.ts";
import { granted } from "../support/granted.ts";
import { until } from "../support/server.ts";

const ignore = !granted.run;

/** A file, a FIFO that nobody writes to, and an `Opens` for them. */
async function setUp(...args: ConstructorParameters<typeof Opens>) {
  const made = await makeRoot({ "a.txt": "a" });
  const fifo = await makeFifo(`${made.root}/fifo`);
  return {
    ...made,
    file: `${made.root}/a.txt`,
    fifo: `${made.root}/fifo`,
    ...fifo,
    opens: new Opens(...args),
  };
}

/** Lets time go by until a permit is free: then the open that held it has ended. */
async function opensAgain({ opens, file }: { opens: Opens; file: string }, clock: FakeClock): Promise<void> {
  await until(async () => {
    const opening = opens.open(file).then((opened) => (opened.close(), true), () => false);
    await clock.advance(10_000);
    return await opening;
  });
}

Deno.test(
  { name: "Opens throws OpensBusy while an open that hangs holds the permit", ignore },
  async () => {
    await using at = await setUp(1, { waitMs: 5 });
    const hung = at.opens.open(at.fifo);
    await assertRejects(() => at.opens.open(at.file), OpensBusy);
    await at.free();
    using _fifo = await hung;
    using file = await at.opens.open(at.file);
    assertEquals(file.statSync().size, 1);
  },
);

Deno.test({ name: "Opens gives its permit back when a file cannot be opened", ignore }, async () => {
  await using at = await setUp(1, { waitMs: 5 });
  await assertRejects(() => at.opens.open(`${at.root}/absent`), Deno.errors.NotFound);
  using file = await at.opens.open(at.file);
  assertEquals(file.statSync().size, 1);
});

Deno.test({ name: "Opens lets one more open wait until a permit is free", ignore }, async () => {
  await using at = await setUp(1, { waitMs: 60_000 });
  const hung = at.opens.open(at.fifo);
  const waiting = at.opens.open(at.file);
  await at.free();
  using _fifo = await hung;
  using file = await waiting;
  assertEquals(file.statSync().size, 1);
});

Deno.test({ name: "Opens lets a burst wait for seconds", ignore }, async () => {
  const clock = new FakeClock();
  await using at = await setUp(1, { openMs: 60_000, clock });
  const hung = at.opens.open(at.fifo);
  const waiting = at.opens.open(at.file);
  await clock.advance(9_999);
  await at.free();
  using _fifo = await hung;
  using file = await waiting;
  assertEquals(file.statSync().size, 1);
});

Deno.test({ name: "Opens stops waiting for a permit on an abort", ignore }, async () => {
  await using at = await setUp(1, { waitMs: 60_000 });
  const hung = at.opens.open(at.fifo);
  const controller = new AbortController();
  const waiting = at.opens.open(at.file, controller.signal);
  controller.abort(new Error("gone"));
  await assertRejects(() => waiting, Error, "gone");
  await assertRejects(() => at.opens.open(at.file, controller.signal), Error, "gone");
  await at.free();
  using _fifo = await hung;
});

Deno.test(
  { name: "Opens stops waiting for a hung open on an abort, which keeps its permit", ignore },
  async () => {
    await using at = await setUp(1, { waitMs: 5 });
    const controller = new AbortController();
    const hung = at.opens.open(at.fifo, controller.signal);
    controller.abort(new Error("gone"));
    await assertRejects(() => hung, Error, "gone");
    await assertRejects(() => at.opens.open(at.file), OpensBusy);
    // The leak sanitizer sees whether the FIFO, which opens now, is closed.
    await at.free();
    await until(() => at.opens.open(at.file).then((file) => (file.close(), true), () => false));
  },
);

Deno.test(
  { name: "Opens leaves the process able to read files when FIFOs hold every permit", ignore },
  async () => {
    await using at = await setUp(8, { waitMs: 5 });
    const hung = Array.from({ length: 40 }, () => at.opens.open(at.fifo).catch((error) => error));
    const refused = await Promise.all(hung.slice(8));
    assertEquals(refused.every((error) => error instanceof OpensBusy), true);
    assertEquals(await Deno.readTextFile(at.file), "a");
    await at.free();
    for (const file of await Promise.all(hung.slice(0, 8))) file.close();
  },
);

Deno.test({ name: "Opens throws OpensBusy for an open that does not end", ignore }, async () => {
  const clock = new FakeClock();
  await using at = await setUp(1, { openMs: 5_000, clock });
  let error: unknown;
  const hung = at.opens.open(at.fifo).catch((thrown) => error = thrown);
  // Where nobody finds it to free it.
  await Deno.rename(at.fifo, `${at.fifo}.old`);
  await clock.advance(4_999);
  assertEquals(error, undefined);
  await clock.advance(1);
  assertEquals(error instanceof OpensBusy, true);
  (await Deno.open(`${at.fifo}.old`, { write: true })).close();
  await hung;
});

Deno.test({ name: "Opens frees the permits that FIFOs hold, also after an abort", ignore }, async () => {
  const clock = new FakeClock();
  await using at = await setUp(2, { openMs: 5_000, clock });
  const controller = new AbortController();
  const hung = Promise.allSettled([at.opens.open(at.fifo), at.opens.open(at.fifo, controller.signal)]);
  controller.abort();
  // The leak sanitizer sees whether the FIFOs, which open now, are closed.
  await opensAgain(at, clock);
  await hung;
});

Deno.test({ name: "Opens frees a FIFO that it did not find at first", ignore }, async () => {
  const clock = new FakeClock();
  await using at = await setUp(1, { openMs: 5_000, clock });
  const hung = assertRejects(() => at.opens.open(at.fifo), OpensBusy);
  await Deno.rename(at.fifo, `${at.fifo}.old`);
  await clock.advance(5_000);
  await hung;
  await Deno.rename(`${at.fifo}.old`, at.fifo);
  await opensAgain(at, clock);
});

Deno.test(
  { name: "Opens asks for a signal only when an open takes longer than 100 ms", ignore },
  async () => {
    const clock = new FakeClock();
    await using at = await setUp(1, { clock });
    const controller = new AbortController();
    let asked = 0;
    const signal = () => (asked++, controller.signal);
    (await at.opens.open(at.file, signal)).close();
    const hung = at.opens.open(at.fifo, signal);
    await clock.advance(99);
    assertEquals(asked, 0);
    await clock.advance(1);
    assertEquals(asked, 1);
    controller.abort(new Error("gone"));
    await assertRejects(() => hung, Error, "gone");
    await opensAgain(at, clock);
  },
);

Deno.test(
  { name: "Opens stops waiting for a hung open whose client left before it was slow", ignore },
  async () => {
    const clock = new FakeClock();
    await using at = await setUp(1, { clock });
    const gone = AbortSignal.abort(new Error("gone"));
    const refused = assertRejects(() => at.opens.open(at.fifo, () => gone), Error, "gone");
    await clock.advance(100);
    await refused;
    await opensAgain(at, clock);
  },
);

Deno.test(
  { name: "Opens stops waiting for a permit when a client has left that is asked for late", ignore },
  async () => {
    const clock = new FakeClock();
    await using at = await setUp(1, { clock });
    const hung = at.opens.open(at.fifo);
    const gone = AbortSignal.abort(new Error("gone"));
    const refused = assertRejects(() => at.opens.open(at.file, () => gone), Error, "gone");
    await clock.advance(100);
    await refused;
    await at.free();
    using _fifo = await hung;
  },
);
