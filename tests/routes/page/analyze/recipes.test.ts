import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { catalogue } from "../../../../core/methods/catalogue.ts";
import { METHODS } from "../../../../core/methods/mod.ts";
import type { PlanDocument } from "../../../../core/merge/plan_document.ts";
import { analysisDocument } from "../../../../routes/page/app/views/analyze/analysis_request.ts";
import {
  comparePlans,
  planTable,
} from "../../../../routes/page/app/views/analyze/recipes/compared_plans.ts";
import {
  type Method,
  readRecipe,
  usualRecipe,
} from "../../../../routes/page/app/views/analyze/recipes/recipe_draft.ts";
import { postRecipe } from "../../../support/merge_requests.ts";
import { checkpointBytes } from "../../../support/merging.ts";
import { testApp } from "../../../support/service.ts";

const source = (name: string) => ({
  name,
  origin: { type: "checkpoint" as const, id: `sha256:${name}` },
});

Deno.test("the usual recipe of every method that needs no more than models is planned by the service", async () => {
  const { app, close } = testApp();
  const values = { "layers.0.weight": { shape: [4, 4], values: [...Array(16).keys()] } };
  const files = {
    base: checkpointBytes(values),
    a: checkpointBytes(values),
    b: checkpointBytes(values),
  };
  try {
    let planned = 0;
    for (const method of catalogue(METHODS)) {
      const { experimental, needs: { models, statistics }, parameters } = method;
      const wanting = Object.values(parameters).some((spec) => spec["required"]);
      if (experimental || statistics || wanting || models.minimum > 2) continue;
      // Of adapters alone.
      if (method.name.startsWith("lora_")) continue;
      const text = usualRecipe(method as unknown as Method, "base", ["a", "b"]);
      const used = Object.entries(files).filter(([name]) => text.includes(`"${name}"`));
      const recipe = JSON.parse(text);
      const response = await postRecipe(app, "/plan", recipe, Object.fromEntries(used));
      const answer = await response.json();
      if (response.status === 200) planned++;
      else assertEquals(response.status, 200, `${text} ${JSON.stringify(answer)}`);
    }
    assert(planned > 10, `${planned}`);
  } finally {
    await close();
  }
});

Deno.test("a recipe is sent with the sources that it names, and what is no recipe is told", () => {
  const text = JSON.stringify({ merge_method: "linear", models: [{ model: "a" }, { model: "b" }] });
  const read = readRecipe(text, ["a", "b", "c"].map(source));
  assert("value" in read);
  assertEquals(read.value["sources"], {
    a: { checkpoint: "sha256:a" },
    b: { checkpoint: "sha256:b" },
  });
  for (const wrong of ["{", "[]", "null", "3"]) assert("fault" in readRecipe(wrong, []), wrong);
  const document = analysisDocument(
    { base: undefined, models: ["a"], spectrum: true },
    [source("a")],
  );
  assertEquals(document, {
    models: [{ model: "a" }],
    spectrum: true,
    sources: { a: { checkpoint: "sha256:a" } },
  });
});

Deno.test("plans are compared by what each tensor gets", () => {
  const plan = (method: string, weights: Record<string, number>): PlanDocument => ({
    method,
    kind: "weights",
    seed: 0,
    rng: "threefry" as PlanDocument["rng"],
    bytes_in: 0,
    bytes_out: 0,
    passes: 1,
    peak_memory: 0,
    tensors: Object.entries(weights).map(([name, weight]) => ({
      name,
      dtype: "F32",
      shape: [1],
      action: "merge",
      reason: null,
      reasons: [],
      parameters: { weight, per: { a: [weight, true] } },
      t: 0,
      models: [],
    })),
    warnings: [],
  });
  const compared = comparePlans(
    plan("linear", { x: 1, y: 2 }),
    plan("linear", { x: 1, y: 3, z: 1 }),
  );
  assertEquals(compared.map(({ name, same }) => [name, same]), [
    ["x", true],
    ["y", false],
    ["z", false],
  ]);
  const other = comparePlans(plan("linear", { x: 1 }), plan("ties", { x: 1 }));
  assertEquals(other[0]!.same, false);
  const row = planTable(compared).rows[2]!;
  assertEquals(row[2], "absent");
  assertStringIncludes(String(row[3]), "weight 1 per { a [1, true] }");
});
