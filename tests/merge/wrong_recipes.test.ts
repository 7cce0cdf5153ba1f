import { assert, assertEquals } from "@std/assert";
import { METHODS } from "../../core/methods/mod.ts";
import { parseRecipe } from "../../core/merge/recipe.ts";
import { caughtProblem } from "../support/caught_problem.ts";

const TIES = { merge_method: "ties", base_model: "base", models: [{ model: "a" }, { model: "b" }] };
const SLERP = {
  merge_method: "slerp",
  base_model: "base",
  models: [{ model: "base" }, { model: "a" }],
  parameters: { t: 0.5 },
};
const STACK = {
  merge_method: "passthrough",
  slices: [{ sources: [{ model: "a", layer_range: [0, 2] }] }],
};
const TOKENIZER =
  "merging needs no tokenizer here: remove the key and carry the tokenizer over yourself";

/** What is wrong, the document, and its only fault. */
const CASES: readonly [name: string, document: unknown, path: string, message: string][] = [
  ["a list", [], "", "Cannot use the recipe as it must be a map: current value is []"],
  [
    "no method",
    { models: [{ model: "a" }] },
    "merge_method",
    "Cannot read the recipe as merge_method is missing: current value is undefined",
  ],
  [
    "neither models nor slices",
    { merge_method: "linear" },
    "models",
    "Cannot merge as one of models and slices must be given: current value is neither",
  ],
  [
    "models and slices",
    { ...STACK, models: [{ model: "a" }] },
    "slices",
    "Cannot merge as only one of models and slices may be given: current value is both",
  ],
  [
    "a misspelt key",
    { ...TIES, out_dtpye: "float32" },
    "out_dtpye",
    'Cannot use the key as it is unknown here, did you mean "out_dtype": current value is "out_dtpye"',
  ],
  [
    "a key like nothing",
    { ...TIES, zzz: 1 },
    "zzz",
    'Cannot use the key as it is unknown here: current value is "zzz"',
  ],
  [
    "a misspelt key of a model",
    { ...TIES, models: [{ model: "a", paramters: {} }] },
    "models[0].paramters",
    'Cannot use the key as it is unknown here, did you mean "parameters": ' +
    'current value is "paramters"',
  ],
  [
    "a model without name",
    { ...TIES, models: [{ parameters: {} }] },
    "models[0].model",
    "Cannot read the recipe as model is missing: current value is undefined",
  ],
  [
    "a model that is no string",
    { ...TIES, models: [{ model: 7 }] },
    "models[0].model",
    "Cannot use model as it must be a name without control characters: current value is 7",
  ],
  [
    "models that are no list",
    { ...TIES, models: "a" },
    "models",
    'Cannot use models as it must be a list of { model, parameters }: current value is "a"',
  ],
  [
    "a bare name as model",
    { ...TIES, models: ["a"] },
    "models[0]",
    'Cannot use the entry as it must be a map { model, parameters }: current value is "a"',
  ],
  [
    "a model twice",
    { ...TIES, models: [{ model: "a" }, { model: "a" }] },
    "models[1].model",
    'Cannot merge a model with itself as every name must stand once: current value is "a"',
  ],
  [
    "slerp without base",
    { ...SLERP, base_model: undefined, models: [{ model: "a" }] },
    "base_model",
    "Cannot merge as slerp needs base_model, the model that it starts from; name one of your " +
    "models: current value is undefined",
  ],
  [
    "too many models",
    { ...SLERP, models: [{ model: "base" }, { model: "a" }, { model: "b" }] },
    "models",
    "Cannot merge as slerp takes at most 1 model besides the base model: current value is 2",
  ],
  [
    "too few models",
    { merge_method: "linear", models: [] },
    "models",
    "Cannot merge as linear takes at least 1 model: current value is 0",
  ],
  [
    "a dtype that is none",
    { ...TIES, dtype: "float17" },
    "dtype",
    "Cannot use dtype as it must be a floating-point type such as float32, float16 or bfloat16: " +
    'current value is "float17"',
  ],
  [
    "an integer dtype",
    { ...TIES, out_dtype: "int8" },
    "out_dtype",
    "Cannot use out_dtype as it must be a floating-point type such as float32, float16 or " +
    'bfloat16: current value is "int8"',
  ],
  [
    "an 8-bit float output",
    { ...TIES, out_dtype: "float8_e4m3fn" },
    "out_dtype",
    'Cannot use this type as it must be wider than 8 bits unless float8 is "unscaled": ' +
    'current value is "float8_e4m3fn"',
  ],
  [
    "a negative seed",
    { ...TIES, seed: -1 },
    "seed",
    "Cannot use seed as it must be an integer in [0, 2^53): current value is -1",
  ],
  [
    "a seed with a fraction",
    { ...TIES, seed: 1.5 },
    "seed",
    "Cannot use seed as it must be an integer in [0, 2^53): current value is 1.5",
  ],
  [
    "a policy that is none",
    { ...TIES, mismatch: "crop" },
    "mismatch",
    'Cannot use mismatch as it must be "error" or "base" or "skip": current value is "crop"',
  ],
  [
    "a glob that is no string",
    { ...TIES, tensors: { include: [1] } },
    "tensors.include[0]",
    "Cannot use the entry as it must be a glob: current value is 1",
  ],
  [
    "a misspelt key of tensors",
    { ...TIES, tensors: { exclud: ["a"] } },
    "tensors.exclud",
    'Cannot use the key as it is unknown here, did you mean "exclude": current value is "exclud"',
  ],
  [
    "a position beyond 1",
    { ...TIES, gradient_t: [{ filter: "head", value: 2 }] },
    "gradient_t[0].value",
    "Cannot use value as it must be a number in [0, 1]: current value is 2",
  ],
  [
    "a file name with a slash",
    { ...TIES, name: "a/b" },
    "name",
    "Cannot use name as it must be a file name of at most 200 characters without slashes and " +
    'control characters: current value is "a/b"',
  ],
  [
    "a tokenizer",
    { ...TIES, tokenizer_source: "union" },
    "tokenizer_source",
    `Cannot use the key as ${TOKENIZER}: current value is "tokenizer_source"`,
  ],
  [
    "a chat template",
    { ...TIES, chat_template: "auto" },
    "chat_template",
    `Cannot use the key as ${TOKENIZER}: current value is "chat_template"`,
  ],
  [
    "LiNeS without a factor",
    { ...TIES, lines: { beta: 1 } },
    "lines.alpha",
    "Cannot read the recipe as alpha is missing: current value is undefined",
  ],
  [
    "an unknown output",
    { ...TIES, output: { format: "gguf" } },
    "output.format",
    'Cannot use format as it must be "safetensors" or "onnx" or "peft": current value is "gguf"',
  ],
  [
    "shards of no size",
    { ...TIES, output: { shard_size: "0KB" } },
    "output.shard_size",
    "Cannot use shard_size as it must be a number of bytes of at least 1, or text such as 5GB or 500MiB: " +
    'current value is "0KB"',
  ],
  [
    "shards of an ONNX model",
    { ...TIES, output: { format: "onnx", shard_size: 1e9 } },
    "output.shard_size",
    "Cannot cut the result as an ONNX model is one file: current value is 1000000000",
  ],
  [
    "an address that nothing can be sent to",
    { ...TIES, output: { put: "s3://bucket/file" } },
    "output.put",
    "Cannot use put as it must be an http or https URL, in which {file} stands for the file's name, or a list of " +
    'such URLs: current value is "s3://bucket/file"',
  ],
];

for (const [name, document, path, message] of CASES) {
  Deno.test(`parseRecipe() names ${name}`, async () => {
    const problem = await caughtProblem(() => parseRecipe(document, METHODS));
    assertEquals(problem.members.errors, [{ path, message }]);
    assertEquals(problem.kind, "invalid-recipe");
    assertEquals(problem.message, message);
  });
}

Deno.test("parseRecipe() tells the nearest methods", async () => {
  const document = { ...TIES, merge_method: "dare-ties" };
  const problem = await caughtProblem(() => parseRecipe(document, METHODS));
  assertEquals(problem.kind, "unknown-method");
  assertEquals(
    problem.message,
    'Cannot merge as there is no such method, did you mean "dare_ties": current value is "dare-ties"',
  );
  assertEquals(problem.members.nearest, ["dare_ties"]);
});

Deno.test("parseRecipe() reports every fault at once", async () => {
  const problem = await caughtProblem(() =>
    parseRecipe({
      merge_method: "tie",
      base_model: 3,
      modles: [],
      models: [
        { model: "a", parameters: { density: [] }, weight: 1 },
        { model: "a", parameters: 7 },
      ],
      seed: "x",
      tensors: { otherwise: "last", includes: [] },
      sources: { a: { upload: false, url: "x" } },
    }, METHODS)
  );
  assertEquals(problem.kind, "invalid-recipe");
  assertEquals(problem.members.errors?.map(({ path }) => path).sort(), [
    "base_model",
    "merge_method",
    "models[0].parameters.density",
    "models[0].weight",
    "models[1].model",
    "models[1].parameters",
    "modles",
    "seed",
    "sources.a.upload",
    "sources.a.url",
    "tensors.includes",
    "tensors.otherwise",
  ]);
  assert(problem.message.endsWith("(and 11 more faults)"));
});
