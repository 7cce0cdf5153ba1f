import { assertEquals } from "@std/assert";
import { assertAccessible } from "./support/accessibility.ts";
import { browsing } from "./support/browsing.ts";

Deno.test("the frame opens each view by its link and by its address", async () => {
  await browsing({}, async ({ page, origin }) => {
    for (const name of ["Analyze", "ATM rounds", "Checkpoints", "Jobs", "Merge"]) {
      await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name }).click();
      await page.locator(`section[aria-label="${name}"]`).waitFor({ state: "visible" });
      const open = page.locator("nav a[aria-current=page]");
      assertEquals(await open.textContent(), name);
      await assertAccessible(page);
    }
    await page.goto(`${origin}/#/jobs`);
    await page.locator(`section[aria-label="Jobs"]`).waitFor({ state: "visible" });
  });
});
