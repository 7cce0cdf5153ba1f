import { assertEquals } from "@std/assert";
import { parsePrefer, preferredType, prefersAsync } from "../../../routes/http/negotiate.ts";

const OFFERS = ["application/json", "text/html"];

Deno.test("preferredType() weighs qualities and how exact a range is", () => {
  const cases: [string | null, string | undefined][] = [
    [null, "application/json"],
    ["", "application/json"],
    ["*/*", "application/json"],
    ["text/html", "text/html"],
    ["Text/HTML", "text/html"],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"],
    ["text/*, application/json;q=0.5", "text/html"],
    ["text/html;q=0.5, application/json;q=0.5", "application/json"],
    ["*/*, application/json;q=0", "text/html"],
    ["application/*;q=0.1, text/html; level=1; q=0.2", "text/html"],
    ["image/png", undefined],
    ["application/json;q=0, text/html;q=0", undefined],
    ["application/json;q=7", undefined],
  ];
  for (const [accept, expected] of cases) {
    assertEquals(preferredType(accept, OFFERS), expected, String(accept));
  }
});

Deno.test("parsePrefer() reads names and values; the first of a name counts", () => {
  const preferences = parsePrefer('respond-async, wait=10; x=y, WAIT=20, return="minimal", ,');
  assertEquals([...preferences], [["respond-async", ""], ["wait", "10"], ["return", "minimal"]]);
});

Deno.test("prefersAsync() looks for respond-async", () => {
  assertEquals([null, "wait=1", "Respond-Async", "wait=1,respond-async"].map(prefersAsync), [
    false,
    false,
    true,
    true,
  ]);
});
