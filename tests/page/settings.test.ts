import { assertEquals } from "@std/assert";
import { assertAccessible } from "./support/accessibility.ts";
import { browsing } from "./support/browsing.ts";

Deno.test("the theme follows the system until the visitor chooses one, which a reload keeps", async () => {
  await browsing({ colorScheme: "dark" }, async ({ page }) => {
    const ground = () =>
      page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
    /** The page draws a choice a moment after it. */
    const becomes = async (colour: string) => {
      for (let left = 100; left > 0 && await ground() !== colour; left--) {
        await page.waitForTimeout(50);
      }
      assertEquals(await ground(), colour);
    };
    const [dark, light] = ["rgb(20, 23, 26)", "rgb(255, 255, 255)"] as const;
    await becomes(dark);
    await page.emulateMedia({ colorScheme: "light" });
    await becomes(light);
    await page.getByLabel("Theme").selectOption("Dark");
    await becomes(dark);
    await page.reload();
    assertEquals(await page.getByLabel("Theme").inputValue(), "dark");
    await becomes(dark);
    await assertAccessible(page);
    await page.getByLabel("Theme").selectOption("As the system");
    await becomes(light);
    assertEquals(await page.evaluate("localStorage.length"), 0);
  });
});

Deno.test("the place of work is chosen by keys, and its engine is shown", async () => {
  await browsing({ engine: "wasm" }, async ({ page }) => {
    const engine = page.locator(".place-switch [role=status]");
    await engine.getByText("ONNX Runtime on WebAssembly").waitFor();
    const service = page.getByRole("radio", { name: "In the service" });
    assertEquals(await service.isChecked(), true);
    await service.focus();
    await page.keyboard.press("ArrowRight");
    assertEquals(await page.getByRole("radio", { name: "In this browser" }).isChecked(), true);
    await engine.getByText("fused WebAssembly").waitFor({ timeout: 60_000 });
    await page.getByRole("button", { name: "Merge in this browser" }).waitFor();
    await assertAccessible(page);
  });
});
