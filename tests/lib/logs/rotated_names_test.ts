import { assertEquals } from "@std/assert";
import { LogName } from "../../../lib/logs/rotated_names.ts";

Deno.test("a rotated file is known by its name: the log's, and what rotators add", () => {
  const table: [string, string, boolean][] = [
    ["app.log", "app.log.1", true],
    ["app.log", "app.log.12.gz", true],
    ["app.log", "app.log-20300102", true],
    ["app.log", "app.log-20300102-1900000000", true],
    ["app.log", "app.log.2030-01-02", true],
    ["app.log", "app.log.old", true],
    ["app.log", "app.log.gz", true],
    ["app.log", "app-20300102.log", true],
    ["app.log", "app.1.log.xz", true],
    ["app.log", "app__2030-01-01_00-00-00.log", true],
    ["app.log", "20300101-0000-01-app.log", true],
    ["app.log", "20300101-0000-01-app.log.gz", true],
    ["app.log", "app-2030-01-01T00-00-00.000.log", true],
    ["app.log", "app-2030-01-01T00-00-00.000-size.log", true],
    ["app.log", "app.log-20300101T000000Z", true],
    ["app.log", "app.log.backup1", true],
    ["app.log", "app.log20300101", true],
    ["app.log", "app20300101.log", true],
    ["app.log", "app20301301.log", false],
    ["app.log", "app203001011.log", false],
    ["app.log", "app.log.backup.2030-01-01T00:00:00+0100", true],
    ["syslog", "syslog.1", true],
    ["my-app.log", "my-app.log-rotated", true],
    ["app.log", "app", false],
    ["app.log", "app.login", false],
    ["app.log", "app.log.tmp", false],
    ["app.log", "app2.log", false],
    ["app.log", "webapp.log.1", false],
    ["app.log", "web.log.1", false],
    ["app.log", "app-web.log", false],
    ["app.log", "app-web.log.1", false],
    ["app.log", "app-2030-01-01.txt", false],
  ];
  for (const [base, name, expected] of table) assertEquals(new LogName(base).isRotated(name), expected, name);
});

Deno.test("of what a link points to, a date in the name may differ", () => {
  const table: [string, string, boolean][] = [
    ["app-2030-01-01.log", "app-2030-01-02.log", true],
    ["2030-01-01-app.log", "2030-01-02-app.log", true],
    ["2030-01-01.log", "2030-01-02.log", true],
    ["0.log", "0.log.20300101-000000", true],
    ["0.log", "0.log.20300101-000000.gz", true],
    ["app20300101.log", "app20300102.log", true],
    ["app20300101.log", "web20300102.log", false],
    ["app-2030-01-01.log", "web-2030-01-02.log", false],
    ["0.log", "app.log", false],
  ];
  for (const [base, name, expected] of table) {
    assertEquals(new LogName(base, true).isRotated(name), expected, name);
    assertEquals(new LogName(base, true).isIn(name), expected, name);
  }
  assertEquals(new LogName("app-2030-01-01.log").isRotated("app-2030-01-02.log"), false);
});

Deno.test("a file that was renamed out of the pattern is known by the log's name in its own", () => {
  const table: [string, string, boolean][] = [
    ["app.log", "archive-app.log", true],
    ["app.log", "app_kept", true],
    ["syslog", "old.syslog", true],
    ["app.log", "worker.log", false],
    ["app.log", "app2.log", false],
    ["app.log", "webapp.log", false],
  ];
  for (const [base, name, expected] of table) assertEquals(new LogName(base).isIn(name), expected, name);
});

Deno.test("a number is that of a rotation, or of several on one day; a date is none", () => {
  const table: [string, number | null][] = [
    ["app.log.1", 1],
    ["app-12.log.gz", 12],
    ["app.log.2030-01-01.3", 3],
    ["20300101-0000-02-app.log", 2],
    ["app.log-20300101", null],
    ["app.log.2030-01-02", null],
    ["app.log.2030-01-01_10", null],
    ["app-2030-01-01T00-00-00.000.log", null],
  ];
  const log = new LogName("app.log");
  for (const [name, expected] of table) assertEquals(log.number(name).number, expected, name);
  assertEquals(log.number("20300101-0000-02-app.log").series, log.number("20300101-0000-13-app.log").series);
});
