import { assert, assertEquals } from "@std/assert";
import { accepts } from "../../../lib/stream/negotiate.ts";

const cases: [accept: string | null, types: string[], chosen: string | undefined][] = [
  [null, ["text/plain", "text/html"], "text/plain"],
  ["", ["text/plain", "text/html"], "text/plain"],
  ["text/html", ["text/plain", "text/html"], "text/html"],
  ["text/plain; charset=utf-8", ["text/plain"], "text/plain"],
  ["text/plain;charset=utf-8", ["text/plain"], "text/plain"],
  ["text/plain ; charset=utf-8 ; format=flowed", ["text/plain"], "text/plain"],
  ['text/plain;x="a;q=0,b\\",c";y=1, text/html;q=0.5', ["text/html", "text/plain"], "text/plain"],
  ["text/plain;charset=utf-8;q=0.5, text/html;q=0.6", ["text/plain", "text/html"], "text/html"],
  ["text/plain; charset=utf-8; Q=0", ["text/plain"], undefined],
  ["text/plain;q=0.5;charset=utf-8, text/html;q=0.6", ["text/plain", "text/html"], "text/html"],
  ["text/plain;quality=1;q=0", ["text/plain"], undefined],
  ["text/plain;", ["text/plain"], "text/plain"],
  ["text/*;level=1", ["application/json", "text/html"], "text/html"],
  ["image/png;a=b", ["text/plain"], undefined],
  ['text/plain;x="never closed, text/html', ["text/html", "text/plain"], "text/plain"],
];

for (const [accept, types, chosen] of cases) {
  Deno.test(`Accept ${accept} chooses ${chosen} of ${types.join(" and ")}`, () => {
    const request = new Request("http://localhost/", { headers: accept === null ? {} : { accept } });
    assertEquals(accepts(request, ...types), chosen);
  });
}

Deno.test("an Accept that is made to be slow is not", () => {
  for (const part of [';\\"', ';"', '";', ";", '"\\', ";q"]) {
    const request = new Request("http://localhost/", { headers: { accept: part.repeat(100_000) } });
    const start = performance.now();
    accepts(request, "text/plain");
    assert(performance.now() - start < 1_000, part);
  }
});
