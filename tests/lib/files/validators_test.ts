import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { checkPreconditions, rangeApplies, validatorsOf } from "../../../lib/files/validators.ts";

const mtime = new Date("2024-05-06T07:08:09.123Z");
const state = { size: 10, mtime, ctime: mtime, ino: 7 };
const old = validatorsOf(state);
const young = validatorsOf(state, mtime.getTime() + 999);
const tag = old.etag;
const weak = `W/${tag.slice(0, -1)}-w"`;
const same = "Mon, 06 May 2024 07:08:09 GMT";
const before = "Mon, 06 May 2024 07:08:08 GMT";
const after = "Mon, 06 May 2024 07:08:10 GMT";

Deno.test("validatorsOf() makes another ETag when size, mtime, ctime or inode differs", () => {
  const later = new Date(mtime.getTime() + 1);
  for (const change of [{ size: 11 }, { mtime: later }, { ctime: later }, { ino: 8 }]) {
    assertNotEquals(validatorsOf({ ...state, ...change }).etag, tag);
  }
  assertEquals(validatorsOf({ ...state }).etag, tag);
});

Deno.test("validatorsOf() is weak until a second after the last change, and strong from then on", () => {
  const lastModified = Date.parse(same);
  assertEquals(young, { etag: weak, lastModified, strongDate: false });
  const settled = validatorsOf(state, mtime.getTime() + 1_000);
  assertEquals(settled, { etag: tag, lastModified, strongDate: true });
});

Deno.test("validatorsOf() gives no Last-Modified in the future (RFC 9110, 8.8.2.1)", () => {
  const { etag, lastModified } = validatorsOf(state, mtime.getTime() - 60_000);
  assertEquals([etag, lastModified], [weak, Date.parse("Mon, 06 May 2024 07:07:09 GMT")]);
});

/** When the state of a file with an mtime an hour ahead was changed, before now in ms; whether its ETag is strong. */
for (
  const [ago, strong] of [[-3_600_000, false], [0, false], [1_999, false], [2_000, true], [
    9e9,
    true,
  ]] as const
) {
  Deno.test(`validatorsOf() of an mtime ahead is ${strong ? "strong" : "weak"} ${ago} ms after the change`, () => {
    const now = mtime.getTime() - 3_600_000;
    const { etag, strongDate } = validatorsOf({ ...state, ctime: new Date(now - ago) }, now);
    assertEquals([etag.startsWith('"'), strongDate], [strong, false]);
  });
}

Deno.test("validatorsOf() of an mtime ahead stays strong while the clock passes it", () => {
  const ctime = new Date(mtime.getTime() - 3_600_000);
  for (const ms of [-1, 0, 500, 1_000]) {
    assertEquals(validatorsOf({ ...state, ctime }, mtime.getTime() + ms).etag[0], '"');
  }
});

Deno.test("validatorsOf() of an mtime ahead is weak where the system has no ctime", () => {
  assertEquals(validatorsOf({ ...state, ctime: null }, mtime.getTime() - 3_600_000).etag[0], "W");
});

Deno.test("validatorsOf() is weak where the system has no mtime", () => {
  const { etag, strongDate } = validatorsOf({ ...state, mtime: null });
  assertEquals([etag.startsWith("W/"), strongDate], [true, false]);
});

/** Fields of the request, which validators, the status (RFC 9110, 13.2.2). */
const preconditions: [Record<string, string>, typeof old, number][] = [
  [{}, old, 200],
  [{ "if-match": tag }, old, 200],
  [{ "if-match": `"x", ${tag}` }, old, 200],
  [{ "if-match": "*" }, old, 200],
  [{ "if-match": "*" }, young, 200],
  [{ "if-match": '"x"' }, old, 412],
  [{ "if-match": `W/${tag}` }, old, 412],
  [{ "if-match": weak }, young, 412],
  [{ "if-match": tag }, young, 412],
  [{ "if-unmodified-since": same }, old, 200],
  [{ "if-unmodified-since": after }, old, 200],
  [{ "if-unmodified-since": before }, old, 412],
  [{ "if-unmodified-since": "yesterday" }, old, 200],
  [{ "if-match": tag, "if-unmodified-since": before }, old, 200],
  [{ "if-none-match": tag }, old, 304],
  [{ "if-none-match": `W/${tag}` }, old, 304],
  [{ "if-none-match": weak }, young, 304],
  [{ "if-none-match": weak.slice(2) }, young, 304],
  [{ "if-none-match": tag }, young, 200],
  [{ "if-none-match": weak }, old, 200],
  [{ "if-none-match": weak.slice(2) }, old, 200],
  [{ "if-none-match": `"x" , W/"y",${tag}` }, old, 304],
  [{ "if-none-match": "*" }, old, 304],
  [{ "if-none-match": '"x"' }, old, 200],
  [{ "if-modified-since": same }, old, 304],
  [{ "if-modified-since": after }, old, 304],
  [{ "if-modified-since": before }, old, 200],
  [{ "if-modified-since": "2030-01-01" }, old, 200],
  [{ "if-none-match": '"x"', "if-modified-since": same }, old, 200],
  [{ "if-none-match": tag, "if-modified-since": before }, old, 304],
  [{ "if-match": '"x"', "if-none-match": tag }, old, 412],
  [{ "if-match": tag, "if-none-match": tag }, old, 304],
  [{ "if-unmodified-since": before, "if-modified-since": same }, old, 412],
];

for (const [fields, validators, status] of preconditions) {
  const shown = JSON.stringify(fields).replaceAll(tag.slice(1, -1), "TAG");
  Deno.test(`checkPreconditions() answers ${status} to ${shown}${validators === young ? " while young" : ""}`, () => {
    assertEquals(checkPreconditions(new Headers(fields), validators), status as 200 | 304 | 412);
  });
}

Deno.test("rangeApplies() compares If-Range strongly and exactly (RFC 9110, 13.1.5)", () => {
  const applies = (condition: string | null, validators = old) =>
    rangeApplies(new Headers(condition === null ? {} : { "if-range": condition }), validators);
  assert(applies(null));
  assert(applies(null, young));
  assert(applies(tag));
  assert(applies(same));
  assert(applies("Monday, 06-May-24 07:08:09 GMT"));
  for (const no of [`W/${tag}`, '"x"', "*", `${tag}, "x"`, before, after, "garbage", ""]) {
    assert(!applies(no), no);
  }
  for (const no of [young.etag, tag, same]) assert(!applies(no, young), no);
  assert(!applies(same, validatorsOf({ ...state, mtime: null })));
});

Deno.test("rangeApplies() takes no date for a file that was changed, or put there, after that second (RFC 9110, 8.8.2.2)", () => {
  const at = (text: string) => new Date(`2024-05-06T${text}Z`);
  /** mtime, ctime, whether the date of the mtime counts */
  const table: [Date, Date | null, boolean][] = [
    [at("07:08:09.123"), at("07:08:09.123"), true],
    [at("07:08:09.123"), at("07:08:09.999"), true],
    [at("07:08:09.999"), at("07:08:09.000"), true],
    [at("07:08:09.123"), at("07:08:08.000"), true],
    // Renamed into its place or written with the mtime of what it replaced, or with one of the same second.
    [at("07:08:09.123"), at("07:08:10.000"), false],
    [at("07:08:09.900"), at("09:00:00.000"), false],
    [at("07:08:09.123"), null, false],
  ];
  for (const [mtime, ctime, counts] of table) {
    const validators = validatorsOf({ ...state, mtime, ctime });
    assertEquals(
      rangeApplies(new Headers({ "if-range": same }), validators),
      counts,
      `${ctime?.toISOString()}`,
    );
    assert(rangeApplies(new Headers({ "if-range": validators.etag }), validators));
  }
});

Deno.test("rangeApplies() takes no date of a file that has codings, which may have the same", () => {
  const headers = new Headers({ "if-range": same });
  const applies = (varies: boolean) => rangeApplies(headers, validatorsOf({ ...state, varies }));
  assertEquals([applies(false), applies(true)], [true, false]);
});
