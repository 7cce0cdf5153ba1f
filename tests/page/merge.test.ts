import { assert, assertEquals } from "@std/assert";
import type { Download, Locator, Page } from "playwright-core";
import type { PlanDocument } from "../../core/merge/plan_document.ts";
import { memorySource } from "../../core/checkpoint/memory_source.ts";
import { openCheckpoint } from "../../core/checkpoint/open_checkpoint.ts";
import { openSafetensors } from "../../core/checkpoint/open_safetensors.ts";
import { formatBytes } from "../../routes/page/app/parts/format_bytes.ts";
import { assertAccessible } from "./support/accessibility.ts";
import { type Browsing, browsing, type BrowsingOptions } from "./support/browsing.ts";

const DIGITS = new URL("../../fixtures/digits/", import.meta.url);
/** Browsers write every answer of an error status to the console. */
const REFUSED = /responded with a status of (?:4|5)\d\d/;

/** The first merge of a process also loads the engine and its workers. */
const PATIENT = { timeout: 120_000 };

/** Paths of the digits' checkpoints. */
function digits(...names: string[]): string[] {
  return names.map((name) => new URL(`${name}.safetensors`, DIGITS).pathname);
}

/** Opens the page as a browser sees it that offers no dialog for saving, so that results are downloaded. */
async function merging(
  options: BrowsingOptions,
  run: (given: Browsing & { readonly view: Locator }) => Promise<void>,
): Promise<void> {
  await browsing(options, async (given) => {
    await given.page.addInitScript("delete globalThis.showSaveFilePicker");
    await given.page.reload();
    await run({ ...given, view: given.page.getByRole("region", { name: "Merge", exact: true }) });
  });
}

async function choose(view: Locator, paths: string[]): Promise<void> {
  await view.getByLabel("Choose checkpoints", { exact: true }).setInputFiles(paths);
  for (const path of paths) {
    const name = path.replace(/^.*\/|\.safetensors$/g, "");
    await view.getByLabel(`Name of ${name}`, { exact: true }).waitFor();
  }
}

async function bytesOf(download: Download): Promise<Uint8Array<ArrayBuffer>> {
  return await Deno.readFile(await download.path());
}

/** What a program would get for the same recipe and files. */
async function postedMerge(
  { app }: Browsing,
  recipe: unknown,
  names: string[],
  path = "/merge",
): Promise<Response> {
  const form = new FormData();
  form.append("recipe", new Blob([JSON.stringify(recipe)], { type: "application/json" }), "r.json");
  for (const name of names) {
    const bytes = await Deno.readFile(new URL(`${name}.safetensors`, DIGITS));
    form.append(name, new Blob([bytes]), name);
  }
  const response = await app.request(path, { method: "POST", body: form });
  assertEquals(response.status, 200);
  return response;
}

async function recipeText(view: Locator): Promise<string> {
  return await view.getByLabel(/^Recipe as/).inputValue();
}

/** Waits until something is so. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert(await isSo(), "it did not come to be so");
}

Deno.test("what the page merges in the service is, byte for byte, what a program gets for its recipe", async () => {
  await merging({ workers: 2 }, async (given) => {
    const { page, view } = given;
    await choose(view, digits("base", "left", "right"));
    await view.getByLabel("Method", { exact: true }).selectOption("ties");
    assertEquals(await view.getByLabel("Base", { exact: true }).inputValue(), "base");
    const density = view.getByRole("textbox", { name: "density of every model" });
    await density.fill("0.4");
    await view.getByRole("textbox", { name: "weight", exact: true }).first().fill("0.7");

    await view.getByRole("button", { name: "Show the plan" }).click();
    const table = view.getByRole("table", { name: "Plan by tensor" });
    await table.waitFor();
    assertEquals(await table.getByRole("row").count(), 7);
    const saved = page.waitForEvent("download", PATIENT);
    await view.getByRole("button", { name: "Merge in the service" }).click();
    const download = await saved;
    assertEquals(download.suggestedFilename(), "merged-ties.safetensors");
    const merged = await bytesOf(download);
    await view.getByText("fused WebAssembly").first().waitFor();

    const recipe = JSON.parse(await recipeText(view));
    assertEquals(recipe.parameters, { density: 0.4 });
    assertEquals(recipe.models[0].parameters, { weight: 0.7 });
    const posted = await postedMerge(given, recipe, ["base", "left", "right"]);
    assertEquals(merged, new Uint8Array(await posted.arrayBuffer()));
    const { tensors } = await openSafetensors(memorySource(merged));
    assertEquals(tensors.size, 6);
    await assertAccessible(page);
  });
});

Deno.test("the plan of the page is the plan of the service, and nothing is sent for it", async () => {
  await merging({}, async (given) => {
    const { page, view } = given;
    const sent: string[] = [];
    await choose(view, digits("base", "left"));
    await view.getByLabel("Method", { exact: true }).selectOption("dare_ties");
    await view.getByRole("textbox", { name: "density of every model" }).fill("0.5");
    page.on("request", (request) => request.method() === "POST" && sent.push(request.url()));
    await view.getByRole("button", { name: "Show the plan" }).click();
    const table = view.getByRole("table", { name: "Plan by tensor" });
    await table.waitFor();
    assertEquals(sent, []);
    const posted = await postedMerge(
      given,
      JSON.parse(await recipeText(view)),
      ["base", "left"],
      "/plan",
    );
    const plan = await posted.json() as PlanDocument;
    const facts = await view.locator(".plan .facts").innerText();
    assert(facts.includes(`${plan.tensors.length} merged`), facts);
    assert(facts.includes(`Written\n${formatBytes(plan.bytes_out)}`), facts);
    const names = await table.locator(".body .row").evaluateAll((rows) =>
      rows.map((row) => row.firstElementChild?.textContent)
    );
    assertEquals(names, plan.tensors.map(({ name }) => name));
    await view.getByLabel("Filter").fill("bias");
    await until(async () => await table.locator(".body .row").count() === 3);
  });
});

Deno.test("a large upload is counted, runs as a job, and is written to the file that was chosen", async () => {
  const folder = await Deno.makeTempDir();
  const elements = 4_500_000;
  for (const [i, name] of ["one", "two"].entries()) {
    await Deno.writeFile(`${folder}/${name}.safetensors`, constantFile(elements, 1 + 2 * i));
  }
  await browsing({ workers: 2 }, async ({ page, app }) => {
    // A dialog cannot be answered by a test: the file that it would give is one of the browser's own.
    await page.addInitScript(`globalThis.showSaveFilePicker = async ({ suggestedName }) => {
      const root = await navigator.storage.getDirectory();
      return await root.getFileHandle(suggestedName, { create: true });
    }`);
    await page.addInitScript(`globalThis.heard = [];
      addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
        const line = document.querySelector(".meter .line")?.textContent;
        if (line) heard.push(line);
      }).observe(document, { subtree: true, childList: true, characterData: true }));`);
    await page.reload();
    const view = page.getByRole("region", { name: "Merge", exact: true });
    await choose(view, [`${folder}/one.safetensors`, `${folder}/two.safetensors`]);
    await view.getByText("Uploads 2 files, 36 MB").waitFor();
    await view.getByRole("button", { name: "Merge in the service" }).click();
    await view.getByText(/^Merged: merged-linear\.safetensors, 18 MB/).waitFor({ timeout: 60_000 });
    const heard = await page.evaluate("heard") as string[];
    assert(heard.some((line) => /^Uploading.*of 36 MB/.test(line)), heard.join("\n"));
    assert(heard.some((line) => /^Saving.*of 18 MB/.test(line)), heard.join("\n"));
    const kept = await view.locator(".outcome .mono").first().innerText();
    const answer = await app.request(`/checkpoints/${kept}`);
    const digest = new Uint8Array(
      await crypto.subtle.digest("SHA-256", await answer.arrayBuffer()),
    );
    const saved = await page.evaluate(`(async () => {
      const root = await navigator.storage.getDirectory();
      const file = await (await root.getFileHandle("merged-linear.safetensors")).getFile();
      const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
      const values = new Float32Array(await file.slice(file.size - 8).arrayBuffer());
      return { digest: new Uint8Array(digest).toHex?.() ?? [...new Uint8Array(digest)]
        .map((byte) => byte.toString(16).padStart(2, "0")).join(""), values: [...values] };
    })()`) as { digest: string; values: number[] };
    assertEquals(saved.digest, digest.toHex());
    assertEquals(`sha256:${saved.digest}`, kept);
    assertEquals(saved.values, [2, 2]);
  });
  await Deno.remove(folder, { recursive: true });
});

/** A checkpoint of one tensor with the same value throughout. */
function constantFile(elements: number, value: number): Uint8Array {
  const header = JSON.stringify({
    weight: { dtype: "F32", shape: [elements], data_offsets: [0, 4 * elements] },
  }).padEnd(104);
  const bytes = new Uint8Array(8 + header.length + 4 * elements);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(new TextEncoder().encode(header), 8);
  new Float32Array(bytes.buffer, 8 + header.length).fill(value);
  return bytes;
}

Deno.test("of a file of 500 MB with 10,000 tensors only the header is read, and only rows that are seen are drawn", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/long.safetensors`;
  const header = longHeader(10_000, 50_000);
  await Deno.writeFile(path, header);
  await Deno.truncate(path, header.length + 10_000 * 50_000);
  await merging({}, async ({ page, view }) => {
    await page.addInitScript(`globalThis.bytesRead = 0;
      const { arrayBuffer } = Blob.prototype;
      Blob.prototype.arrayBuffer = function () { bytesRead += this.size; return arrayBuffer.call(this); };`);
    await page.reload();
    await choose(view, [path]);
    await view.getByText(/10,000 tensors.*501 MB/).waitFor();
    const read = await page.evaluate("bytesRead") as number;
    assert(read <= header.length + 2 * 65_536, `${read} bytes were read`);
    await view.getByText("Tensors", { exact: true }).click();
    const tree = view.getByRole("tree", { name: "Tensors of long" });
    await tree.focus();
    await page.keyboard.press("ArrowRight");
    await until(async () => await tree.getByRole("treeitem").count() > 10);
    assert(await tree.getByRole("treeitem").count() < 100);
    await page.keyboard.press("End");
    await tree.getByText("9999.weight").waitFor();
    const active = await tree.getAttribute("aria-activedescendant");
    assertEquals(await page.locator(`[id="${active}"] .title`).innerText(), "9999.weight");
    await assertAccessible(page);
  });
  await Deno.remove(folder, { recursive: true });
});

/** The header of a checkpoint of equal tensors. */
function longHeader(tensors: number, bytes: number): Uint8Array {
  const entries = Array.from({ length: tensors }, (_, i) => [
    `model.layers.${i}.weight`,
    { dtype: "BF16", shape: [bytes / 2], data_offsets: [i * bytes, (i + 1) * bytes] },
  ]);
  const json = JSON.stringify(Object.fromEntries(entries));
  const text = new TextEncoder().encode(json + " ".repeat((8 - json.length % 8) % 8));
  const header = new Uint8Array(8 + text.length);
  new DataView(header.buffer).setBigUint64(0, BigInt(text.length), true);
  header.set(text, 8);
  return header;
}

Deno.test("controls and text change each other, and text that cannot be read changes nothing", async () => {
  await merging({}, async ({ page, view }) => {
    await choose(view, digits("base", "left", "right"));
    await view.getByLabel("Method", { exact: true }).selectOption("task_arithmetic");
    const lambda = view.getByRole("textbox", { name: "lambda", exact: true });
    await lambda.fill("0.5");
    const editor = view.getByLabel(/^Recipe as/);
    await until(async () => JSON.parse(await recipeText(view)).parameters?.lambda === 0.5);

    const json = await recipeText(view);
    await editor.fill(json.replace('"lambda": 0.5', '"lambda": 0.25'));
    await until(async () => await lambda.inputValue() === "0.25");
    await editor.fill(json.replace('"lambda": 0.5', '"lambda": 0.5.5'));
    await view.getByText(/Cannot read the document as JSON at line \d+, column \d+/).first()
      .waitFor();
    assertEquals(await lambda.inputValue(), "0.25");
    await assertAccessible(page);
    await view.getByRole("button", { name: "Go back to it" }).click();
    assertEquals(JSON.parse(await recipeText(view)).parameters.lambda, 0.25);

    await view.getByRole("tab", { name: "YAML" }).click();
    await until(async () => (await recipeText(view)).startsWith("merge_method: task_arithmetic\n"));
    const yaml = await recipeText(view);
    await editor.fill(
      yaml.replace("  - model: left\n", "  - model: left\n    parameters: {weight: [0.2, 0.8]}\n"),
    );
    const weight = view.getByRole("textbox", { name: "weight", exact: true }).first();
    await until(async () => await weight.inputValue() === "0.2, 0.8");
    // What was typed is not written anew under the visitor's hands.
    assert((await recipeText(view)).includes("{weight: [0.2, 0.8]}"));
    await weight.fill("layers.0: 0.1; 0.9");
    await until(async () => (await recipeText(view)).includes("filter: layers.0"));
  });
});

Deno.test("checkpoints and a recipe can be dropped at once", async () => {
  await merging({}, async ({ page, view }) => {
    const files = await Promise.all(
      digits("left", "right").map(async (path) => ({
        name: path.replace(/^.*\//, ""),
        base64: (await Deno.readFile(path)).toBase64(),
      })),
    );
    const recipe =
      "merge_method: linear\nmodels: [{model: right, parameters: {weight: 3}}, {model: left}]";
    files.push({ name: "recipe.yaml", base64: btoa(recipe) });
    const transfer = await page.evaluateHandle((files) => {
      const transfer = new DataTransfer();
      for (const { name, base64 } of files) {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        transfer.items.add(new File([bytes], name));
      }
      return transfer;
    }, files);
    const place = view.locator(".drop").first();
    await place.dispatchEvent("dragenter", { dataTransfer: transfer });
    await until(async () => await place.getAttribute("class") === "drop over");
    await place.dispatchEvent("drop", { dataTransfer: transfer });
    await view.getByLabel("Name of right", { exact: true }).waitFor();
    assertEquals(await place.getAttribute("class"), "drop");
    await until(async () => (await recipeText(view)).includes('"weight": 3'));
    const { models } = JSON.parse(await recipeText(view)) as { models: { model: string }[] };
    assertEquals(models.map(({ model }) => model), ["right", "left"]);
    assertEquals(await view.getByText(/^Nothing stands for/).count(), 0);
  });
});

Deno.test("adapters are used with their configurations, which may come later", async () => {
  const folder = new URL("../../fixtures/adapters/", import.meta.url).pathname;
  await merging({ expected: REFUSED }, async ({ page, view }) => {
    const input = view.getByLabel("Choose checkpoints", { exact: true });
    await input.setInputFiles([
      `${folder}first/adapter_model.safetensors`,
      `${folder}first/adapter_config.json`,
    ]);
    await view.getByText(/^adapter · \d+ tensors/).waitFor();
    await input.setInputFiles(`${folder}second/adapter_model.safetensors`);
    await view.getByLabel("Choose adapter_config.json of adapter_model-2")
      .setInputFiles(`${folder}second/adapter_config.json`);
    await view.getByLabel("Method", { exact: true }).selectOption("lora_cat");
    await view.getByText("Uploads 4 files").waitFor();
    await assertAccessible(page);
    const saved = page.waitForEvent("download", PATIENT);
    await view.getByRole("button", { name: "Merge in the service" }).click();
    const { tensors, kind } = await openSafetensors(memorySource(await bytesOf(await saved)));
    assertEquals(kind, "adapter");
    assert(tensors.size > 0);
  });
});

Deno.test("an ONNX model is a base whose graph the result takes", async () => {
  await merging({}, async ({ page, view }) => {
    const model = new URL("digits.onnx", DIGITS).pathname;
    await view.getByLabel("Choose checkpoints", { exact: true }).setInputFiles(model);
    await view.getByLabel("Name of digits", { exact: true }).waitFor();
    await choose(view, digits("left", "right"));
    await view.getByLabel("Method", { exact: true }).selectOption("ties");
    await view.getByLabel("Base", { exact: true }).selectOption("digits");
    await view.getByText("Output, seed, and what does not fit").click();
    await view.getByLabel("Form", { exact: true }).selectOption("ONNX model");
    await view.getByLabel("Except tensors").fill("*.bias");
    await view.getByRole("button", { name: "Show the plan" }).click();
    await view.getByText("3 merged, 3 copied").waitFor();
    const saved = page.waitForEvent("download", PATIENT);
    await view.getByRole("button", { name: "Merge in the service" }).click();
    const download = await saved;
    assertEquals(download.suggestedFilename(), "merged-ties.onnx");
    const { tensors, model: graph } = await openCheckpoint(
      memorySource(await bytesOf(download)),
      () => Promise.reject(new Error("Nothing stands beside it")),
    );
    assertEquals([tensors.has("layers.0.weight"), graph === undefined], [true, false]);
  });
});

Deno.test("a mergekit file works as it is: its names wait for their files", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(
    `${folder}/recipe.yml`,
    "models:\n- model: org/left\n  parameters: {weight: 0.5, density: 0.5}\n- model: upright\n" +
      "merge_method: ties\nbase_model: org/base\nparameters: {normalize: true}\ndtype: float32\n",
  );
  await merging({}, async (given) => {
    const { page, view } = given;
    await view.getByLabel("Choose a recipe").setInputFiles(`${folder}/recipe.yml`);
    await view.getByText("Nothing stands for “org/base”, “org/left”, “upright” yet").waitFor();
    await assertAccessible(page);
    const [base, left, upright] = digits("base", "left", "upright");
    await view.getByLabel("Choose the file of org/base").setInputFiles(base!);
    await view.getByLabel("Choose the file of org/left").setInputFiles(left!);
    // A file of the name is enough.
    await choose(view, [upright!]);
    await until(async () => await view.getByText(/^Nothing stands for/).count() === 0);
    const recipe = JSON.parse(await recipeText(view));
    assertEquals(recipe.models.length, 2);
    assertEquals(recipe.sources["org/left"], { upload: true });
    const saved = page.waitForEvent("download", PATIENT);
    await view.getByRole("button", { name: "Merge in the service" }).click();
    assert((await bytesOf(await saved)).length > 50_000);
  });
  await Deno.remove(folder, { recursive: true });
});

Deno.test("wrong names are told with the nearest ones, and a button makes the correction", async () => {
  await merging({ expected: REFUSED }, async ({ page, view }) => {
    await choose(view, digits("base", "left"));
    const editor = view.getByLabel(/^Recipe as/);
    await until(async () => (await recipeText(view)).includes('"left"'));
    const recipe = {
      merge_method: "tise",
      base_model: "base",
      models: [{ model: "left", parameters: { densty: 0.5 } }],
    };
    await editor.fill(JSON.stringify(recipe));
    const notice = view.getByRole("alert");
    await notice.getByText("No such merge method").waitFor();
    await notice.getByRole("button", { name: "merge_method" }).click();
    assertEquals(await page.evaluate("document.activeElement.dataset.path"), "merge_method");
    await assertAccessible(page);
    await notice.getByRole("button", { name: "Use “ties”" }).click();
    await notice.getByRole("button", { name: "Use “density” instead of “densty”" }).click();
    await until(async () => await notice.count() === 0);
    assertEquals(JSON.parse(await recipeText(view)).models[0].parameters, { density: 0.5 });

    await editor.fill(
      JSON.stringify({ ...recipe, merge_method: "ties", models: [{ model: "lefft" }] }),
    );
    await view.getByText("Nothing stands for “lefft” yet").waitFor();
    await view.getByRole("button", { name: "Use “left” instead" }).click();
    await until(async () => JSON.parse(await recipeText(view)).models[0].model === "left");
  });
});

Deno.test("what the service refuses is told in words: what, where, and what to do next", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeFile(`${folder}/other.safetensors`, constantFile(16, 1));
  await Deno.writeTextFile(`${folder}/pickle.pt`, "PK\x03\x04 and so on");
  await merging({ expected: REFUSED }, async ({ page, view }) => {
    await choose(view, digits("left"));
    await view.getByLabel("Choose checkpoints", { exact: true })
      .setInputFiles(`${folder}/pickle.pt`);
    await view.getByText(/PyTorch checkpoint.*weights_only=True/).waitFor();
    await view.getByRole("button", { name: "Remove pickle" }).click();
    await choose(view, [`${folder}/other.safetensors`]);
    await view.getByRole("button", { name: "Merge in the service" }).click();
    const notice = view.getByRole("alert");
    await notice.getByText("The checkpoints do not fit together").waitFor();
    await notice.getByText(/Choose models of one architecture/).waitFor();
    await notice.getByText("Request", { exact: true }).waitFor();
    await assertAccessible(page);
  });
  await Deno.remove(folder, { recursive: true });
});

Deno.test("what the service keeps is added, seen, planned in the page, and merged without a file", async () => {
  await merging({}, async (given) => {
    const { page, view, app } = given;
    for (const path of digits("left", "right")) {
      const response = await app.request("/checkpoints", {
        method: "POST",
        body: await Deno.readFile(path),
      });
      assertEquals(response.status, 201);
    }
    await view.getByText("By address, or from what is kept").click();
    await view.getByRole("button", { name: "Show what the service keeps" }).click();
    const adds = view.getByRole("button", { name: /^Add [0-9a-f]{12}$/ });
    await until(async () => await adds.count() === 2);
    for (const add of await adds.all()) await add.click();
    const named = view.getByRole("list", { name: "Named checkpoints" });
    await until(async () => await named.getByText("weights · 6 tensors").count() === 2);
    await assertAccessible(page);
    await view.getByRole("button", { name: "Show the plan" }).click();
    await view.getByRole("table", { name: "Plan by tensor" }).waitFor();
    const saved = page.waitForEvent("download", PATIENT);
    await view.getByRole("button", { name: "Merge in the service" }).click();
    const merged = await bytesOf(await saved);
    const recipe = JSON.parse(await recipeText(view));
    assert(
      Object.values<{ checkpoint?: string }>(recipe.sources).every(({ checkpoint }) => checkpoint),
    );
    const posted = await app.request("/merge", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(recipe),
    });
    assertEquals(merged, new Uint8Array(await posted.arrayBuffer()));
  });
});

Deno.test("an address is asked for by the service, which says why it does not read it", async () => {
  await merging({ expected: REFUSED }, async ({ page, view }) => {
    await view.getByText("By address, or from what is kept").click();
    const address = view.getByLabel("Address");
    await address.fill("not an address");
    await page.keyboard.press("Enter");
    await view.getByText(/Must be a URL.*current value is not an address/).waitFor();
    await address.fill("https://example.org/some/model.safetensors");
    await page.keyboard.press("Enter");
    await view.getByText("The source may not be read").waitFor();
    assertEquals(await view.getByLabel("Name of some").inputValue(), "some");
    await assertAccessible(page);
  });
});

Deno.test("every kind of problem is seen as words: its title, its detail, where, and what to do next", async () => {
  await merging({ expected: REFUSED }, async ({ page, view, app }) => {
    await choose(view, digits("left", "right"));
    const listed = await app.request("/problems", { headers: { accept: "application/json" } });
    const { problems } = await listed.json() as {
      problems: { kind: string; type: string; title: string; status: number }[];
    };
    assert(problems.length > 20);
    const notice = view.locator(".merge-run").getByRole("alert");
    for (const { kind, type, title, status } of problems) {
      const document = {
        type,
        title,
        status,
        detail: `Cannot merge as this is a test of ${kind}: current value is 3`,
        errors: [{ path: "models[0].model", message: `Here ${kind} stands` }],
        tensor: "layers.0.weight",
      };
      await page.route("**/merge", (route) =>
        route.fulfill({
          status,
          contentType: "application/problem+json",
          body: JSON.stringify(document),
        }));
      await view.getByRole("button", { name: "Merge in the service" }).click();
      if (kind === "unauthorized") {
        await page.getByRole("dialog").waitFor();
        await page.keyboard.press("Escape");
      }
      await notice.getByText(document.detail).waitFor();
      const words = await notice.innerText();
      for (const part of [title, "models[0].model", `Here ${kind} stands`, "layers.0.weight"]) {
        assert(words.includes(part), `${kind}: ${words}`);
      }
      assertEquals(await notice.locator(".advice").count(), 1, kind);
      await page.unroute("**/merge");
    }
    await notice.getByRole("button", { name: "models[0].model" }).click();
    assertEquals(await page.evaluate("document.activeElement.dataset.path"), "models[0].model");
    await assertAccessible(page);
  });
});

Deno.test("a merge that fails after its answer began says why, and leaves no file", async () => {
  const folder = await Deno.makeTempDir();
  for (const [name, last] of [["one", 1], ["two", NaN]] as const) {
    const bytes = constantFile(2_500_000, 1);
    new DataView(bytes.buffer).setFloat32(bytes.length - 4, last, true);
    await Deno.writeFile(`${folder}/${name}.safetensors`, bytes);
  }
  // The browser's own word for an answer that ends early.
  await merging({ expected: /net::ERR_/ }, async ({ page, view }) => {
    let downloads = 0;
    page.on("download", () => downloads++);
    await choose(view, [`${folder}/one.safetensors`, `${folder}/two.safetensors`]);
    await view.getByRole("button", { name: "Merge in the service" }).click();
    const notice = view.getByRole("alert");
    await notice.getByText("The merge ended early").waitFor(PATIENT);
    const words = await notice.innerText();
    assert(/"two".*NaN or infinity|NaN.*two|two.*finite/.test(words), words);
    assertEquals(downloads, 0);
    const left = await page.evaluate(`(async () => {
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle("amalgam-downloads");
      return (await Array.fromAsync(folder.keys())).length;
    })()`);
    assertEquals(left, 0);
  });
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a merge that is cancelled is told to be, and can be run again", async () => {
  await merging({}, async ({ page, view }) => {
    await choose(view, digits("left", "right"));
    let goOn = () => {};
    const held = new Promise<void>((resolve) => goOn = resolve);
    await page.route("**/merge", async (route) => {
      await held;
      await route.continue().catch(() => {});
    });
    await view.getByRole("button", { name: "Merge in the service" }).click();
    await view.getByRole("progressbar").waitFor();
    await assertAccessible(page);
    await view.getByRole("button", { name: "Cancel" }).click();
    await view.getByText("The merge was cancelled.").waitFor();
    goOn();
    await page.unroute("**/merge");
    const saved = page.waitForEvent("download", PATIENT);
    await view.getByRole("button", { name: "Merge in the service" }).click();
    assert((await bytesOf(await saved)).length > 50_000);
  });
});

Deno.test("with keys set, the page asks for one, keeps it in memory only, and asks again when it is wrong", async () => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode("secret-key"));
  const keys = [new Uint8Array(digest).toHex()];
  await merging({ keys, expected: REFUSED }, async ({ page, view }) => {
    const dialog = page.getByRole("dialog", { name: "This service asks for a key" });
    await dialog.waitFor();
    await assertAccessible(page);
    await dialog.getByLabel("Key", { exact: true }).fill("wrong-key");
    await dialog.getByRole("button", { name: "Use this key" }).click();
    await dialog.getByText("The service did not accept the key.").waitFor();
    await dialog.getByLabel("Key", { exact: true }).fill("secret-key");
    await page.keyboard.press("Enter");
    await choose(view, digits("left", "right"));
    const saved = page.waitForEvent("download", PATIENT);
    await view.getByRole("button", { name: "Merge in the service" }).click();
    await saved;
    const stored = await page.evaluate(
      "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href])",
    ) as string;
    assert(!stored.includes("secret"));
    await page.reload();
    await dialog.waitFor();
    await page.keyboard.press("Escape");
    await view.getByText("A key is needed").waitFor();
  });
});

Deno.test("a link brings the recipe along, and no file", async () => {
  await merging({}, async ({ page, view, context }) => {
    await choose(view, digits("base", "left"));
    await view.getByLabel("Method", { exact: true }).selectOption("ties");
    await view.getByRole("button", { name: "Share as a link" }).click();
    const link = await view.getByLabel("Link to this recipe").inputValue();
    const other = await context.newPage();
    await other.goto(link);
    await other.getByText("Nothing stands for “base”, “left” yet").waitFor();
    assertEquals(await other.getByLabel("Method", { exact: true }).inputValue(), "ties");
    await other.close();
    assertEquals(page.url(), link);
  });
});

Deno.test("everything can be reached and read at phone width, by keyboard, light and dark", async () => {
  for (const colorScheme of ["light", "dark"] as const) {
    await merging(
      { viewport: { width: 390, height: 844 }, colorScheme },
      async ({ page, view }) => {
        await choose(view, digits("base", "left", "right"));
        await view.getByLabel("Method", { exact: true }).selectOption("della");
        for (const summary of await view.locator("summary").all()) await summary.click();
        await view.getByRole("button", { name: "Show the plan" }).click();
        await view.getByRole("table", { name: "Plan by tensor" }).waitFor();
        assertEquals(
          await page.evaluate("document.documentElement.scrollWidth <= innerWidth"),
          true,
        );
        await assertAccessible(page);
        await reachesByKeyboard(page, ["Choose checkpoints", "Share as a link", "Show the plan"]);
      },
    );
  }
});

/** Walks through the page with the tabulator until each of these has had the focus, in this order. */
async function reachesByKeyboard(page: Page, names: string[]): Promise<void> {
  await page.evaluate("document.activeElement?.blur(); scrollTo(0, 0)");
  const walked: string[] = [];
  for (let i = 0; i < 150 && walked.at(-1) !== names.at(-1); i++) {
    await page.keyboard.press("Tab");
    walked.push(await page.evaluate("document.activeElement?.textContent ?? ''") as string);
  }
  assertEquals(walked.filter((text) => names.includes(text)), names);
}
