import { assert, assertEquals } from "@std/assert";
import { DEFAULT_LIMITS, LIMITS } from "../core/limits.ts";
import { PROBLEMS } from "../core/problem.ts";

Deno.test("every limit has a variable of its own, a default within its range and a problem", () => {
  const variables = Object.values(LIMITS).map(({ variable }) => variable);
  assertEquals(new Set(variables).size, variables.length);
  for (const [name, limit] of Object.entries(LIMITS)) {
    assert(/^AMALGAM_[A-Z_]+$/.test(limit.variable), limit.variable);
    assert(limit.minimum <= limit.fallback && limit.fallback <= limit.maximum, name);
    assert(Number.isSafeInteger(limit.maximum), name);
    assert(limit.problem in PROBLEMS, name);
    assertEquals(DEFAULT_LIMITS[name as keyof typeof LIMITS], limit.fallback);
  }
});
