import { assert, assertEquals, assertFalse } from "@std/assert";
import fc from "fast-check";
import { matchesGlob, selectTensors } from "../../core/merge/select_tensors.ts";

const part = (extra: string[]) =>
  fc.string({ unit: fc.constantFrom("a", "b", ".", ...extra), maxLength: 8 });

Deno.test("matchesGlob() agrees with regular expressions", () => {
  fc.assert(
    fc.property(part(["*", "?"]), part([]), (pattern, name) => {
      const source = [...pattern].map((c) =>
        c === "*" ? ".*" : c === "?" ? "." : `\\x${c.charCodeAt(0).toString(16)}`
      ).join("");
      assertEquals(matchesGlob(pattern, name), new RegExp(`^${source}$`).test(name));
    }),
    { numRuns: 500 },
  );
});

Deno.test("matchesGlob() takes other signs as they are", () => {
  assert(matchesGlob("a[0].(b)+", "a[0].(b)+"));
  assertFalse(matchesGlob("a[0]", "a0"));
  assertFalse(matchesGlob("A*", "abc"));
});

Deno.test("matchesGlob() is fast for patterns of many stars", () => {
  const start = performance.now();
  assertFalse(matchesGlob("*a".repeat(30) + "b", "a".repeat(2000)));
  assert(performance.now() - start < 10_000);
});

Deno.test("selectTensors() partitions the names", () => {
  const glob = part(["*", "?"]);
  const globs = fc.record({
    include: fc.array(glob, { maxLength: 3 }),
    exclude: fc.array(glob, { maxLength: 3 }),
  });
  fc.assert(fc.property(globs, fc.array(part([])), ({ include, exclude }, names) => {
    const { selects } = selectTensors({ include, exclude });
    for (const name of names) {
      const included = include.some((pattern) => matchesGlob(pattern, name));
      const excluded = exclude.some((pattern) => matchesGlob(pattern, name));
      assertEquals(selects(name), included && !excluded);
    }
  }));
});

Deno.test("selectTensors() knows globs that matched nothing", () => {
  const { selects, idle } = selectTensors({ include: ["a*", "b*", "ab"], exclude: ["*c", "*d"] });
  ["ab", "ad", "x"].forEach(selects);
  assertEquals(idle(), ["b*", "*c"]);
});
