/**
 * What axe-core finds on the page as it stands.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";

/** The part of axe's answer that is looked at. */
interface Found {
  readonly violations: readonly {
    readonly id: string;
    readonly impact?: string | null;
    readonly help: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

/** Where the package has its script for pages. */
const SCRIPT = new URL("axe.min.js", import.meta.resolve("axe-core"));

/** Fails if the page has a serious or critical fault of WCAG 2 A or AA. */
export async function assertAccessible(page: Page): Promise<void> {
  const script = await Deno.readTextFile(SCRIPT);
  // Evaluated by the browser's debugger, which the page's policy does not bind.
  await page.evaluate(script);
  const { violations } = await page.evaluate(
    "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })",
  ) as Found;
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assertEquals(
    serious.map(({ id, help, nodes }) => ({ id, help, at: nodes.map(({ html }) => html) })),
    [],
  );
}
