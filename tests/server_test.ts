import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import denoJson from "../deno.json" with { type: "json" };
import { granted } from "./support/granted.ts";
import { outcome, type ServerProcess, start, startTask } from "./support/process.ts";
import { until } from "./support/server.ts";
import { connect } from "./support/socket_client.ts";
import { open, send } from "./support/wire.ts";

const ignore = !granted.run;

// Of a bare `deno test` this is the last file, and what it prints while it unloads comes before the summary.
if (ignore) addEventListener("unload", () => console.log("`deno task test` also runs what is ignored here"));

async function folder(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "weir-process-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** A client that asks for a file and reads none of it: a drain lets a download finish, until its deadline. */
async function stall(cwd: string, args: string[]): Promise<AsyncDisposable & { server: ServerProcess }> {
  using big = await Deno.create(`${cwd}/big`);
  await big.truncate(1_073_741_824);
  const server = await start(["--files", cwd, ...args], { cwd });
  const conn = await send(server.port, "GET /files/big HTTP/1.1\nHost: localhost\n\n");
  await until(async () => (await (await fetch(`${server.origin}/healthz`)).json()).downloads === 1);
  return {
    server,
    async [Symbol.asyncDispose]() {
      conn.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Waits until it has exited, but not for ever. */
async function exited(server: ServerProcess, code: number): Promise<void> {
  let status: Deno.CommandStatus | undefined;
  server.status.then((ended) => status = ended);
  await until(() => status !== undefined);
  assertEquals(status?.code, code);
}

Deno.test({
  name: "the first line says where it listens, and there it serves",
  ignore,
  async fn() {
    await using cwd = await folder();
    await using server = await start([], { cwd: cwd.path });
    assertMatch(server.stdout(), /^Listening on http:\/\/127\.0\.0\.1:\d+\/\n$/);
    assertEquals((await (await fetch(`${server.origin}/healthz`)).json()).status, "ok");
    const answer = await fetch(`${server.origin}/stream?count=1`);
    assertMatch(await answer.text(), /^step 1: 1 x 2 = 2, upstream answered 200 after /);
    server.kill("SIGTERM");
    assertEquals((await server.status).code, 0);
    assertEquals(server.stderr(), "");
    const log = (await Deno.readTextFile(`${cwd.path}/logs/access.log`)).trimEnd().split("\n");
    assertEquals(log.map((line) => JSON.parse(line).path).toSorted(), [
      "/async_route",
      "/healthz",
      "/stream",
    ]);
  },
});

Deno.test({
  name: "--help and --version answer and end",
  ignore,
  async fn() {
    await using cwd = await folder();
    const help = await outcome(["--help"], { cwd: cwd.path });
    assertEquals([help.code, help.stderr], [0, ""]);
    assertMatch(help.stdout, /--port PORT/);
    assertEquals(await outcome(["--version"], { cwd: cwd.path }), {
      code: 0,
      stdout: `weir ${denoJson.version}\n`,
      stderr: "",
    });
  },
});

const refused: [args: string[], env: Record<string, string>, code: number, line: RegExp][] = [
  [["--colour"], {}, 2, /^--colour must be a known flag/],
  [["extra"], {}, 2, /^extra must be a known flag/],
  [["--port", "http"], {}, 2, /^--port must be a whole number from 0 to 65535: current value is "http"/],
  [["--port", "0"], { WEIR_DRAIN: "soon" }, 2, /^WEIR_DRAIN must be a whole number.*"soon"/],
  [["--port", "0", "--upstream", "x"], {}, 2, /^--upstream must be an http or https URL.*"x"/],
  [["--port", "0", "--files", "nowhere"], {}, 2, /^--files must .*nowhere"/],
  [["--port", "0"], { WEIR_FILES: "nowhere" }, 2, /^WEIR_FILES must be an existing folder.*nowhere"/],
  [["--port", "0"], { WEIR_SENSORS: "nowhere" }, 2, /^WEIR_SENSORS must be a file that can be read/],
  [["--port", "0", "--files", "file"], {}, 2, /^--files must .*file"/],
  [
    ["--port", "0", "--host", "256.1.1.1"],
    {},
    2,
    /^--host must be a host name or an address.*"256\.1\.1\.1"/,
  ],
  [
    ["--port", "0", "--host", "0.0.0.0"],
    {},
    2,
    /^--host must be .*--token-file FILE, or --anonymous.*"0\.0\.0\.0"/,
  ],
  [["--port", "0", "--token-file", "nowhere"], {}, 2, /^--token-file must be a file that can be read/],
  [["--port", "0"], { WEIR_TOKEN: "short" }, 2, /^WEIR_TOKEN must be 32 to 256 letters, digits, - and _\n$/],
  [["--port", "0", "--sensors", "nowhere.json"], {}, 2, /^--sensors must be a file that can be read/],
  [["--port", "0", "--host", "192.0.2.1", "--anonymous"], {}, 1, /^cannot listen on 192\.0\.2\.1 port 0: /],
  [["--port", "TAKEN"], {}, 1, /^cannot listen on 127\.0\.0\.1 port \d+: /],
  [[], { WEIR_PORT: "TAKEN" }, 1, /^cannot listen on 127\.0\.0\.1 port \d+: /],
];

for (const [args, env, code, line] of refused) {
  Deno.test({
    name: `'${args.join(" ")}' with ${JSON.stringify(env)} is refused in one line and with ${code}`,
    ignore,
    async fn() {
      await using cwd = await folder();
      await Deno.writeTextFile(`${cwd.path}/file`, "");
      using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const port = String(taken.addr.port);
      const result = await outcome(args.map((arg) => arg.replace("TAKEN", port)), {
        cwd: cwd.path,
        env: Object.fromEntries(
          Object.entries(env).map(([name, value]) => [name, value.replace("TAKEN", port)]),
        ),
      });
      assertMatch(result.stderr, line);
      assertEquals(result.stderr.trimEnd().split("\n").length, 1, result.stderr);
      assertEquals([result.code, result.stdout], [code, ""]);
    },
  });
}

Deno.test({
  name: "a folder without the permission to read it is refused as that",
  ignore,
  async fn() {
    await using cwd = await folder();
    const path = `${cwd.path}/denied`;
    await Deno.mkdir(path);
    const result = await outcome(["--files", path], { cwd: cwd.path, run: [`--deny-read=${path}`] });
    const rule = "--files must be a folder that --allow-read of deno run covers";
    assertEquals([result.code, result.stderr], [2, `${rule}: current value is ${JSON.stringify(path)}\n`]);
  },
});

for (const path of ["denied", "denied/app.log"]) {
  Deno.test({
    name: `--logs ${path} without the permission to read it is reported, and its logs are 403`,
    ignore,
    async fn() {
      await using cwd = await folder();
      await Deno.mkdir(`${cwd.path}/denied`);
      await Deno.writeTextFile(`${cwd.path}/denied/app.log`, "a\n");
      const run = [`--deny-read=${cwd.path}/denied`];
      await using server = await start(["--logs", `${cwd.path}/${path}`], { cwd: cwd.path, run });
      await until(() => server.stderr().includes("is not covered by --allow-read of deno run"));
      const response = await fetch(`${server.origin}/logs/app.log`);
      assertEquals([response.status, await response.json()], [403, {
        error: "the log app.log may not be read",
      }]);
    },
  });
}

Deno.test({
  name: "a relative path is taken from where the user typed the command",
  ignore,
  async fn() {
    await using cwd = await folder();
    await using typed = await folder();
    await Deno.mkdir(`${typed.path}/data`);
    await Deno.writeTextFile(`${typed.path}/data/hello.txt`, "hello");
    await using server = await start(["--files", "data"], { cwd: cwd.path, env: { INIT_CWD: typed.path } });
    assertEquals(await (await fetch(`${server.origin}/files/hello.txt`)).text(), "hello");
  },
});

for (const name of ["SIGTERM", "SIGINT"] as const) {
  Deno.test({
    name: `${name} ends every stream truthfully, every socket with 1001, and the process with 0`,
    ignore,
    async fn() {
      await using cwd = await folder();
      await using server = await start(["--drain", "30"], { cwd: cwd.path });
      const path = "/concurrent_stream?task=a:1000:60000";
      const [text, ndjson, sse, channel, log, sensors, socket, another] = await Promise.all([
        open(`${server.origin}${path}`),
        open(`${server.origin}${path}&format=ndjson`),
        open(`${server.origin}${path}&format=sse`),
        open(`${server.origin}/channels/demo`),
        open(`${server.origin}/logs/access.log?format=ndjson`),
        open(`${server.origin}/sensors/stream`),
        connect(`${server.origin}/ws`),
        connect(`${server.origin}/ws`),
      ]);
      await Promise.all([text, ndjson, sse].map((reading) => reading.until("a")));
      const reset = assertRejects(() => text.rest());
      server.kill(name);
      await reset;
      assertMatch(await ndjson.rest(), /\}\n\{"event":"end","data":\{"reason":"shutdown"\}\}\n$/);
      const end = /event: end\nretry: \d{4}\ndata: \{"reason":"shutdown"\}\n\n$/;
      for (const reading of [sse, channel, sensors]) assertMatch(await reading.rest(), end);
      assertMatch(await log.rest(), /\{"event":"end","data":\{"reason":"shutdown"\}\}\n$/);
      for (const { closed } of [socket, another]) assertEquals((await closed).code, 1001);
      assertEquals((await server.status).code, 0);
      assertEquals(server.stderr().includes("drained for"), false, "it waited for --drain");
      assertEquals(
        /cut\n|Error/.test(server.stderr().replaceAll(/.*a response was cut.*\n/g, "")),
        false,
        server.stderr(),
      );
    },
  });
}

Deno.test({
  name: "a terminal's Ctrl-C, which comes twice, is one signal",
  ignore,
  async fn() {
    await using cwd = await folder();
    await using server = await start([], { cwd: cwd.path });
    const reading = await open(`${server.origin}/concurrent_stream?task=a:9:60000&format=ndjson`);
    await reading.until("a");
    server.kill("SIGINT");
    server.kill("SIGINT");
    assertMatch(await reading.rest(), /"shutdown"\}\}\n$/);
    assertEquals((await server.status).code, 0);
  },
});

Deno.test({
  name: "while it drains it refuses new requests, and cuts a stalled reader at the end of --drain",
  ignore,
  async fn() {
    await using cwd = await folder();
    await using stalled = await stall(cwd.path, ["--drain", "2"]);
    const { server } = stalled;
    using idle = await send(server.port, "GET /healthz HTTP/1.1\nHost: localhost\n\n");
    await idle.read(new Uint8Array(4_096));
    server.kill("SIGTERM");
    // Refused, or taken and answered 503, is both right.
    await until(async () => {
      const answer = await fetch(`${server.origin}/healthz`).catch(() => null);
      await answer?.body?.cancel();
      return answer === null || answer.status === 503;
    });
    assertEquals(server.stderr(), "");
    const buffer = new Uint8Array(4_096);
    await idle.write(new TextEncoder().encode("GET /async_route HTTP/1.1\r\nHost: localhost\r\n\r\n")).catch(
      () => {},
    );
    const count = await idle.read(buffer).catch(() => null);
    const answer = new TextDecoder().decode(buffer.subarray(0, count ?? 0));
    assert(answer === "" || answer.startsWith("HTTP/1.1 503 "), answer);
    assertEquals((await server.status).code, 0);
    assertMatch(server.stderr(), /^\S+Z warning - drained for 2 s: 1 connections? (was|were) cut$/m);
    // What it cuts at the end has its line in the access log.
    assertMatch(
      await Deno.readTextFile(`${cwd.path}/logs/access.log`),
      /"bytes":[1-9]\d*,"ms":\d+,"end":"cut"/,
    );
  },
});

Deno.test({
  name: "a body that never arrives whole is refused, and cut at the end of --drain",
  ignore,
  async fn() {
    await using cwd = await folder();
    await using server = await start(["--drain", "1"], { cwd: cwd.path });
    const head = "POST /channels/demo HTTP/1.1\nHost: localhost\nContent-Length: 9\n\n";
    using conn = await send(server.port, `${head}[`);
    await (await fetch(`${server.origin}/healthz`)).text();
    server.kill("SIGTERM");
    assertMatch(await new Response(conn.readable).text().catch(String), /^HTTP\/1\.1 503 /);
    assertEquals((await server.status).code, 0);
    assertMatch(
      server.stderr(),
      /^\S+Z warning - drained for 1 s: only connections that had their answers were cut\n$/,
    );
  },
});

Deno.test({
  name: "a request under way is answered while it drains",
  ignore,
  async fn() {
    await using cwd = await folder();
    await using server = await start([], { cwd: cwd.path });
    using conn = await send(server.port, "GET /async_route HTTP/1.1\nHost: localhost\n\n");
    // Its 100 ms have begun once the server has taken what came after it.
    await (await fetch(`${server.origin}/healthz`)).text();
    server.kill("SIGTERM");
    assertMatch(await new Response(conn.readable).text(), /^HTTP\/1\.1 200 OK\r\n[^]*async route/);
    assertEquals((await server.status).code, 0);
  },
});

Deno.test({
  name: "a second signal, more than a second after the first, exits at once",
  ignore,
  async fn() {
    await using cwd = await folder();
    await using stalled = await stall(cwd.path, ["--drain", "60"]);
    const { server } = stalled;
    let code: number | undefined;
    server.status.then((status) => code = status.code);
    await until(() => {
      try {
        server.kill("SIGTERM");
      } catch { /* it has exited, and its status is on the way */ }
      return code !== undefined;
    });
    // One that arrives while it exits may find no listener any more.
    assert(code === 1 || code === 143, `exited with ${code}`);
    assertEquals(server.stderr(), "");
  },
});

Deno.test({
  name: "deno task start drains as well, and exits 0",
  ignore,
  async fn() {
    for (const name of ["SIGTERM", "SIGINT"] as const) {
      await using cwd = await folder();
      await using server = await startTask(cwd.path);
      const reading = await open(`${server.origin}/concurrent_stream?task=a:9:60000&format=ndjson`);
      await reading.until("a");
      server.kill(name);
      assertMatch(await reading.rest(), /"shutdown"\}\}\n$/);
      assertEquals((await server.status).code, 0);
      assertMatch(await Deno.readTextFile(`${cwd.path}/logs/access.log`), /"path":"\/concurrent_stream"/);
    }
  },
});

Deno.test({
  name: "a path of --logs that is not there is told at the start",
  ignore,
  async fn() {
    await using cwd = await folder();
    await using server = await start(["--logs", "none"], { cwd: cwd.path });
    await until(() => server.stderr().includes("\n"));
    assertMatch(server.stderr(), /^\S+Z warning - --logs ".*none" is not there yet, and is waited for\n$/);
  },
});

Deno.test({
  name:
    "--check says which paths of --logs may not be read, which is wrong, and which are waited for, which is not",
  ignore,
  async fn() {
    await using cwd = await folder();
    await Deno.mkdir(`${cwd.path}/denied`);
    const check = (path: string) =>
      outcome(["--check", "--logs", "later", "--logs", path], {
        cwd: cwd.path,
        run: [`--deny-read=${cwd.path}/denied`],
      });
    const waits = `--logs ${JSON.stringify(`${cwd.path}/later`)} is not there yet, and is waited for\n`;
    const good = await check(".");
    assertEquals([good.code, good.stderr], [0, ""]);
    assertEquals(good.stdout, `${waits}the flags, and the files that they name, are good\n`);
    const wrong = await check("denied");
    assertEquals([wrong.code, wrong.stdout], [2, ""]);
    assertMatch(wrong.stderr, /^--logs .*denied" is not covered by --allow-read/);
    assert(wrong.stderr.endsWith(waits), wrong.stderr);
  },
});

Deno.test({
  name: "an access log that cannot be written is reported once, and the server serves on",
  ignore,
  async fn() {
    await using cwd = await folder();
    await Deno.writeTextFile(`${cwd.path}/logs`, "not a folder");
    await using server = await start([], { cwd: cwd.path });
    for (let n = 0; n < 3; n++) await (await fetch(`${server.origin}/healthz`)).text();
    await until(() => server.stderr() !== "");
    await until(async () => (await (await fetch(`${server.origin}/healthz`)).json()).access_log_lost > 3);
    server.kill("SIGTERM");
    assertEquals((await server.status).code, 0);
    assertMatch(server.stderr(), /^\S+Z warning - the access log cannot be written: .*\n$/);
  },
});

/** Code that runs within the server's own process: its flags for `deno run`, and what tells it to begin. */
async function within(folder: string, code: string) {
  await Deno.writeTextFile(
    `${folder}/within.ts`,
    `const timer = setInterval(() => {
       try {
         Deno.statSync("now");
       } catch {
         return;
       }
       clearInterval(timer);
       ${code}
     }, 10);
     Deno.unrefTimer(timer);`,
  );
  return {
    run: ["--preload", `${folder}/within.ts`],
    begin: () => Deno.writeTextFile(`${folder}/now`, ""),
  };
}

Deno.test({
  name: "what fails in the background never ends the process",
  ignore,
  async fn() {
    await using cwd = await folder();
    const background = await within(
      cwd.path,
      `void Promise.reject(new Error("a floating promise"));
       setTimeout(() => { throw new Error("a timer") });`,
    );
    await using server = await start([], { cwd: cwd.path, run: background.run });
    await background.begin();
    await until(() => server.stderr().includes("a floating promise") && server.stderr().includes("a timer"));
    assertEquals(
      (await fetch(`${server.origin}/async_route`).then((response) => response.json())).message.length,
      22,
    );
    server.kill("SIGTERM");
    assertEquals((await server.status).code, 0);
  },
});

Deno.test({
  name: "nobody reads its stderr, and it serves and exits all the same",
  ignore,
  async fn() {
    await using cwd = await folder();
    await Deno.mkdir(`${cwd.path}/logs`);
    // Fills the pipe.
    const noise = await within(
      cwd.path,
      `for (let n = 0; n < 2_000; n++) setTimeout(() => { throw new Error("x".repeat(100)) });
       setTimeout(() => Deno.writeTextFileSync("logs/done", ""));`,
    );
    await using server = await start(["--drain", "5"], { cwd: cwd.path, run: noise.run, unread: true });
    await noise.begin();
    await until(() => Deno.stat(`${cwd.path}/logs/done`).then(() => true, () => false));
    const signal = AbortSignal.timeout(20_000);
    const get = (path: string) => fetch(server.origin + path, { signal });
    const cut = await Promise.all(
      Array.from({ length: 100 }, () => get("/concurrent_stream?task=a:9:60000")),
    );
    server.kill("SIGTERM");
    for (const response of cut) await assertRejects(() => response.text());
    await exited(server, 0);
  },
});

Deno.test({
  name: "the exit at the end of --drain needs no disk, and no timer that starts only then",
  ignore: ignore || Deno.build.os === "windows",
  async fn() {
    await using cwd = await folder();
    await Deno.mkdir(`${cwd.path}/logs`);
    // Opening a pipe that nobody reads hangs, as a disk may.
    await new Deno.Command("mkfifo", { args: [`${cwd.path}/logs/access.log`] }).output();
    await Deno.writeTextFile(
      `${cwd.path}/late.ts`,
      `const start = setTimeout;
       let isLate = false;
       globalThis.setTimeout = (callback, ms, ...args) => {
         if (isLate) return 0;
         return start(ms === 2_000 ? () => { isLate = true; callback(); } : callback, ms, ...args);
       };`,
    );
    await using server = await start(["--drain", "2"], {
      cwd: cwd.path,
      run: ["--preload", `${cwd.path}/late.ts`],
    });
    await (await fetch(`${server.origin}/healthz`)).text();
    server.kill("SIGTERM");
    await exited(server, 0);
  },
});

Deno.test({
  name: "a clock that is set back does not touch the uptime",
  ignore,
  async fn() {
    await using cwd = await folder();
    // Each look at the clock, within the server's own process, finds it an hour earlier.
    await Deno.writeTextFile(
      `${cwd.path}/clock.ts`,
      `let now = Date.now(); Date.now = () => now -= 3_600_000;`,
    );
    await using server = await start([], { cwd: cwd.path, run: ["--preload", `${cwd.path}/clock.ts`] });
    const { uptime } = await (await fetch(`${server.origin}/healthz`)).json();
    assert(uptime >= 0, String(uptime));
  },
});

Deno.test({
  name: "a signal right after the line that it listens drains it",
  ignore,
  async fn() {
    for (let n = 0; n < 4; n++) {
      await using cwd = await folder();
      await using server = await start([], { cwd: cwd.path });
      server.kill("SIGTERM");
      assertEquals((await server.status).code, 0);
    }
  },
});

Deno.test({
  name: "out of file handles, it listens again once there are some, and the open streams go on",
  ignore: ignore || Deno.build.os === "windows",
  async fn() {
    await using cwd = await folder();
    await using server = await start([], { cwd: cwd.path, handles: 150 });
    const reading = await open(`${server.origin}/concurrent_stream?task=a:100000:100&format=ndjson`);
    const idle: Deno.Conn[] = [];
    await until(async () => {
      for (let n = 0; n < 20; n++) {
        await Deno.connect({ port: server.port }).then((conn) => idle.push(conn), () => {});
      }
      return server.stderr() !== "";
    });
    assertMatch(
      server.stderr(),
      /^\S+Z warning - no connection could be accepted, listening again: Error: Too many open files/,
    );
    for (const conn of idle) conn.close();
    await until(async () => {
      const answer = await fetch(`${server.origin}/healthz`).catch(() => null);
      return (await answer?.json())?.streams === 1;
    });
    server.kill("SIGTERM");
    assertMatch(await reading.rest(), /"shutdown"\}\}\n$/);
    assertEquals((await server.status).code, 0);
  },
});

Deno.test("a compile that fails shows the reason", { ignore }, async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--config", new URL("../deno.json", import.meta.url).pathname, "compile"],
    env: { NO_COLOR: "1", DENORT_BIN: "/nowhere/denort" },
    stdout: "null",
    stderr: "piped",
  }).output();
  assertEquals(code, 1);
  assertMatch(new TextDecoder().decode(stderr), /Could not find denort at '\/nowhere\/denort'/);
});
