import { assert, assertEquals } from "@std/assert";
import { catalogue } from "../../../../core/methods/catalogue.ts";
import { METHODS } from "../../../../core/methods/mod.ts";
import {
  baseFault,
  countFault,
  likelyBase,
  type Method,
  needsText,
  withMethod,
  withNewSources,
} from "../../../../routes/page/app/views/merge/method_catalogue.ts";
import { checkRecipe } from "../../../../routes/page/app/views/merge/recipe/check_recipe.ts";
import type { RecipeDocument } from "../../../../routes/page/app/views/merge/recipe/recipe_document.ts";

/** As the page reads it: from JSON. */
const CATALOGUE = JSON.parse(JSON.stringify(catalogue(METHODS))) as Method[];

function method(name: string): Method {
  const found = CATALOGUE.find((each) => each.name === name);
  assert(found, name);
  return found;
}

function models(count: number): RecipeDocument {
  return {
    merge_method: "linear",
    models: Array.from({ length: count }, (_, i) => ({ model: `model-${i}` })),
  };
}

Deno.test("whatever method is chosen, the page says that models are too few or many where the service does", () => {
  for (const chosen of CATALOGUE) {
    for (let count = 0; count <= 5; count++) {
      const recipe = withMethod(models(count), chosen);
      const fault = countFault(chosen, recipe);
      const told = checkRecipe(recipe);
      const counted = (told?.errors ?? []).filter(({ path, message }) =>
        path === "models" && / takes at (?:least|most) /.test(message)
      );
      assertEquals(
        fault === undefined,
        counted.length === 0,
        `${chosen.name} with ${count}: ${fault} ${JSON.stringify(told?.errors)}`,
      );
    }
  }
});

Deno.test("what a method needs is told in words", () => {
  assertEquals(needsText(method("ties")), "Takes a base and any number of models.");
  assertEquals(needsText(method("slerp")), "Takes a base and at most one model.");
  assertEquals(needsText(method("analogy")), "Takes a base and exactly 3 models.");
  assertEquals(needsText(method("linear")), "Takes any number of models, and no base.");
  assertEquals(
    needsText(method("nuslerp")),
    "Takes 1 to 2 models; with a base it works on what they changed.",
  );
  assert(needsText(method("fisher")).includes("each with its statistics"));
  assertEquals(
    countFault(method("slerp"), { ...models(2), base_model: "base" }),
    "slerp takes at most 1 besides the base: current number is 2",
  );
});

Deno.test("a base is asked for where models hold weights and the method works on what they changed", () => {
  const isWeights = (name: string) => name === "model-1";
  assertEquals(baseFault(method("ties"), models(1), isWeights), undefined);
  assertEquals(
    baseFault(method("ties"), models(2), isWeights),
    "ties needs a base: none is chosen",
  );
  assertEquals(baseFault(method("ties"), { ...models(2), base_model: "b" }, isWeights), undefined);
  assertEquals(baseFault(method("linear"), models(2), isWeights), undefined);
});

Deno.test("with another method, the parameters that it knows stay and the others go", () => {
  const before: RecipeDocument = {
    merge_method: "ties",
    base_model: "base",
    models: [{ model: "a", parameters: { weight: 0.5, density: 0.3 } }],
    parameters: { lambda: 2, normalize: true },
    seed: 3,
  };
  const after = withMethod(before, method("task_arithmetic"));
  assertEquals(after.models, [{ model: "a", parameters: { weight: 0.5, density: 0.3 } }]);
  assertEquals([after.parameters?.lambda, after.seed, after.base_model], [2, 3, "base"]);
  const linear = withMethod(before, method("linear"));
  assertEquals(linear.base_model, undefined);
  assertEquals(linear.models, [{ model: "base" }, { model: "a", parameters: { weight: 0.5 } }]);
  assertEquals(linear.parameters, { normalize: true });
  const experimental = withMethod(before, method("ace"));
  assertEquals(experimental.experimental, true);
  assertEquals("experimental" in withMethod(experimental, method("ties")), false);
});

Deno.test("of new sources the likeliest is the base, and the others are models", () => {
  assertEquals(likelyBase(["left", "my-base-model", "database"]), "my-base-model");
  assertEquals(likelyBase(["left", "right"]), "left");
  assertEquals(likelyBase([]), undefined);
  const empty: RecipeDocument = { merge_method: "ties", models: [] };
  const begun = withNewSources(empty, method("ties"), ["left", "base"]);
  assertEquals([begun.base_model, begun.models], ["base", [{ model: "left" }]]);
  const more = withNewSources(begun, method("ties"), ["base", "right"]);
  assertEquals([more.base_model, more.models], ["base", [{ model: "left" }, { model: "right" }]]);
  const sliced: RecipeDocument = { merge_method: "passthrough", slices: [] };
  assertEquals(withNewSources(sliced, undefined, ["a"]), sliced);
});
