import { assertEquals } from "@std/assert";
import { planFor } from "../../../lib/files/plan.ts";

const table: [string, string][] = [
  ["report.csv", 'filename="report.csv"'],
  ["a b.txt", "filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt"],
  ['say "hi".txt', "filename=\"say _hi_.txt\"; filename*=UTF-8''say%20%22hi%22.txt"],
  ["日本語.txt", "filename=\"___.txt\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC%E8%AA%9E.txt"],
  ["😀.txt", "filename=\"_.txt\"; filename*=UTF-8''%F0%9F%98%80.txt"],
  ["it's(1)*.txt", "filename=\"it's(1)*.txt\"; filename*=UTF-8''it%27s%281%29%2A.txt"],
  ["100%.txt", "filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"],
  ["%41.txt", "filename=\"_41.txt\"; filename*=UTF-8''%2541.txt"],
  ["a\r\nSet-Cookie: x", "filename=\"a__Set-Cookie: x\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x"],
  ["a;b,c=d", "filename=\"a;b,c=d\"; filename*=UTF-8''a%3Bb%2Cc%3Dd"],
  ["\ud800x", "filename=\"_x\"; filename*=UTF-8''%EF%BF%BDx"],
];

const info = { size: 1, mtime: new Date(0), ctime: new Date(0), ino: 1 };

for (const [name, expected] of table) {
  Deno.test(`planFor() gives a file ${JSON.stringify(name)} its Content-Disposition`, () => {
    const { headers } = planFor({ method: "GET", headers: new Headers() }, info, name, "attachment");
    assertEquals(headers["Content-Disposition"], `attachment; ${expected}`);
    new Headers(headers);
  });
}

Deno.test("planFor() answers If-Range on a file less than a second old with the whole", () => {
  const young = new Date(Date.now() + 60_000); // however slow this test is
  const plan = (headers: HeadersInit) =>
    planFor(
      { method: "GET", headers: new Headers(headers) },
      { size: 9, mtime: young, ctime: young, ino: 1 },
      "a",
      "inline",
    );
  const { ETag: etag, "Last-Modified": date } = plan({}).headers;
  for (const condition of [etag, etag.slice(2), date]) {
    assertEquals(plan({ range: "bytes=1-2", "if-range": condition }).status, 200);
  }
});
