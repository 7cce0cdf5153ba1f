import { assertEquals, assertStringIncludes } from "@std/assert";
import { PROBLEMS } from "../../core/problem.ts";
import { problemsPage } from "../../docs/problems_page.ts";

Deno.test("docs/problems.md is what `deno task docs` writes", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/problems.md", import.meta.url));
  assertEquals(page, problemsPage());
  for (const kind of Object.keys(PROBLEMS)) assertStringIncludes(page, `| \`${kind}\` |`);
});
