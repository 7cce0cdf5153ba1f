import { assertEquals, assertMatch } from "@std/assert";
import { Buffer } from "node:buffer";
import type { Locator, Page } from "playwright-core";
import { checkpointBytes } from "../support/merging.ts";
import { digestId } from "../support/stored_checkpoint.ts";
import { inFolder } from "../support/temporary_folder.ts";
import { assertAccessible } from "./support/accessibility.ts";
import { browsing } from "./support/browsing.ts";

function checkpoint(seed: number, rows = 8): Uint8Array<ArrayBuffer> {
  const values = Array.from({ length: rows * 64 }, (_, i) => Math.sin(i + seed));
  return checkpointBytes({
    "layers.0.weight": { shape: [rows, 64], values },
    "layers.1.weight": { shape: [rows, 64], values: values.map((value) => -value) },
  });
}

const panel = (page: Page, place: "the service" | "this browser"): Locator =>
  page.getByRole("region", { name: `Kept in ${place}` });

async function openView(page: Page): Promise<void> {
  await page.getByRole("navigation", { name: "Views" })
    .getByRole("link", { name: "Checkpoints" }).click();
  await page.getByRole("heading", { name: "Checkpoints", level: 1 }).waitFor();
}

async function choose(within: Locator, files: Record<string, Uint8Array>): Promise<void> {
  await within.locator("input[type=file]").setInputFiles(
    Object.entries(files).map(([name, bytes]) => ({
      name,
      mimeType: "application/octet-stream",
      buffer: Buffer.from(bytes),
    })),
  );
}

async function rowOf(within: Locator, bytes: Uint8Array<ArrayBuffer>): Promise<Locator> {
  const id = (await digestId(bytes)).slice(7, 19);
  return within.getByRole("listitem", { name: `Checkpoint ${id}` });
}

Deno.test("what is kept in the browser survives a reload and the browser's end, and can be deleted", async () => {
  const bytes = checkpoint(1);
  await inFolder(async (profile) => {
    let port = 0;
    await browsing({ profile }, async ({ page, origin, app }) => {
      port = Number(new URL(origin).port);
      await openView(page);
      const here = panel(page, "this browser");
      await here.getByText("Nothing is kept here.").waitFor();
      await choose(here, { "model.safetensors": bytes });
      const row = await rowOf(here, bytes);
      await row.waitFor();
      assertMatch(await row.innerText(), /weights · 2 tensors · 1,024 parameters · 4\.\d+ kB/);
      assertMatch(await here.innerText(), /\d B|kB of .+ used/);
      await page.reload();
      await row.waitFor();
      await row.getByText("Tensors", { exact: true }).click();
      await row.getByRole("tree").getByText("layers").first().waitFor();
      await assertAccessible(page);
      // Nothing of it was uploaded.
      const { checkpoints } = await (await app.request("/checkpoints")).json();
      assertEquals(checkpoints, []);
    });
    await browsing({ profile, port }, async ({ page }) => {
      await openView(page);
      const here = panel(page, "this browser");
      const row = await rowOf(here, bytes);
      await row.waitFor();
      await row.getByRole("button", { name: /^Delete / }).click();
      const dialog = page.getByRole("dialog", { name: "Delete the checkpoint?" });
      await dialog.getByRole("button", { name: "Keep it" }).click();
      await row.getByRole("button", { name: /^Delete / }).click();
      await dialog.getByRole("button", { name: "Delete" }).click();
      await here.getByText("Nothing is kept here.").waitFor();
      await page.reload();
      await here.getByText("Nothing is kept here.").waitFor();
    });
  });
});

Deno.test("checkpoints go to the service, from there to the browser, and to a file", async () => {
  const bytes = checkpoint(2);
  await browsing({}, async ({ page, app }) => {
    await openView(page);
    const [there, here] = [panel(page, "the service"), panel(page, "this browser")];
    await choose(there, { "model.safetensors": bytes });
    const row = await rowOf(there, bytes);
    await row.waitFor();
    const { checkpoints } = await (await app.request("/checkpoints")).json();
    assertEquals(checkpoints.map(({ id }: { id: string }) => id), [await digestId(bytes)]);
    await row.getByRole("button", { name: "Copy to this browser" }).click();
    const copy = await rowOf(here, bytes);
    await copy.waitFor();
    await page.evaluate(() => {
      // Headless, nobody answers the question for a place.
      delete (globalThis as { showSaveFilePicker?: unknown }).showSaveFilePicker;
    });
    const saved = page.waitForEvent("download");
    await copy.getByRole("button", { name: "Download" }).click();
    const path = await (await saved).path();
    assertEquals(await Deno.readFile(path), bytes);
    await copy.getByRole("button", { name: "Use in Merge" }).click();
    await page.locator('section[aria-label="Merge"]').waitFor({ state: "visible" });
    await page.getByRole("radio", { name: "In this browser" }).and(page.locator(":checked"))
      .waitFor({ state: "attached" });
    const named = page.locator('section[aria-label="Merge"]')
      .getByRole("list", { name: "Named checkpoints" });
    await named.getByText("2 tensors").waitFor();
  });
});

Deno.test("a task vector is made of two files and kept where work is done", async () => {
  await browsing({}, async ({ page }) => {
    await openView(page);
    await page.getByText("In this browser", { exact: true }).first().click();
    const form = page.getByRole("region", { name: "Make a task vector" });
    await choose(form, { "base.safetensors": checkpoint(1), "tuned.safetensors": checkpoint(2) });
    await form.getByLabel("Base", { exact: true }).selectOption("base");
    await form.getByLabel("Model", { exact: true }).selectOption("tuned");
    await form.getByRole("button", { name: "Make and keep" }).click();
    await form.getByText(/^Kept in this browser as /).waitFor();
    const list = panel(page, "this browser").getByRole("list", {
      name: "Checkpoints in this browser",
    });
    await list.getByText("task vector · 2 tensors").waitFor();
    await panel(page, "the service").getByText("Nothing is kept here.").waitFor();
  });
});

Deno.test("a browser without room, and a file that is no checkpoint, are told in words", async () => {
  await browsing({}, async ({ page, context, origin }) => {
    await openView(page);
    const here = panel(page, "this browser");
    await here.getByText("Nothing is kept here.").waitFor();
    await choose(here, { "notes.safetensors": new TextEncoder().encode("no checkpoint at all") });
    const notice = here.getByRole("alert");
    await notice.waitFor();
    assertMatch(await notice.innerText(), /header|safetensors/i);
    const session = await context.newCDPSession(page);
    await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 2_000_000 });
    await choose(here, { "large.safetensors": checkpoint(3, 12_000) });
    await here.getByText("Cannot keep the bytes as the browser gives this page no more room")
      .waitFor();
    await assertAccessible(page);
    await here.getByText("Nothing is kept here.").waitFor();
    await session.send("Storage.overrideQuotaForOrigin", { origin });
    await choose(here, { "large.safetensors": checkpoint(3, 12_000) });
    await (await rowOf(here, checkpoint(3, 12_000))).waitFor();
    assertEquals(await here.getByRole("alert").count(), 0);
  });
});

Deno.test("a browser without files of its own keeps checkpoints in memory, and says so", async () => {
  await browsing({}, async ({ page, context }) => {
    await context.route("**/page/here.js", async (route) => {
      const answer = await route.fetch();
      // As in some browsers' private windows.
      const none = "StorageManager.prototype.getDirectory = () => Promise.reject(new Error());";
      await route.fulfill({ response: answer, body: `${await answer.text()};${none}` });
    });
    await openView(page);
    const here = panel(page, "this browser");
    await here.getByText("This browser keeps nothing beyond this page").waitFor();
    const bytes = checkpoint(4);
    await choose(here, { "model.safetensors": bytes });
    await (await rowOf(here, bytes)).waitFor();
    await page.reload();
    await here.getByText("Nothing is kept here.").waitFor();
  });
});
