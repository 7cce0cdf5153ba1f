/**
 * The recipe's schema (API.md, section 2). The messages in it say what a value must be; `recipe.ts` makes
 * sentences of them. `/openapi.json` is made from it as well.
 *
 * @module
 */
import * as v from "valibot";
import { dtypeNames } from "../tensor/dtype.ts";
import { shardSizeOf } from "./shard_size.ts";
import { SourceEntrySchema } from "./sources.ts";

const NAME = "a name without control characters";
const Name = v.pipe(v.string(NAME), v.regex(/^[^\p{Cc}]{1,1000}$/u, NAME));

const DTYPE = "a floating-point type such as float32, float16 or bfloat16";
const FloatType = v.picklist(dtypeNames("float"), DTYPE);

const Globs = v.array(v.pipe(v.string("a glob"), v.nonEmpty("a glob")), "a list of globs");
const OFF = false;
const Flag = v.nullish(v.boolean("true or false"), OFF);

function oneOf<const Names extends readonly [string, ...string[]]>(...names: Names) {
  const expected = names.map((name) => `"${name}"`).join(" or ");
  return v.nullish(v.picklist(names, expected), names[0]);
}

const Gradient = v.array(v.number());
const Value = v.union([v.number(), v.boolean(), v.string(), Gradient]);
const Conditional = v.strictObject({ filter: v.nullish(v.string()), value: Value });

/** A parameter: a value, a gradient over the layers, or such by filter. Checked by the method's own declaration. */
export const SettingSchema = v.union([
  Value,
  Conditional,
  v.array(Conditional),
  v.array(v.string()),
]);
const Settings = v.nullish(v.record(v.string(), SettingSchema));

const Model = v.strictObject(
  { model: Name, parameters: Settings, statistics: v.nullish(Name) },
  "a map { model, parameters }",
);

const LayerIndex = v.pipe(
  v.number("a block number"),
  v.safeInteger("a block number"),
  v.minValue(0, "a block number"),
);
const SliceSource = v.strictObject({
  model: Name,
  layer_range: v.strictTuple([LayerIndex, LayerIndex], "a list of two block numbers [first, end)"),
  parameters: Settings,
}, "a map { model, layer_range, parameters }");
const Slice = v.strictObject({
  sources: v.pipe(
    v.array(SliceSource, "a list of { model, layer_range }"),
    v.nonEmpty("a list of at least one { model, layer_range }"),
  ),
  parameters: Settings,
}, "a map { sources, parameters }");

const SEED = "an integer in [0, 2^53)";
const Seed = v.pipe(v.number(SEED), v.safeInteger(SEED), v.minValue(0, SEED));

const POSITION = "a number in [0, 1]";
const Position = v.strictObject({
  filter: v.optional(
    v.pipe(v.string("a part of tensor names"), v.nonEmpty("a part of tensor names")),
  ),
  value: v.pipe(v.number(POSITION), v.minValue(0, POSITION), v.maxValue(1, POSITION)),
}, "a map { filter, value }");

const FACTOR = "a finite number";
const Factor = v.pipe(v.number(FACTOR), v.finite(FACTOR));
const ALPHA = `${FACTOR} or "auto"`;

const FILE_NAME = "a file name of at most 200 characters without slashes and control characters";
const FileName = v.pipe(v.string(FILE_NAME), v.regex(/^[^\p{Cc}/\\]{1,200}$/u, FILE_NAME));

const SHARD_SIZE = "a number of bytes of at least 1, or text such as 5GB or 500MiB";
const ShardSize = v.pipe(
  v.union([v.number(), v.string()], SHARD_SIZE),
  v.check((size) => shardSizeOf(size) !== undefined, SHARD_SIZE),
);

const PUT =
  "an http or https URL, in which {file} stands for the file's name, or a list of such URLs";
const PutUrl = v.pipe(
  v.string(PUT),
  v.check((url) => /^https?:$/.test(URL.parse(url)?.protocol ?? ""), PUT),
);

/** The document of merge, plan and analyze. */
export const RecipeSchema = v.strictObject({
  merge_method: v.pipe(v.string("the name of a method"), v.nonEmpty("the name of a method")),
  base_model: v.nullish(Name),
  models: v.nullish(v.array(Model, "a list of { model, parameters }")),
  slices: v.nullish(
    v.pipe(
      v.array(Slice, "a list of { sources, parameters }"),
      v.nonEmpty("a list of at least one { sources, parameters }"),
    ),
  ),
  parameters: Settings,
  dtype: v.nullish(FloatType),
  out_dtype: v.nullish(FloatType),
  sources: v.nullish(v.record(v.string(), SourceEntrySchema, "a map of sources"), {}),
  seed: v.nullish(Seed, 0),
  tensors: v.nullish(v.strictObject({
    include: v.nullish(Globs, ["*"]),
    exclude: v.nullish(Globs, []),
    otherwise: oneOf("base", "first", "omit"),
  }, "a map { include, exclude, otherwise }")),
  mismatch: oneOf("error", "base", "skip"),
  missing: oneOf("error", "drop", "base"),
  extra: oneOf("error", "copy", "omit"),
  non_finite: oneOf("error", "base", "propagate"),
  saturate: Flag,
  strict_integers: Flag,
  float8: oneOf("refuse", "unscaled"),
  compat: oneOf("none", "mergekit"),
  rng: v.nullish(v.picklist(["threefry", "mt19937"], '"threefry" or "mt19937"')),
  gradient_t: v.nullish(v.array(Position, "a list of { filter, value }"), []),
  lines: v.nullish(v.strictObject({
    alpha: v.union([Factor, v.literal("auto")], ALPHA),
    beta: v.nullish(Factor, 0),
  }, "a map { alpha, beta }")),
  experimental: Flag,
  output: v.nullish(v.strictObject({
    format: oneOf("safetensors", "onnx", "peft"),
    graph: v.nullish(Name),
    shard_size: v.nullish(ShardSize),
    put: v.nullish(v.union([PutUrl, v.pipe(v.array(PutUrl, PUT), v.nonEmpty(PUT))], PUT)),
  }, "a map { format, graph, shard_size, put }")),
  name: v.nullish(FileName),
}, "a map");

/** A recipe as callers write it. */
export type RecipeInput = v.InferInput<typeof RecipeSchema>;

const TOKENIZER =
  "merging needs no tokenizer here: remove the key and carry the tokenizer over yourself";

/**
 * Keys that mergekit or the contract knows but this version does not, by their place (`[]` for an index,
 * `*` for a name), each with the reason.
 */
export const UNSUPPORTED_KEYS: Readonly<Record<string, string>> = {
  "tokenizer_source": TOKENIZER,
  "tokenizer": TOKENIZER,
  "chat_template": TOKENIZER,
  "modules": "merging modules apart is not supported yet: use tensors or filters",
  "matrix_exclude": "it stands under parameters, for methods that have it",
  "matrix_view": "it stands under parameters, for methods that have it",
  "slices[].sources[].statistics": "methods with statistics take models, not slices",
  "slices[].base_model":
    "a base of its own per slice is not supported: use the top-level base_model",
  "slices[].residual_weight": "residual weights are not supported",
};
