import { assert, assertEquals } from "@std/assert";
import { AccessLog } from "../../lib/access_log.ts";
import type { Answered } from "../../lib/http/server_side.ts";
import { granted } from "../support/granted.ts";
import { until } from "../support/server.ts";

function entry(path: string): Answered {
  return {
    time: Date.UTC(2030, 0),
    method: "GET",
    path,
    query: "",
    route: "/*",
    id: "id-1",
    client: "127.0.0.1",
    token: null,
    agent: null,
    status: 200,
    bytes: 1,
    ms: 1,
    end: "complete",
  };
}

function paths(file: string): string[] {
  return Deno.readTextFileSync(file).trimEnd().split("\n").map((line) => JSON.parse(line).path);
}

function test(name: string, run: (folder: string) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !granted.files,
    async fn() {
      const folder = await Deno.makeTempDir({ prefix: "weir-access-" });
      try {
        await run(folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

test("a line a request, in order, in a folder that it makes itself", async (folder) => {
  const path = `${folder}/logs/access.log`;
  const log = new AccessLog(path, { accessLogBytes: 1_000_000, accessLogsKept: 3 });
  for (let i = 0; i < 100; i++) log.record(entry(`/${i}\n"`));
  await log.close();
  assertEquals(paths(path), Array.from({ length: 100 }, (_, i) => `/${i}\n"`));
});

test("it is written without being closed", async (folder) => {
  const log = new AccessLog(`${folder}/access.log`, { accessLogBytes: 1_000_000, accessLogsKept: 3 });
  log.record(entry("/first"));
  await until(() => Deno.statSync(folder).isDirectory && exists(`${folder}/access.log`));
  await until(() => Deno.readTextFileSync(`${folder}/access.log`).includes("/first"));
  log.record(entry("/second"));
  await until(() => Deno.readTextFileSync(`${folder}/access.log`).includes("/second"));
  await log.close();
});

test("it is rotated at its size, and the configured number of files is retained", async (folder) => {
  const path = `${folder}/access.log`;
  const size = JSON.stringify({ ...entry("/0"), time: "2030-01-01T00:00:00.000Z" }).length + 1;
  const log = new AccessLog(path, { accessLogBytes: 2 * size, accessLogsKept: 2 });
  for (let i = 0; i < 9; i++) {
    log.record(entry(`/${i}`));
    await log.close();
  }
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
    "access.log",
    "access.log.1",
    "access.log.2",
  ]);
  assertEquals([paths(`${path}.2`), paths(`${path}.1`), paths(path)], [["/4", "/5"], ["/6", "/7"], ["/8"]]);
});

test("with none to retain, it starts over", async (folder) => {
  const path = `${folder}/access.log`;
  const log = new AccessLog(path, { accessLogBytes: 10, accessLogsKept: 0 });
  for (const name of ["/a", "/b"]) {
    log.record(entry(name));
    await log.close();
  }
  assertEquals(paths(path), ["/b"]);
});

test("a disk that fails costs lines, which are counted and reported once, and it is used again when it is back", async (folder) => {
  const reports: string[] = [];
  const path = `${folder}/logs/access.log`;
  Deno.writeTextFileSync(`${folder}/logs`, "in the way");
  const log = new AccessLog(
    path,
    { accessLogBytes: 1_000_000, accessLogsKept: 3 },
    (message) => void reports.push(message),
  );
  for (let i = 0; i < 3; i++) {
    log.record(entry("/lost"));
    await log.close();
  }
  assertEquals(log.lost, 3);
  assertEquals(reports.length, 1);
  assert(reports[0].startsWith("the access log cannot be written: "));
  Deno.removeSync(`${folder}/logs`);
  log.record(entry("/back"));
  await until(() => exists(path) && paths(path).length > 0);
  assertEquals(paths(path), ["/back"]);
  await log.close();
  assertEquals(log.lost, 3);
});

test("the number of entries that wait for the disk is bounded", async (folder) => {
  const log = new AccessLog(`${folder}/access.log`, { accessLogBytes: 100_000_000, accessLogsKept: 3 });
  for (let i = 0; i < 30_000; i++) log.record(entry("/"));
  assertEquals(log.lost, 10_000);
  await log.close();
  assertEquals(paths(`${folder}/access.log`).length, 20_000);
});

test("a file that another program has renamed gets no more lines", async (folder) => {
  const path = `${folder}/access.log`;
  const log = new AccessLog(path, { accessLogBytes: 1_000_000, accessLogsKept: 3 });
  log.record(entry("/old"));
  await until(() => exists(path) && paths(path).length > 0);
  Deno.renameSync(path, `${path}.moved`);
  await until(() => {
    log.record(entry("/new"));
    return exists(path);
  });
  await log.close();
  assertEquals(new Set(paths(path)), new Set(["/new"]));
});

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).size > 0;
  } catch {
    return false;
  }
}
