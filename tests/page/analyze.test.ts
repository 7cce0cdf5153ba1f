import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Page } from "playwright-core";
import type { Analysis } from "../../core/analysis/answer.ts";
import { assertAccessible } from "./support/accessibility.ts";
import { browsing, type BrowsingOptions } from "./support/browsing.ts";
import { csvRows, downloadText, figureOf, numberIn, toldAfter } from "./support/chart.ts";

const EXPERTS = ["upright", "left", "upside_down", "right"];
const digits = (name: string) =>
  new URL(`../../fixtures/digits/${name}.safetensors`, import.meta.url).pathname;

/** Opens the view with the digits and analyzes them. */
async function analyzed(
  options: BrowsingOptions,
  run: (page: Page, found: Analysis) => Promise<void>,
): Promise<void> {
  await browsing(options, async ({ page, origin }) => {
    await page.goto(`${origin}/#/analyze`);
    const view = page.locator('section[aria-label="Analyze"]');
    await view.locator("input[type=file]").setInputFiles(["base", ...EXPERTS].map(digits));
    assertEquals(await view.getByLabel("Base").inputValue(), "base");
    const answer = page.waitForResponse((response) => response.url().endsWith("/analyze"));
    await view.getByRole("button", { name: "Analyze", exact: true }).click();
    const found: Analysis = await (await answer).json();
    await figureOf(page, "Cosines between task vectors").waitFor();
    await run(page, found);
  });
}

Deno.test("analyze: pictures of the digits tell the answer's numbers by keys, by pointer and as CSV", () =>
  analyzed({}, async (page, { total, layers, models }) => {
    assertEquals(models, EXPERTS);
    const heat = figureOf(page, "Cosines between task vectors");
    await heat.getByRole("application").focus();
    await toldAfter(heat, "Home");
    const [names, told] = await toldAfter(heat, "ArrowRight");
    assertEquals(names, "upright × left");
    assertEquals(numberIn(told!), Number(total.cosines[0]![1]!.toPrecision(6)));
    assertStringIncludes((await heat.locator("[aria-live]").textContent())!, told!);

    // The cell of the last row and second column, under the pointer.
    const cell = await heat.locator("rect.cell").nth(3 * 4 + 1).boundingBox();
    await page.mouse.move(cell!.x + cell!.width / 2, cell!.y + cell!.height / 2);
    assertEquals(
      numberIn((await heat.locator(".readout div").textContent())!),
      Number(total.cosines[3]![1]!.toPrecision(6)),
    );

    const [head, ...rows] = await csvRows(page, heat);
    assertEquals(head, ["", ...models]);
    assertEquals(rows.map((row) => row.slice(1).map(Number)), total.cosines as number[][]);

    const norms = await csvRows(page, figureOf(page, "Norm of the task vectors by layer"));
    assertEquals(
      norms.slice(1).map(([name, ...values]) => [name, ...values.map(Number)]),
      layers.map(({ name, norms }) => [name, ...norms.task_vectors]),
    );
    const conflict = await csvRows(page, figureOf(page, "Sign conflict by layer"));
    assertEquals(
      conflict.slice(1).map((row) => row.slice(1).map(Number)),
      layers.map(({ conflict }) => [conflict.mass, conflict.elements]),
    );
    await heat.getByRole("button", { name: "Table" }).click();
    await heat.getByRole("table").waitFor();
    await assertAccessible(page);
  }));

Deno.test("analyze: the density cut moves by slider and by pointer, to the answer's quantiles", () =>
  analyzed({}, async (page, { total, densities }) => {
    const figure = figureOf(page, "Magnitudes of the task vectors");
    const slider = figure.getByRole("slider");
    const place = () => figure.locator(".cut").getAttribute("x1").then(Number);
    const places: number[] = [];
    for (const density of [0.1, 0.5, 0.9]) {
      await slider.fill(String(density));
      places.push(await place());
      const kept = (await figure.locator(".kept").textContent())!;
      const magnitude = numberIn(/at least ([^,]+),/.exec(kept)![1]!);
      const at = densities.findIndex((each) => Math.abs(each - density) < 1e-9);
      const exact = total.quantiles[0]![at]!;
      // The histogram's bins are quarters of octaves.
      assert(Math.abs(Math.log2(magnitude / exact)) <= 0.25, `${kept}, exactly ${exact}`);
      const norm = numberIn(/with them ([^ ]+) %/.exec(kept)![1]!);
      assert(norm > 100 * Math.sqrt(density) - 0.1 && norm <= 100, kept);
    }
    assertEquals(places, places.toSorted((a, b) => b - a));
    // Some pixels beside where half of the elements are kept; densities are whole percents.
    const wanted = places[1]! + 12;
    await figure.getByRole("application").hover({ position: { x: wanted, y: 100 } });
    await page.mouse.down();
    const x = await place();
    await page.mouse.up();
    assert(Math.abs(x - wanted) < 4 && x !== places[2], `${x}, not ${wanted}`);
    const svg = await downloadText(
      page,
      () => figure.getByRole("button", { name: "SVG" }).click(),
    );
    assert(svg.startsWith("<svg") && !svg.includes("var(--"), svg.slice(0, 300));
  }));

Deno.test("analyze: two recipes by their plans and by their results", () =>
  analyzed({}, async (page) => {
    const two = page.getByRole("region", { name: "Two recipes" });
    await two.getByRole("button", { name: "Compare plans" }).click();
    await two.getByText("6 tensors of 6 get something else").waitFor();
    await two.getByLabel("Method B").selectOption("linear");
    await two.getByRole("button", { name: "Compare plans" }).click();
    await two.getByText("0 tensors of").waitFor();
    await two.getByRole("button", { name: "Merge both and compare" }).click();
    await two.getByText("Both recipes give the same weights").waitFor();
    await two.getByLabel("Recipe B").fill("{ merge_method");
    await two.getByText("Cannot read the recipe as JSON").waitFor();
    assert(await two.getByRole("button", { name: "Compare plans" }).isDisabled());
  }));

Deno.test("analyze: what is wrong is told in words, and a phone shows all without scrolling sideways", () =>
  analyzed({
    viewport: { width: 390, height: 844 },
    colorScheme: "dark",
    expected: /422/,
  }, async (page) => {
    await assertAccessible(page);
    assertEquals(await page.evaluate("document.documentElement.scrollWidth"), 390);
    const view = page.locator('section[aria-label="Analyze"]');
    const folder = await Deno.makeTempDir();
    try {
      const broken = `${folder}/broken.safetensors`;
      await Deno.writeTextFile(broken, "this is no checkpoint");
      await view.locator("input[type=file]").setInputFiles(broken);
      await view.getByRole("button", { name: "Analyze", exact: true }).click();
      await view.getByRole("alert").waitFor();
      assertStringIncludes((await view.getByRole("alert").textContent())!, "broken");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }));

Deno.test("analyze: this browser finds the same numbers as the service, and nothing is sent", () =>
  analyzed({}, async (page, found) => {
    await page.getByText("In this browser", { exact: true }).click();
    const sent: string[] = [];
    page.on("request", (request) => request.method() === "POST" && sent.push(request.url()));
    await page.getByLabel("Singular values").check();
    await page.getByRole("button", { name: "Analyze", exact: true }).click();
    await page.getByRole("columnheader", { name: "interference" }).waitFor({ timeout: 60_000 });
    const all = () => page.getByRole("button", { name: "All as JSON" }).click();
    const here: Analysis = JSON.parse(await downloadText(page, all));
    assertEquals(here.total.cosines, found.total.cosines);
    assertEquals(here.layers, found.layers);
    assert(here.tensors.some(({ spectrum }) => spectrum));
    assertEquals(sent, []);
  }));
