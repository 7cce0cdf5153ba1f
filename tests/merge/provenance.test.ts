import { assert, assertEquals, assertFalse } from "@std/assert";
import { METHODS } from "../../core/methods/mod.ts";
import { planDocument } from "../../core/merge/plan_document.ts";
import { canonicalJson } from "../../core/merge/provenance.ts";
import { parseRecipe } from "../../core/merge/recipe.ts";
import { opened, planOf } from "./opened.ts";

const ID = `sha256:${"1".repeat(64)}`;
const DOCUMENT = {
  merge_method: "dare_ties",
  base_model: "base",
  models: [
    { model: "a", parameters: { density: [0.5, 0.25], weight: [{ filter: "w", value: 2 }] } },
    { model: "b" },
  ],
  parameters: { lambda: 0.5 },
  out_dtype: "bfloat16",
  seed: 42,
  compat: "mergekit",
  gradient_t: [{ filter: "w", value: 0.5 }],
  tensors: { exclude: ["b"] },
  sources: {
    base: { checkpoint: ID },
    a: {
      url: "https://user:word@example.org/a.safetensors?token=secret#x",
      headers: { authorization: "secret" },
    },
    b: { upload: true },
  },
  name: "merged.safetensors",
};
const MODEL = opened({ w: [2], b: [2] }, "weights", { format: "tf" });
const CHECKPOINTS = { base: MODEL, a: MODEL, b: MODEL };
const INPUTS = new Map([
  ["b", { bytes: 5 }],
  ["base", { sha256: "1".repeat(64), id: ID, bytes: 9 }],
]);

Deno.test("the metadata says how the result was made, without secrets", () => {
  const { metadata } = planOf(DOCUMENT, CHECKPOINTS, { inputs: INPUTS });
  const { "amalgam.recipe": recipe, ...rest } = metadata;
  assertEquals(rest, {
    "format": "tf",
    "kind": "weights",
    "amalgam.version": "0.0.0",
    "amalgam.inputs": `{"b":{"bytes":5},"base":{"bytes":9,"id":"${ID}","sha256":"${
      "1".repeat(64)
    }"}}`,
    "amalgam.seed": "42",
    "amalgam.rng": "mt19937",
    "amalgam.counts": '{"copy":1,"merge":1,"omit":0}',
  });
  assertFalse(/secret|word|user/.test(JSON.stringify(metadata)));
  assert(recipe?.includes('"url":"https://example.org/a.safetensors"'));
});

Deno.test("the recipe of the metadata can be replayed to the same plan", () => {
  const plan = planOf(DOCUMENT, CHECKPOINTS, { inputs: INPUTS });
  const replayed = JSON.parse(plan.metadata["amalgam.recipe"]!);
  const again = planOf(replayed, CHECKPOINTS, { inputs: INPUTS });
  assertEquals(planDocument(again), planDocument(plan));
  assertEquals(again.metadata, plan.metadata);
  assertEquals(parseRecipe(replayed, METHODS).rng, "mt19937");
});

Deno.test("canonicalJson() sorts keys everywhere", () => {
  assertEquals(
    canonicalJson({ b: [{ d: 1, c: 2 }], a: { f: null, e: "x" } }),
    '{"a":{"e":"x","f":null},"b":[{"c":2,"d":1}]}',
  );
});

Deno.test("planDocument() is what POST /plan answers", () => {
  const plan = planOf(DOCUMENT, CHECKPOINTS);
  const document = planDocument(plan);
  assertEquals(document.tensors, [
    {
      name: "b",
      dtype: "BF16",
      shape: [2],
      action: "copy",
      reason: "unselected",
      reasons: ["unselected"],
      parameters: {},
      t: 0,
      models: ["base"],
    },
    {
      name: "w",
      dtype: "BF16",
      shape: [2],
      action: "merge",
      reason: null,
      reasons: [],
      parameters: {
        a: { weight: 2, density: 0.375 },
        b: { weight: 1, density: 1 },
        lambda: 0.5,
        normalize: false,
        rescale: true,
        rescale_mode: "inverse_density",
        int8_mask: false,
      },
      t: 0.5,
      models: ["a", "b"],
    },
  ]);
  assertEquals([document.method, document.seed, document.rng], ["dare_ties", 42, "mt19937"]);
  assertEquals([document.bytes_in, document.bytes_out], [plan.bytesIn, plan.bytesOut]);
});
