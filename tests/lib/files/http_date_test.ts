import { assertEquals } from "@std/assert";
import { parseHttpDate } from "../../../lib/files/http_date.ts";

const moment = Date.UTC(1994, 10, 6, 8, 49, 37);

const table: [string, number][] = [
  ["Sun, 06 Nov 1994 08:49:37 GMT", moment],
  ["Sunday, 06-Nov-94 08:49:37 GMT", moment],
  ["Sun Nov  6 08:49:37 1994", moment],
  ["Thu, 29 Feb 2024 00:00:00 GMT", Date.UTC(2024, 1, 29)],
  ["Sat, 31 Dec 2016 23:59:60 GMT", Date.UTC(2017, 0, 1)],
  ["Wed, 29 Feb 2023 00:00:00 GMT", NaN],
  ["Sun, 00 Nov 1994 08:49:37 GMT", NaN],
  ["Sun, 06 Foo 1994 08:49:37 GMT", NaN],
  ["Fri, 31 Feb 2023 00:00:00 GMT", NaN],
  ["Sun, 06 nov 1994 08:49:37 GMT", NaN],
  ["Sun, 06 Nov 0094 08:49:37 GMT", NaN],
  ["Sun, 06 Nov 1994 24:00:00 GMT", NaN],
  ["Sun, 06 Nov 1994 24:49:37 GMT", NaN],
  ["Sun, 06 Nov 1994 08:60:37 GMT", NaN],
  ["Sun, 06 Nov 1994 08:49:61 GMT", NaN],
  ["Sun, 06 Nov 1994 08:49:37 CET", NaN],
  ["1994-11-06T08:49:37Z", NaN],
  ["784111777", NaN],
  ["0", NaN],
  ["", NaN],
];

for (const [text, expected] of table) {
  Deno.test(`parseHttpDate() of ${JSON.stringify(text)}`, () => {
    assertEquals(parseHttpDate(text), expected);
  });
}

Deno.test("parseHttpDate() takes a two-digit year more than 50 years ahead for one of the past", () => {
  const year = new Date().getUTCFullYear();
  const text = (ahead: number) =>
    `Monday, 01-Jan-${String((year + ahead) % 100).padStart(2, "0")} 00:00:00 GMT`;
  assertEquals(parseHttpDate(text(50)), Date.UTC(year + 50, 0, 1));
  assertEquals(parseHttpDate(text(51)), Date.UTC(year - 49, 0, 1));
});
