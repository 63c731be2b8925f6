import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { readGuard } from "../../../../lib/http/auth/read_guard.ts";
import { hashOf } from "../../../../lib/http/auth/token.ts";
import { parseTokens, readTokenFile, TokenFileError } from "../../../../lib/http/auth/token_file.ts";
import { granted } from "../../../support/granted.ts";
import { token } from "../../../support/tokens.ts";

const text = token.reader;

Deno.test("a line is a name, rights and a token, or its hash, and may have an end and a comment", () => {
  const { tokens, secret } = parseTokens(
    `\ufeff# all of them\r\n\n a.b-c_1\tread,publish  ${text} # who\r\n` +
      `a.b-c_1 admin sha256:${hashOf(token.admin).toUpperCase()} expires=2030-02-28T23:59:59.5Z\n` +
      `secret ${token.wrong}\n`,
  );
  assertEquals(tokens, [
    { name: "a.b-c_1", rights: new Set(["read", "publish"] as const), hash: hashOf(text), expires: Infinity },
    {
      name: "a.b-c_1",
      rights: new Set(["admin"] as const),
      hash: hashOf(token.admin),
      expires: Date.UTC(2030, 1, 28, 23, 59, 59, 500),
    },
  ]);
  assertEquals(secret, token.wrong);
});

const good = `good read ${token.admin}\n`;
const bad: [what: string, line: string, rule: RegExp][] = [
  ["a name alone", "leaky", /^line 2 must be NAME RIGHTS TOKEN/],
  ["no token", "leaky read", /^line 2 must be NAME RIGHTS TOKEN/],
  ["one field too many", `leaky read ${text} expires=2030-01-01T00:00:00Z more`, /^line 2 must be NAME/],
  ["a name of other characters", `leaky/1 read ${text}`, /^line 2 must begin with a name/],
  [
    "an unknown right",
    `leaky read,write ${text}`,
    /^line 2 must have rights of read, publish, metrics, admin/,
  ],
  ["an empty right", `leaky read, ${text}`, /^line 2 must have rights/],
  ["a right of Object", `leaky constructor ${text}`, /^line 2 must have rights/],
  ["a short token", `leaky read ${"t".repeat(31)}`, /^line 2 must have a token of 32 to 256/],
  ["a long token", `leaky read ${"t".repeat(257)}`, /^line 2 must have a token of 32 to 256/],
  ["a token of other characters", `leaky read ${text}+`, /^line 2 must have a token/],
  ["half a hash", `leaky read sha256:${"0".repeat(63)}`, /^line 2 must have a token .* or sha256: and 64/],
  ["an end that is no time", `leaky read ${text} expires=soon`, /^line 2 must end in expires=TIME/],
  ["an end in no day", `leaky read ${text} expires=2030-02-30T00:00:00Z`, /^line 2 must end in expires=/],
  ["an end elsewhere", `leaky read ${text} expires=2030-01-01T00:00:00+01:00`, /^line 2 must end in expires/],
  ["a fourth field that is no end", `leaky read ${text} ${token.meter}`, /^line 2 must end in expires=TIME/],
  ["the token of another line", `leaky publish ${token.admin}`, /^line 2 must not have the token of another/],
  ["the hash of another's token", `x read sha256:${hashOf(token.admin)}`, /^line 2 must not have the token/],
  ["a short secret", "secret leaky", /^line 2 must be secret and 32 to 256/],
  ["a token named secret", `secret read ${text}`, /^line 2 must be secret and 32 to 256/],
];
for (const [what, line, rule] of bad) {
  Deno.test(`a line with ${what} is refused by its number, and its text is not told`, () => {
    const { message } = assertThrows(() => parseTokens(`${good}${line}\n`), TokenFileError);
    assertMatch(message, rule);
    assertEquals(["leaky", text, token.admin].filter((part) => message.includes(part)), []);
  });
}

Deno.test("a second secret is refused", () => {
  const line = `secret ${text}\n`;
  assertThrows(() => parseTokens(good + line + line), TokenFileError, "line 3 must not be a second secret");
});

Deno.test("a file without a token is refused: it may have been emptied to be written anew", () => {
  for (const none of ["", "\n", "# nobody\n", `secret ${text}\n`]) {
    assertThrows(() => parseTokens(none), TokenFileError, "must have a token");
  }
});

Deno.test("a file is refused wherever it is cut within a line", () => {
  const whole = `${good}late read ${text}  expires=2030-01-01T00:00:00Z\n`;
  for (let end = 1; end < whole.length; end++) {
    if (whole[end - 1] !== "\n") assertThrows(() => parseTokens(whole.slice(0, end)), TokenFileError, "line");
  }
});

const ignore = !granted.files || Deno.build.os === "windows";

/** A folder with a token file of these permissions. */
async function file(
  content: string,
  mode: number,
): Promise<AsyncDisposable & { folder: string; path: string }> {
  const folder = await Deno.makeTempDir({ prefix: "weir-tokens-" });
  const path = `${folder}/tokens`;
  await Deno.writeTextFile(path, content);
  await Deno.chmod(path, mode);
  return { folder, path, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

const hashed = `a read sha256:${hashOf(text)}\n`;
const modes: [what: string, content: string, mode: number, refusal: string | null][] = [
  ["with a token, for its owner alone", good, 0o600, null],
  ["with a token, for its group", good, 0o640, null],
  ["with a token, for everybody", good, 0o644, "must not be readable by others"],
  ["with a secret, for everybody", `${hashed}secret ${text}\n`, 0o644, "must not be readable by others"],
  ["of hashes, for everybody", hashed, 0o444, null],
  ["of hashes, that everybody may write", hashed, 0o646, "must not be writable by others"],
];
for (const [what, content, mode, refusal] of modes) {
  Deno.test({
    name: `a file ${what}, is ${refusal === null ? "read" : "refused"}`,
    ignore,
    async fn() {
      await using there = await file(content, mode);
      const read = () => readTokenFile(there.path, "--token-file");
      if (refusal === null) return assertEquals(read().tokens.length, 1);
      assertThrows(read, TokenFileError, `--token-file ${there.path}: ${refusal}`);
    },
  });
}

Deno.test({
  name: "what is no file is refused, and not waited for",
  ignore,
  async fn() {
    await using there = await file(good, 0o600);
    for (const path of [there.folder, `${there.folder}/none`]) {
      assertThrows(
        () => readTokenFile(path, "WEIR_TOKEN_FILE"),
        TokenFileError,
        "WEIR_TOKEN_FILE must be a file",
      );
    }
  },
});

Deno.test({
  name: "a token file that clients could read is refused, also through a link, but not by a hidden name",
  ignore,
  async fn() {
    await using there = await file(good, 0o600);
    const { folder, path } = there;
    await Deno.symlink(path, `${folder}/link`);
    await Deno.mkdir(`${folder}/.hidden`);
    await Deno.rename(path, `${folder}/.hidden/tokens`);
    await Deno.copyFile(`${folder}/.hidden/tokens`, path);
    const open = (path: string, served: string[]) => () =>
      readGuard({ path, name: "--token-file", served: ["/nowhere/at/all", ...served] });
    for (const root of [folder, path, `${folder}/../${folder.split("/").at(-1)}`]) {
      assertThrows(open(path, [root]), TokenFileError, "must not be in");
      assertThrows(open(`${folder}/link`, [root]), TokenFileError, "must not be in");
    }
    assert(open(`${folder}/.hidden/tokens`, [folder])() !== null);
    assert(open(path, [`${folder}/.hidden`])() !== null);
  },
});

Deno.test({
  name: "a file that cannot be used when it is read again changes nothing",
  ignore,
  async fn() {
    await using there = await file(good, 0o600);
    const { guard, reload } = readGuard({ path: there.path, name: "--token-file", served: [] })!;
    const may = (text: string) => {
      const headers = new Headers({ authorization: `Bearer ${text}` });
      return guard.identify({ method: "GET", headers, target: "http://localhost/" })?.may("read") ?? false;
    };
    for (const half of ["", `new read ${text}`, `new read ${text}\nother re`]) {
      await Deno.writeTextFile(there.path, half);
      assertThrows(reload!, TokenFileError, there.path);
      assertEquals([may(token.admin), may(text)], [true, false]);
    }
    await Deno.writeTextFile(there.path, `new read ${text}\n`);
    reload!();
    assertEquals([may(token.admin), may(text)], [false, true]);
  },
});

Deno.test("WEIR_TOKEN alone is a token with all rights, and there is nothing to read again", () => {
  const { guard, reload } = readGuard({ path: null, name: "", all: text, served: [] })!;
  const headers = new Headers({ authorization: `Bearer ${text}` });
  const grant = guard.identify({ method: "GET", headers, target: "http://localhost/" })!;
  assertEquals([grant.name, grant.may("admin"), grant.may("metrics"), reload], ["env", true, true, null]);
  assertEquals(readGuard({ path: null, name: "", all: "", served: [] }), null);
});
