import { assertAlmostEquals, assertEquals } from "@std/assert";
import { METHODS } from "../../core/methods/mod.ts";
import { parseDocument } from "../../core/merge/document.ts";
import { parseRecipe } from "../../core/merge/recipe.ts";
import { opened, planOf, readBy, tensorOf } from "./opened.ts";

/** A small decoder with four blocks. */
const DECODER = opened({
  "model.embed_tokens.weight": ["BF16", [8, 4]],
  ...Object.fromEntries(
    [0, 1, 2, 3].flatMap((i) => [
      [`model.layers.${i}.self_attn.q_proj.weight`, ["BF16", [4, 4]]] as const,
      [`model.layers.${i}.mlp.up_proj.weight`, ["BF16", [6, 4]]] as const,
      [`model.layers.${i}.input_layernorm.weight`, ["BF16", [4]]] as const,
    ]),
  ),
  "model.norm.weight": ["BF16", [4]],
  "lm_head.weight": ["BF16", [8, 4]],
});

const yaml = (text: string) => parseDocument(text, "application/yaml");

Deno.test("a mergekit configuration for linear is accepted as it is", async () => {
  const plan = planOf(
    await yaml(`
merge_method: linear
models:
  - model: org/first-7B
    parameters:
      weight: 1
  - model: org/second-7B
    parameters:
      weight: [0.1, 0.5]
parameters:
  normalize: true
dtype: float16
`),
    { "org/first-7B": DECODER, "org/second-7B": DECODER },
  );
  const block = tensorOf(plan, "model.layers.1.mlp.up_proj.weight");
  assertEquals([block.action, block.dtype], ["merge", "F16"]);
  const second = block.parameters["org/second-7B"] as { weight: number };
  assertAlmostEquals(second.weight, 0.1 + 0.4 / 3, 1e-12);
});

Deno.test("a mergekit configuration for slerp over slices is accepted as it is", async () => {
  const plan = planOf(
    await yaml(`
slices:
  - sources:
      - model: a
        layer_range: [0, 4]
      - model: b
        layer_range: [0, 4]
merge_method: slerp
base_model: a
parameters:
  t:
    - filter: self_attn
      value: [0, 0.5, 0.3, 0.7, 1]
    - filter: mlp
      value: [1, 0.5, 0.7, 0.3, 0]
    - value: 0.5 # fallback for rest of tensors
dtype: bfloat16
`),
    { a: DECODER, b: DECODER },
  );
  const t = (name: string) => tensorOf(plan, name).parameters.t as number;
  assertEquals(t("model.layers.0.self_attn.q_proj.weight"), 0);
  assertAlmostEquals(t("model.layers.1.self_attn.q_proj.weight"), 0.5 - 0.2 / 3, 1e-12);
  assertEquals(t("model.layers.3.mlp.up_proj.weight"), 0);
  assertEquals(t("model.layers.2.input_layernorm.weight"), 0.5);
  assertEquals(t("lm_head.weight"), 0.5);
  assertEquals(plan.tensors.length, DECODER.tensors.size);
  const ends = ["model.layers.0.self_attn.q_proj.weight", "model.layers.3.self_attn.q_proj.weight"];
  assertEquals(ends.map((name) => tensorOf(plan, name).reasons), [["t-zero"], ["t-one"]]);
});

Deno.test("a mergekit configuration for ties is accepted as it is", async () => {
  const plan = planOf(
    await yaml(`
models:
  - model: psmathur/orca_mini_v3_13b
    parameters:
      density: [1, 0.7, 0.1] # density gradient
      weight: 1.0
  - model: garage-bAInd/Platypus2-13B
    parameters:
      density: 0.5
      weight: [0, 0.3, 0.7, 1] # weight gradient
  - model: WizardLM/WizardMath-13B-V1.0
    parameters:
      density: 0.33
      weight:
        - filter: mlp
          value: 0.5
        - value: 0
  - model: TheBloke/Llama-2-13B-fp16
    # no parameters necessary for base model
merge_method: ties
base_model: TheBloke/Llama-2-13B-fp16
parameters:
  normalize: true
  int8_mask: true
dtype: float16
`),
    Object.fromEntries(
      [
        "psmathur/orca_mini_v3_13b",
        "garage-bAInd/Platypus2-13B",
        "WizardLM/WizardMath-13B-V1.0",
        "TheBloke/Llama-2-13B-fp16",
      ].map((name) => [name, DECODER]),
    ),
  );
  const mlp = tensorOf(plan, "model.layers.3.mlp.up_proj.weight");
  assertAlmostEquals(
    (mlp.parameters["psmathur/orca_mini_v3_13b"] as { density: number }).density,
    0.1,
    1e-12,
  );
  assertEquals((mlp.parameters["WizardLM/WizardMath-13B-V1.0"] as { weight: number }).weight, 0.5);
  assertEquals(readBy(mlp).map((input) => input.split(":")[0]), [
    "TheBloke/Llama-2-13B-fp16",
    "psmathur/orca_mini_v3_13b",
    "garage-bAInd/Platypus2-13B",
    "WizardLM/WizardMath-13B-V1.0",
  ]);
  assertEquals(plan.passes, 2);
});

Deno.test("a mergekit configuration for passthrough stacks layers", async () => {
  const plan = planOf(
    await yaml(`
slices:
- sources:
  - model: a
    layer_range: [0, 3]
- sources:
  - model: b
    layer_range: [1, 4]
    parameters:
      scale:
        - filter: up_proj
          value: 0.0
        - value: 1.0
merge_method: passthrough
dtype: bfloat16
`),
    { a: DECODER, b: DECODER },
  );
  assertEquals(plan.tensors.filter(({ name }) => name.endsWith("up_proj.weight")).length, 6);
  const upper = tensorOf(plan, "model.layers.4.mlp.up_proj.weight");
  assertEquals(readBy(upper), ["b:model.layers.2.mlp.up_proj.weight"]);
  assertEquals([upper.action, upper.parameters], ["merge", { b: { scale: 0 } }]);
  const lower = tensorOf(plan, "model.layers.2.mlp.up_proj.weight");
  assertEquals(readBy(lower), ["a:model.layers.2.mlp.up_proj.weight"]);
  assertEquals(lower.reasons, ["identity"]);
});

Deno.test("a mergekit configuration for dare_ties is accepted as it is", async () => {
  const recipe = parseRecipe(
    await yaml(`
base_model: base
merge_method: dare_ties
models:
  - model: base
  - model: one
    parameters: {density: 0.53, weight: 0.4}
  - model: two
    parameters:
parameters:
  int8_mask: 1
  lambda: 1
dtype: bfloat16
out_dtype: float32
`),
    METHODS,
  );
  assertEquals(recipe.out_dtype, "F32");
  assertEquals(recipe.models?.map(({ parameters }) => parameters), [
    {},
    { density: 0.53, weight: 0.4 },
    {},
  ]);
  assertEquals([recipe.seed, recipe.rng, recipe.compat], [0, "threefry", "none"]);
  assertEquals(recipe.tensors, { include: ["*"], exclude: [], otherwise: "base" });
});

Deno.test("the order of a document's keys changes nothing", () => {
  const document = {
    merge_method: "linear",
    models: [{ model: "a", parameters: { weight: 2 } }, { parameters: {}, model: "b" }],
    parameters: { normalize: false, weight: 0.5 },
    seed: 7,
    out_dtype: "bfloat16",
    tensors: { include: ["model.*"], otherwise: "omit" },
  };
  const reversed = Object.fromEntries(Object.entries(document).reverse());
  const plans = [document, reversed].map((each) => planOf(each, { a: DECODER, b: DECODER }));
  assertEquals(plans[0]!.metadata, plans[1]!.metadata);
  assertEquals(
    plans[0]!.tensors.map(({ name, parameters }) => [name, parameters]),
    plans[1]!.tensors.map(({ name, parameters }) => [name, parameters]),
  );
});
