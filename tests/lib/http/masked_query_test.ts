import { assertEquals } from "@std/assert";
import { maskedQuery } from "../../../lib/http/masked_query.ts";

Deno.test("a ticket's value is masked, whatever way its name is written", () => {
  assertEquals(maskedQuery("ticket=abc"), "ticket=-");
  assertEquals(maskedQuery("after=1&ticket=abc=&x=2&ticket=d"), "after=1&ticket=-&x=2&ticket=-");
  assertEquals(maskedQuery("%74icke%74=abc"), "%74icke%74=-");
  assertEquals(maskedQuery("TICKET=abc"), "TICKET=-");
});

Deno.test("a token's value is masked, which a client may put there by mistake", () => {
  assertEquals(maskedQuery("token=abc&access_token=def"), "token=-&access_token=-");
});

Deno.test("other parameters stay as they were sent", () => {
  for (const query of ["", "count=5&interval=0", "tickets=1", "grep=ticket", "grep=50%25", "%", "a=%zz"]) {
    assertEquals(maskedQuery(query), query);
  }
});

Deno.test("a query is cut at 1,024 characters", () => {
  assertEquals(maskedQuery("x".repeat(2_000)).length, 1_024);
});
