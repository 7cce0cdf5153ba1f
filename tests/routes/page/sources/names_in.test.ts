import { assertEquals } from "@std/assert";
import { parseAtmDocument } from "../../../../core/atm/rounds/atm_document.ts";
import { atmNames } from "../../../../core/atm/rounds/atm_names.ts";
import { parseRecipe, usedNames } from "../../../../core/merge/recipe.ts";
import { METHODS } from "../../../../core/methods/mod.ts";
import { namesIn } from "../../../../routes/page/app/sources/names_in.ts";
import { atmDocument } from "../../../support/atm.ts";

Deno.test("the names in a document are those that the service finds there, and no other text", () => {
  const document = {
    ...atmDocument(),
    start: { recipe: { merge_method: "linear", models: [{ model: "m" }, { model: "n" }] } },
    references: ["base", "mean"],
    merge: { merge_method: "ties", parameters: { density: 0.5 } },
  };
  const sources = { m: { upload: true }, n: { upload: true } };
  const parsed = parseAtmDocument({ ...document, sources });
  assertEquals([...namesIn(document)].sort(), [...atmNames(parsed).keys()].sort());

  const recipe = {
    merge_method: "linear",
    mismatch: "base",
    tensors: { otherwise: "first" },
    slices: [{
      sources: [{ model: "a", layer_range: [0, 1] }, { model: "b", layer_range: [0, 1] }],
    }],
    name: "c",
  };
  assertEquals([...namesIn(recipe)], [...usedNames(parseRecipe(recipe, METHODS)).keys()]);
});

Deno.test("the shard of a participant is no source of the caller's", () => {
  const task = { name: "t", shard: "away", select: "here", participant: { url: "u", shard: "s" } };
  assertEquals([...namesIn({ model: "net", tasks: [task] })], ["net", "here"]);
});
