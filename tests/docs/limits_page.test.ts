import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { LIMITS } from "../../core/limits.ts";
import { limitsPage } from "../../docs/limits_page.ts";

Deno.test("docs/limits.md is what `deno task docs` writes", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/limits.md", import.meta.url));
  assertEquals(page, limitsPage());
  for (const { variable, problem } of Object.values(LIMITS)) {
    assertMatch(page, new RegExp(`^\\| \`${variable}\` .*\`${problem}\` \\(\\d{3}\\) \\|$`, "m"));
  }
  assertStringIncludes(page, "| `AMALGAM_MAX_UPLOAD` | `64G` bytes |");
});

Deno.test("the README links the page", async () => {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  assertStringIncludes(readme, "(docs/limits.md)");
});
