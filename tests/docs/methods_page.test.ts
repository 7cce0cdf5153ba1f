import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { METHODS } from "../../core/methods/mod.ts";
import { methodsPage } from "../../docs/methods_page.ts";

Deno.test("docs/methods.md is what `deno task docs` writes", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/methods.md", import.meta.url));
  assertEquals(page, methodsPage());
});

Deno.test("the page tells every method and parameter, and every method has a guide", () => {
  const page = methodsPage();
  for (const { name, guide, parameters } of METHODS.values()) {
    assertStringIncludes(page, `## \`${name}\`\n`);
    for (const parameter of Object.keys(parameters)) {
      assertStringIncludes(page, `| \`${parameter}\` |`);
    }
    assert(guide !== undefined, name);
    for (const [part, text] of Object.entries(guide)) {
      assert(text.length > 3, `${name}.${part}`);
      if (part !== "formula") assert(/^[A-Z].*\.$/s.test(text), `${name}.${part}: ${text}`);
    }
  }
});
