import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Locator, Page } from "playwright-core";
import type { AtmAnswer } from "../../core/atm/rounds/answer.ts";
import { assertAccessible } from "./support/accessibility.ts";
import { type Browsing, browsing, type BrowsingOptions } from "./support/browsing.ts";
import { csvRows, downloadText, figureOf, numberIn, toldAfter } from "./support/chart.ts";
import { digitDocument, digitTasks, TASKS } from "./support/digit_tasks.ts";

/** Opens the view with model and shards of the digits. */
async function withDigits(
  options: BrowsingOptions,
  run: (view: Locator, given: Browsing) => Promise<void>,
): Promise<void> {
  const { folder, files } = await digitTasks();
  try {
    await browsing(options, async (given) => {
      const { page, origin } = given;
      await page.goto(`${origin}/#/atm`);
      const view = page.locator('section[aria-label="ATM rounds"]');
      await view.locator("input[type=file]").first().setInputFiles(files);
      await run(view, given);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes a document in place of the form's. */
async function write(view: Locator, document: unknown): Promise<void> {
  const area = view.getByLabel("Document", { exact: true });
  if (!await area.isVisible()) await view.getByText("The document as JSON").click();
  await area.fill(JSON.stringify(document));
}

/** The answer of a run that has ended; of another than the one before, if there was one. */
async function answerOf(page: Page, view: Locator, before?: AtmAnswer): Promise<AtmAnswer> {
  await view.locator(`[data-phase="done"]:not([data-run="${before?.run}"])`)
    .waitFor({ timeout: 60_000 });
  return JSON.parse(
    await downloadText(page, () => view.getByRole("button", { name: "All as JSON" }).click()),
  );
}

Deno.test("atm: a run set up by the form is watched to its end, and its pictures show its history", () =>
  withDigits({}, async (view, { page }) => {
    await view.getByLabel("Model", { exact: true }).selectOption("digits");
    const first = view.getByRole("group", { name: "Task 1" });
    await first.getByLabel("Tunes on").selectOption("upright-tune");
    // What goes with it is found by its name.
    assertEquals(await first.getByLabel("Selects on").inputValue(), "upright-select");
    assertEquals(await first.getByLabel("Tests on, once").inputValue(), "upright-test");
    assertEquals(await first.getByLabel("Name").inputValue(), "upright");
    await first.getByText("Inputs, target and loss").click();
    await first.getByLabel("times, for x", { exact: true }).fill("0.0625");
    await view.getByRole("button", { name: "Add a task" }).click();
    const second = view.getByRole("group", { name: "Task 2" });
    await second.getByLabel("Tunes on").selectOption("left-tune");
    await view.getByRole("textbox", { name: "Rounds" }).fill("3");
    await view.getByLabel("Learning rate", { exact: true }).fill("0.02");
    await view.getByText("Options", { exact: true }).click();
    await view.getByLabel("Experts", { exact: true }).uncheck();
    await assertAccessible(page);
    await view.getByRole("button", { name: "Start the rounds" }).click();
    const answer = await answerOf(page, view);

    assertEquals(answer.rounds.length, 3);
    assertEquals(Object.keys(answer.references), ["base", "mean", "task_arithmetic", "joint"]);
    const accuracy = figureOf(page, "Accuracy by round");
    const [head, ...rows] = await csvRows(page, accuracy);
    assertEquals(head!.slice(0, 4), ["round", "mean", ...TASKS.toSorted().toReversed()]);
    assertEquals(
      rows.map((row) => row.slice(0, 4).map(Number)),
      [answer.start, ...answer.rounds.map(({ merged }) => merged)].map((scores, round) => {
        const [a, b] = ["upright", "left"].map((task) => scores[task]!.accuracy!);
        return [round, (a! + b!) / 2, a, b];
      }),
    );
    await accuracy.getByRole("application").focus();
    await toldAfter(accuracy, "Home");
    await toldAfter(accuracy, "End");
    const told = await toldAfter(accuracy, "ArrowDown");
    assertEquals(told[0], "round 3");
    assertStringIncludes(told[1]!, "upright: ");
    assertEquals(
      numberIn(told[1]!.slice("upright: ".length)),
      Number(answer.rounds[2]!.merged["upright"]!.accuracy!.toPrecision(6)),
    );
    const drift = await csvRows(page, figureOf(page, "Drift by round"));
    assertEquals(
      drift.slice(1).map(([, value]) => Number(value)),
      answer.rounds.map((r) => r.drift),
    );
    const cosines = await csvRows(page, figureOf(page, "Cosines between task vectors"));
    assertEquals(
      cosines.slice(1).map((row) => row.slice(1).map(Number)),
      answer.rounds[2]!.cosine.round as number[][],
    );

    await view.getByLabel("Scores of").selectOption("left");
    const joint = (await csvRows(page, accuracy)).map((row) => row.at(-1));
    const row = answer.references["joint"]!;
    assertEquals(joint[0], "joint tuning");
    assert(!("gap" in row));
    assertEquals(Number(joint[1]), row.select["left"]!.accuracy);

    const ledger = view.getByRole("region", { name: "Ledger" });
    assertEquals(await ledger.getByRole("row").count(), answer.ledger.length + 1);
    const test = await view.getByRole("region", { name: "Scores on the test rows" }).textContent();
    assertStringIncludes(test!, "joint");
    await assertAccessible(page);
  }));

Deno.test("atm: a round's weights are downloaded as the store has them, and the next run starts from them", () =>
  withDigits({}, async (view, { page, app }) => {
    await write(view, digitDocument({ references: [], rounds: 2 }));
    await view.getByRole("button", { name: "Start the rounds" }).click();
    const answer = await answerOf(page, view);
    const { checkpoint } = answer.rounds[0]!;
    assert(checkpoint);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      view.getByRole("button", { name: "Download round 1" }).click(),
    ]);
    assertEquals(download.suggestedFilename(), "round-1.safetensors");
    const bytes = await Deno.readFile(await download.path());
    const stored = await app.request(`/checkpoints/${checkpoint.id}`);
    assertEquals(bytes, new Uint8Array(await stored.arrayBuffer()));

    await view.getByRole("button", { name: "Start here with round 1" }).click();
    assertEquals(await view.getByLabel("Start", { exact: true }).inputValue(), "round 1");
    await view.getByRole("button", { name: "Start the rounds" }).click();
    const next = await answerOf(page, view, answer);
    // It starts where the first round of the other run ended.
    assertEquals(next.start, answer.rounds[0]!.merged);
  }));

Deno.test("atm: a run is stopped after a round, and gone on with after the last one that was done", () =>
  withDigits(
    { viewport: { width: 390, height: 844 }, colorScheme: "dark" },
    async (view, { page }) => {
      // More rounds than anyone waits for: the run is stopped before its end, however fast the machine.
      await write(view, digitDocument({ references: [], rounds: 1000, mode: "published" }));
      await view.getByRole("button", { name: "Start the rounds" }).click();
      const numbers = () =>
        view.getByRole("region", { name: "All rounds" }).getByRole("rowheader").allTextContents();
      await view.getByRole("cell", { name: "accepted" }).first().waitFor();
      await view.getByRole("button", { name: "Stop" }).click();
      await view.locator('[data-phase="stopped"]').waitFor();
      const done = await numbers();
      await assertAccessible(page);
      assertEquals(await page.evaluate("document.documentElement.scrollWidth"), 390);
      await view.getByRole("button", { name: `Go on after round ${done.length - 1}` }).click();
      await view.getByRole("rowheader", { name: String(done.length), exact: true }).waitFor();
      await view.getByRole("button", { name: "Stop" }).click();
      await view.locator('[data-phase="stopped"]').waitFor();
      const all = await numbers();
      assertEquals(all, all.map((_, round) => String(round)));
      assert(all.length > done.length);
    },
  ));

Deno.test("atm: what is wrong is told in words at its place, and a document that is no JSON is not sent", () =>
  withDigits({ expected: /4(09|22)/ }, async (view) => {
    await write(view, digitDocument({ rounds: 0 }));
    await view.getByRole("button", { name: "Start the rounds" }).click();
    const alert = view.getByRole("alert");
    await alert.waitFor();
    assertStringIncludes((await alert.textContent())!, "rounds");
    await alert.getByRole("button", { name: "rounds" }).click();
    assert(
      await view.getByRole("textbox", { name: "Rounds" }).evaluate((element) =>
        element === element.ownerDocument.activeElement
      ),
    );
    const overlap = digitDocument();
    (overlap["tasks"] as Record<string, unknown>[])[0]!["test"] = "upright-tune";
    await write(view, overlap);
    await view.getByRole("button", { name: "Start the rounds" }).click();
    await view.getByText("must be another source than").first().waitFor();
    await view.getByLabel("Document", { exact: true }).fill("{ rounds");
    await view.getByText("Cannot read the document").waitFor();
  }));

Deno.test("atm: rounds run in this browser as they do in the service, and nothing is sent", () =>
  withDigits({}, async (view, { page }) => {
    const sent: string[] = [];
    await write(view, digitDocument({ references: ["base"], rounds: 2 }));
    await view.getByRole("button", { name: "Start the rounds" }).click();
    const there = await answerOf(page, view);
    page.on("request", (request) => request.method() === "POST" && sent.push(request.url()));
    await page.getByText("In this browser", { exact: true }).click();
    await view.getByRole("button", { name: "Start the rounds" }).click();
    const here = await answerOf(page, view, there);
    assertEquals(here.checkpoint.id, there.checkpoint.id);
    assertEquals(here.rounds.map(({ merged }) => merged), there.rounds.map(({ merged }) => merged));
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      view.getByRole("button", { name: "Download the result" }).click(),
    ]);
    const bytes = await Deno.readFile(await download.path());
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    assertEquals(`sha256:${digest}`, here.checkpoint.id);
    assertEquals(sent, []);
  }));
