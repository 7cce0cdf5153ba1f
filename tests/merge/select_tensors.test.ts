import { assertEquals } from "@std/assert";
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
  assertEquals(matchesGlob("a[0].(b)+", "a[0].(b)+"), true);
  assertEquals(matchesGlob("a[0]", "a0"), false);
  assertEquals(matchesGlob("A*", "abc"), false);
});

Deno.test("matchesGlob() is fast for patterns of many stars", () => {
  const start = performance.now();
  assertEquals(matchesGlob("*a".repeat(30) + "b", "a".repeat(2000)), false);
  assertEquals(performance.now() - start < 200, true);
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
