import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { postRecipe, problemOf } from "../support/merge_requests.ts";
import { testApp } from "../support/service.ts";
import { smallCheckpoint } from "../support/stored_checkpoint.ts";

// What the hostile campaign found, one by one.

async function answered(
  path: string,
  recipe: unknown,
): Promise<Awaited<ReturnType<typeof problemOf>>> {
  const { app, faults, close } = testApp();
  try {
    const problem = await problemOf(await postRecipe(app, path, recipe));
    assertEquals(faults, []);
    return problem;
  } finally {
    await close();
  }
}

Deno.test("a recipe that comes as a file and is not UTF-8 is refused, not a fault of ours", async () => {
  const { app, faults, close } = testApp();
  try {
    for (const bytes of [[0xcb, 0xe7], [0x7b, 0xff], [0x7b, 0xe2, 0x82]]) {
      const body = new FormData();
      body.append("recipe", new Blob([new Uint8Array(bytes)]), "recipe.json");
      body.append("a", new Blob([smallCheckpoint(10)]), "a");
      const problem = await problemOf(await app.request("/merge", { method: "POST", body }));
      assertEquals([problem.status, problem.kind], [400, "invalid-request"]);
      assertStringIncludes(problem.detail, "Cannot read the recipe as it must be UTF-8");
    }
    assertEquals(faults, []);
  } finally {
    await close();
  }
});

Deno.test("a document with thousands of faults is answered with two hundred and their number", async () => {
  const recipe = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key${i}`, 1]));
  const problem = await answered("/plan", recipe);
  assertEquals(problem.errors?.length, 200);
  assert(Number(problem.faults) >= 5000, `${problem.faults}`);
  assertStringIncludes(problem.detail, "more faults)");
});

Deno.test("an analysis does not look at parameters, whatever stands there", async () => {
  const id = `sha256:${"0".repeat(64)}`;
  for (const parameters of [-1e308, [{ normalize: true }], { density: { merge_method: 1 } }]) {
    const problem = await answered("/analyze", {
      base_model: "a",
      models: [{ model: "b", parameters }],
      parameters,
      sources: { a: { checkpoint: id }, b: { checkpoint: id } },
    });
    // Everything but the checkpoint is there.
    assertEquals(problem.kind, "unknown-source", problem.detail);
  }
});

Deno.test("every refusal of a form names a fault, lists in the place of maps too", async () => {
  for (
    const recipe of [
      { merge_method: "linear", models: [{ model: "a" }], sources: [{ a: { upload: true } }] },
      { merge_method: "linear", models: [{ model: "a" }], sources: { a: [{ upload: true }] } },
      { merge_method: "linear", models: [{ model: "a" }], output: [{ format: "safetensors" }] },
    ]
  ) {
    const { kind, errors, detail } = await answered("/plan", recipe);
    assertEquals([kind, errors!.length > 0], ["invalid-recipe", true]);
    assertStringIncludes(detail, "must be");
  }
});
