import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { assertAccessible } from "./support/accessibility.ts";
import { browsing } from "./support/browsing.ts";
import { figureOf } from "./support/chart.ts";
import { digitDocument, digitTasks } from "./support/digit_tasks.ts";

const digits = (name: string) =>
  Deno.readFileSync(new URL(`../../fixtures/digits/${name}.safetensors`, import.meta.url));

/** A request with files beside its document, which becomes a job. */
function jobRequest(
  part: string,
  document: unknown,
  files: Record<string, Uint8Array<ArrayBuffer>>,
) {
  const form = new FormData();
  form.append(part, JSON.stringify(document));
  for (const [name, bytes] of Object.entries(files)) form.append(name, new Blob([bytes]), name);
  return { method: "POST", headers: { prefer: "respond-async" }, body: form };
}

Deno.test("jobs: what ran and failed is listed live with results, problems in words, and can be forgotten", () =>
  browsing({}, async ({ page, origin, app }) => {
    await page.goto(`${origin}/#/jobs`);
    const view = page.locator('section[aria-label="Jobs"]');
    await view.getByText("There are no jobs").waitFor();
    await view.getByText("Prefer: respond-async").waitFor();
    await assertAccessible(page);

    const recipe = { merge_method: "linear", models: [{ model: "left" }, { model: "right" }] };
    const files = { left: digits("left"), right: digits("right") };
    const accepted = await app.request("/merge", jobRequest("recipe", recipe, files));
    const { id } = await accepted.json();
    const bad = jobRequest("recipe", { ...recipe, merge_method: "linaer" }, files);
    assertEquals((await app.request("/merge", bad)).status, 202);

    const done = view.getByRole("listitem").filter({ hasText: "Done" }).first();
    await done.waitFor();
    const failed = view.locator('[data-state="failed"]');
    await failed.getByRole("alert").waitFor();
    assertStringIncludes((await failed.getByRole("alert").textContent())!, "linear");
    await assertAccessible(page);

    const [download] = await Promise.all([
      page.waitForEvent("download"),
      done.getByRole("button", { name: "Download the checkpoint" }).click(),
    ]);
    const job = await (await app.request(`/jobs/${id}`)).json();
    const stored = await app.request(`/checkpoints/${job.result.checkpoint.id}`);
    assertEquals(
      await Deno.readFile(await download.path()),
      new Uint8Array(await stored.arrayBuffer()),
    );
    await failed.getByRole("button", { name: "Forget" }).click();
    await failed.waitFor({ state: "detached" });
    assertEquals((await (await app.request("/jobs")).json()).items.length, 1);
  }));

Deno.test("jobs: rounds as a job are followed by their events, cancelled, and shown when they are done", async () => {
  const { folder, files } = await digitTasks();
  try {
    await browsing(
      { viewport: { width: 390, height: 844 }, colorScheme: "dark" },
      async (given) => {
        const { page, origin, app } = given;
        await page.goto(`${origin}/#/atm`);
        const atm = page.locator('section[aria-label="ATM rounds"]');
        await atm.locator("input[type=file]").first().setInputFiles(files);
        await atm.getByText("The document as JSON").click();
        const start = async (changes: Record<string, unknown>) => {
          await atm.getByLabel("Document", { exact: true })
            .fill(JSON.stringify(digitDocument({ references: [], ...changes })));
          await atm.getByRole("button", { name: "Start as a job" }).click();
          await atm.getByText("was taken").waitFor();
          await atm.getByRole("link", { name: "watch it among the jobs" }).click();
        };
        await start({ rounds: 1000, mode: "published" });
        const view = page.locator('section[aria-label="Jobs"]');
        const running = view.locator('[data-state="running"]');
        // Its rounds come by events.
        await running.getByText(/Round \d+/).first().waitFor();
        await assertAccessible(page);
        assertEquals(await page.evaluate("document.documentElement.scrollWidth"), 390);
        await running.getByRole("button", { name: "Cancel" }).click();
        await view.locator('[data-state="cancelled"]').waitFor();

        await page.goto(`${origin}/#/atm`);
        await start({ rounds: 2 });
        await view.getByRole("link", { name: "Show the rounds" }).click();
        await figureOf(page, "Accuracy by round").waitFor();
        const { items } = await (await app.request("/jobs")).json();
        assertEquals(items.map(({ state }: { state: string }) => state), ["cancelled", "done"]);
        const rows = await atm.getByRole("region", { name: "All rounds" }).getByRole("rowheader")
          .count();
        assert(rows === items[1].result.rounds.length + 1);
      },
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
