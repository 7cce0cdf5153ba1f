/**
 * Takes the pictures of the page that the README shows: `deno task docs:page`.
 *
 * @module
 */
import type { Page } from "playwright-core";
import { browsing } from "./support/browsing.ts";
import { digitTasks } from "./support/digit_tasks.ts";

const DIGITS = new URL("../../fixtures/digits/", import.meta.url).pathname;
const FOLDER = new URL("../../docs/page/", import.meta.url).pathname;
const CHECKPOINTS = ["base", "upright", "left", "right"].map((name) =>
  `${DIGITS}${name}.safetensors`
);
const SIZES = {
  desktop: { width: 1280, height: 860 },
  phone: { width: 390, height: 844 },
} as const;

async function merged(page: Page): Promise<void> {
  const view = page.getByRole("region", { name: "Merge", exact: true });
  await view.getByLabel("Choose checkpoints", { exact: true }).setInputFiles(CHECKPOINTS);
  await view.getByLabel("Name of right", { exact: true }).waitFor();
  await view.getByLabel("Method", { exact: true }).selectOption("ties");
  await view.getByRole("textbox", { name: "density of every model" }).fill("0.5");
  await view.getByRole("button", { name: "Show the plan" }).click();
  await view.getByRole("table", { name: "Plan by tensor" }).waitFor({ timeout: 120_000 });
}

async function analyzed(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Analyze" }).click();
  const view = page.locator('section[aria-label="Analyze"]');
  await view.getByRole("button", { name: "Analyze", exact: true }).click();
  await view.getByRole("figure").first().waitFor({ timeout: 120_000 });
}

async function watched(page: Page, files: readonly string[]): Promise<void> {
  await page.getByRole("link", { name: "ATM rounds" }).click();
  const view = page.locator('section[aria-label="ATM rounds"]');
  await view.locator("input[type=file]").first().setInputFiles([...files]);
  await view.getByLabel("Model", { exact: true }).selectOption("digits");
  const first = view.getByRole("group", { name: "Task 1" });
  await first.getByLabel("Tunes on").selectOption("upright-tune");
  await first.getByText("Inputs, target and loss").click();
  await first.getByLabel("times, for x", { exact: true }).fill("0.0625");
  await view.getByRole("button", { name: "Add a task" }).click();
  await view.getByRole("group", { name: "Task 2" }).getByLabel("Tunes on").selectOption(
    "left-tune",
  );
  await view.getByRole("textbox", { name: "Rounds" }).fill("6");
  await view.getByLabel("Learning rate", { exact: true }).fill("0.02");
  await view.getByRole("button", { name: "Start the rounds" }).click();
  await view.locator('[data-phase="done"]').waitFor({ timeout: 120_000 });
  await view.getByRole("figure").first().scrollIntoViewIfNeeded();
}

if (import.meta.main) {
  await Deno.mkdir(FOLDER, { recursive: true });
  const tasks = await digitTasks();
  try {
    for (const [size, viewport] of Object.entries(SIZES)) {
      for (const colorScheme of ["light", "dark"] as const) {
        await browsing({ viewport, colorScheme }, async ({ page }) => {
          const shoot = (name: string) =>
            page.screenshot({ path: `${FOLDER}${name}-${size}-${colorScheme}.png` });
          await merged(page);
          await page.evaluate("scrollTo(0, 0)");
          await shoot("merge");
          await analyzed(page);
          await shoot("analyze");
          await watched(page, tasks.files);
          await shoot("rounds");
        });
      }
    }
  } finally {
    await Deno.remove(tasks.folder, { recursive: true });
  }
}
