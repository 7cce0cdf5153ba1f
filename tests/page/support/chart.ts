/**
 * Pictures of the page as a test reads them.
 *
 * @module
 */
import type { Locator, Page } from "playwright-core";

/** The picture of a title. */
export function figureOf(page: Page, title: string): Locator {
  return page.getByRole("figure", { name: title, exact: true });
}

/** The bytes of a download as text. */
export async function downloadText(page: Page, click: () => Promise<void>): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent("download"), click()]);
  return await Deno.readTextFile(await download.path());
}

/** The rows of a picture's CSV, without quotes in them. */
export async function csvRows(page: Page, figure: Locator): Promise<string[][]> {
  const text = await downloadText(
    page,
    () => figure.getByRole("button", { name: "CSV", exact: true }).click(),
  );
  return text.trimEnd().split("\r\n").map((line) => line.split(","));
}

/** What the picture tells where a key leads to. */
export async function toldAfter(figure: Locator, key: string): Promise<string[]> {
  await figure.getByRole("application").press(key);
  return await figure.locator(".readout > *").allTextContents();
}

/** The number behind a label of the page. */
export function numberIn(text: string): number {
  return Number(/[−-]?[\d.]+(?:e[−-]?\d+)?/.exec(text)![0].replaceAll("−", "-"));
}
