import { assertEquals } from "@std/assert";
import denoJson from "../deno.json" with { type: "json" };
import { granted } from "./support/granted.ts";
import { find, findPython } from "./support/programs.ts";
import { routesTable, writtenTable } from "./support/routes_table.ts";
import { blocksOf, type Followed, followReadme } from "./support/readme.ts";

/** Runs a program in the folder of the guide; its output, or why it failed. */
async function run(program: string, args: string[], cwd: string): Promise<string> {
  const command = new Deno.Command(program, { args, cwd, env: { NO_COLOR: "1" } });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + (code === 0 ? "" : `exit code ${code}: ${decoder.decode(stderr)}`);
}

/** The commands of the guide's console blocks, with what it says that they print. */
function commands({ blocks }: Followed): { command: string; printed: string }[] {
  return blocks.filter(({ language }) => language === "console")
    .flatMap(({ code }) => code.split(/^\$ /m).slice(1)).map((text) => {
      const [command, ...printed] = text.split("\n");
      return { command, printed: comparable(printed.join("\n")) };
    }).filter(({ command }) => command.startsWith("curl"));
}

/** README in English and in Chinese. */
const pages = () =>
  Promise.all(
    ["../README.md", "../.github/README.zh.md"].map((path) =>
      Deno.readTextFile(new URL(path, import.meta.url))
    ),
  );

/** The anchor that a title has on the page. */
const slug = (title: string) => title.toLowerCase().replaceAll(/[^\w -]/g, "").replaceAll(" ", "-");

/** Lines whose order is a matter of time, and times, are not the guide's to promise. */
const comparable = (text: string) =>
  text.trim().replaceAll(/[\d.]+ ms/g, "… ms").replaceAll(
    /^(task .*\n?)+$/g,
    (lines) => lines.split("\n").sort().join("\n"),
  );

Deno.test({
  name: "README's changes begin with those of deno.json's version, which a release is made of",
  ignore: !granted.files,
  async fn() {
    const page = await Deno.readTextFile(new URL("../README.md", import.meta.url));
    assertEquals(/^## Changes\n\n### (\S+)\n\n\S/m.exec(page)?.[1], denoJson.version);
  },
});

Deno.test({
  name: "the page in Chinese has the code of README: all of its guide, and no other",
  ignore: !granted.files,
  async fn() {
    const [page, chinese] = await pages();
    const [guide, operation] = chinese.split("\n## 运维\n");
    assertEquals(blocksOf(guide), blocksOf(page.split("\n## Routes\n")[0]));
    const known = new Set(blocksOf(page).map(({ code }) => code));
    assertEquals(blocksOf(operation).filter(({ code }) => !known.has(code)), []);
  },
});

Deno.test({
  name: "every section of README that the guide in Chinese links to is there",
  ignore: !granted.files,
  async fn() {
    const [page, chinese] = await pages();
    const slugs = new Set([...page.matchAll(/^#+ (.+)$/gm)].map(([, title]) => slug(title)));
    const linked = [...chinese.matchAll(/\]\(\.\.\/README\.md#([^)]+)/g)].map(([, anchor]) => anchor);
    assertEquals(linked.filter((anchor) => !slugs.has(anchor)), []);
  },
});

Deno.test({
  name: "who does what README's guide says gets what it says",
  ignore: !granted.run,
  async fn(t) {
    await using guide = await followReadme();
    const { cwd, server } = guide;
    await t.step("its files, rows and lines compile", async () => {
      const checked = await run(Deno.execPath(), ["check", "-q", "main.ts", "tests/countdown_test.ts"], cwd);
      assertEquals(checked, "");
    });
    for (const { command, printed } of commands(guide)) {
      await t.step({
        name: command.replace(server.origin, ""),
        ignore: find("curl") === undefined,
        fn: async () => assertEquals(comparable(await run("sh", ["-c", command], cwd)), printed),
      });
    }
    await t.step("a WebSocket is answered", async () => {
      const socket = new WebSocket(`${server.origin}/chat`);
      socket.onopen = () => socket.send("hello");
      const { data } = await new Promise<MessageEvent>((resolve, reject) => {
        socket.onmessage = resolve;
        socket.onclose = reject;
      });
      assertEquals(data, "you said hello");
      const closed = new Promise((resolve) => socket.onclose = resolve);
      socket.close();
      await closed;
    });
    await t.step("a room is heard by all who are in it", async () => {
      const sockets = ["ann", "ben"].map((who) => new WebSocket(`${server.origin}/rooms/tea?who=${who}`));
      const heard = sockets.map((socket) =>
        new Promise<MessageEvent>((resolve, reject) => {
          socket.onmessage = ({ data }) => data.includes("said") && resolve(JSON.parse(data).data);
          socket.onclose = reject;
        })
      );
      await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.onopen = resolve)));
      sockets[0].send("hello");
      assertEquals(await Promise.all(heard), Array(2).fill({ who: "ann", said: "hello" }));
      const closed = sockets.map((socket) => new Promise((resolve) => socket.onclose = resolve));
      for (const socket of sockets) socket.close();
      await Promise.all(closed);
    });
    await t.step("the test passes, and is ignored without permissions", async () => {
      const test = (...args: string[]) =>
        run(Deno.execPath(), ["test", "--no-check", ...args, "tests/countdown_test.ts"], cwd);
      assertEquals((await test("--allow-all")).includes("1 passed | 0 failed"), true);
      assertEquals((await test()).includes("0 passed | 0 failed | 1 ignored"), true);
    });
    const python = guide.blocks.filter(({ language }) => language === "python");
    for (const [address, ...readers] of python.map(({ code }) => code.split("\n\n"))) {
      for (const reader of readers) {
        const modules = /^import (.*)$/m.exec(reader)![1];
        const program = findPython(modules);
        await t.step({
          name: `Python reads it with ${modules}`,
          ignore: program === undefined,
          async fn() {
            const printed = await run(program!, ["-c", `${address}\n${reader}`], cwd);
            assertEquals(printed.trim().split("\n"), [
              ...[3, 2, 1].map((left) => `{'id': '${left}', 'data': '${left} to go'}`),
              "{'event': 'end', 'data': {'reason': 'complete'}}",
            ]);
          },
        });
      }
    }
    assertEquals(server.stderr().replace(/^Task start .*\n/, ""), "");
  },
});

Deno.test({ name: "README's table of routes is what their rows say", ignore: !granted.files }, async () => {
  const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
  const unaligned = (table: string) => table.replaceAll(/ +/g, " ").replaceAll(/-+/g, "-").split("\n");
  const should = routesTable();
  assertEquals(unaligned(writtenTable(readme)), unaligned(should), `the table should be:\n${should}`);
});

for (const page of ["README.md", "lib/README.md", ".github/CONTRIBUTING.md", ".github/README.zh.md"]) {
  Deno.test({ name: `every file that ${page} links to is there`, ignore: !granted.files }, async () => {
    const url = new URL(`../${page}`, import.meta.url);
    const links = (await Deno.readTextFile(url)).matchAll(/\]\((?!https?:)([^)#]+)/g);
    const missing: string[] = [];
    for (const [, path] of links) await Deno.stat(new URL(path, url)).catch(() => missing.push(path));
    assertEquals(missing, []);
  });
}
