/**
 * Hostile adapters: their configurations, and files of factors that do not fit them.
 *
 * @module
 */
import fc from "fast-check";
import { tensorOf } from "../../../core/onnx/element_type.ts";
import { numbers, safetensorsOf } from "../../support/small_model.ts";
import { form, type Inputs, joined, NAMES, nested, spoiled, spoiledTree } from "./hostile_input.ts";

const MODULES = ["layers.0.q_proj", "layers.1.q_proj", `${"a".repeat(60)}.q_proj`];
const matrix = (rows: number, columns: number, seed: number) =>
  tensorOf("float32", [rows, columns], numbers(rows * columns, seed));
const BASE = safetensorsOf(
  Object.fromEntries(MODULES.map((name, i) => [`${name}.weight`, matrix(8, 6, i)])),
);
const FACTORS = safetensorsOf(Object.fromEntries(
  MODULES.flatMap((name, i) => [
    [`base_model.model.${name}.lora_A.weight`, matrix(2, 6, 10 + i)],
    [`base_model.model.${name}.lora_B.weight`, matrix(8, 2, 20 + i)],
  ]),
));
const CONFIG = {
  peft_type: "LORA",
  r: 2,
  lora_alpha: 4,
  target_modules: ["q_proj"],
  rank_pattern: { "layers.0": 2 },
  alpha_pattern: { "^layers.1": 8 },
  fan_in_fan_out: false,
  use_rslora: false,
  use_dora: false,
  bias: "none",
  modules_to_save: null,
  layers_to_transform: null,
};
/** Patterns on which a backtracking matcher does not end, or that are none. */
const PATTERNS = [
  "^(a+)+$",
  "(a|a)*b",
  "^(([a-z])+.)+[A-Z]([a-z])+$",
  "(.*)*\\.x",
  "(?:a?){60}a{60}",
  "(a{1,100}){1,100}b",
  "(",
  "[",
  "\\",
  "(?<n>a)\\k<n>",
  "(?=a)",
  "*",
  "a{999999999}",
  ".*q_proj",
  "\u0000",
] as const;
const pattern = fc.constantFrom(...PATTERNS, ...NAMES);
const withPatterns = fc.record({
  target_modules: fc.oneof(pattern, fc.array(pattern, { maxLength: 3 })),
  rank_pattern: fc.dictionary(pattern, fc.constantFrom(1, 2, 0, -1, 1e9, 1.5), { maxKeys: 3 }),
  alpha_pattern: fc.dictionary(pattern, fc.constantFrom(1, 8, 0, -1, 1e308), { maxKeys: 3 }),
}, { requiredKeys: [] }).map((changes) => JSON.stringify({ ...CONFIG, ...changes }));
const configText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: spoiledTree([CONFIG]).map((tree) => JSON.stringify(tree) ?? "null") },
  { weight: 4, arbitrary: withPatterns },
  { weight: 1, arbitrary: fc.nat(50_000).map((depth) => "[".repeat(depth)) },
  { weight: 1, arbitrary: fc.nat(300).map((depth) => JSON.stringify(nested(depth))) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 80 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("1e400", "0x2", "-1", "99999999999999999999", "NaN").map((number) =>
      JSON.stringify(CONFIG).replace('"r":2', `"r":${number}`)
    ),
  },
);
const factors = fc.oneof(
  { weight: 2, arbitrary: fc.constant(FACTORS) },
  { weight: 1, arbitrary: spoiled([FACTORS]) },
);

/** Adapters with their configuration, onto a base, with each other, or alone. */
export const adapterInputs: Inputs = fc.record({
  config: configText,
  factors,
  path: fc.constantFrom("/merge", "/plan"),
  how: fc.nat(2),
}).map(({ config, factors, path, how }) => {
  const text = joined([new TextEncoder().encode(config)]);
  const models = how === 1 ? ["adapter", "other"] : ["adapter"];
  const recipe = {
    merge_method: how === 1 ? "lora_cat" : "task_arithmetic",
    ...(how === 1 ? {} : { base_model: "base" }),
    models: models.map((model) => ({ model, parameters: { weight: 1 } })),
    ...(how === 2 ? { sources: { adapter: { upload: true, kind: "adapter" } } } : {}),
  };
  const files: Record<string, Uint8Array> = how === 1 ? {} : { base: BASE };
  files.adapter = factors;
  files["adapter.config"] = text;
  if (how === 1) {
    files.other = FACTORS;
    files["other.config"] = joined([new TextEncoder().encode(JSON.stringify(CONFIG))]);
  }
  return form(path, "recipe", recipe, files);
});
