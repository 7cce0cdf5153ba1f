/**
 * `adapter_config.json` of a PEFT adapter: what scales its factors and how they lie (METHODS.md 10).
 *
 * LoRA: Hu et al. 2021, arXiv 2106.09685; rsLoRA: Kalajdzievski 2023, arXiv 2312.03732.
 *
 * @module
 */
import { parseJsonDocument } from "./config_json.ts";
import { type AdapterName, adapterProblem } from "./adapter_problem.ts";
import { type ModulePattern, modulePatterns } from "./module_patterns.ts";

/** A configuration that can be carried out. */
export interface AdapterConfig {
  readonly rank: number;
  readonly alpha: number;
  /** Whether the scale is `alpha/√r` instead of `alpha/r`. */
  readonly rankStabilized: boolean;
  /** Whether the weights of linear layers are stored `[in, out]`. */
  readonly fanInFanOut: boolean;
  /** Ranks and alphas of modules that differ from the rest, the first that matches wins. */
  readonly rankPatterns: readonly ModulePattern[];
  readonly alphaPatterns: readonly ModulePattern[];
  /** For the configuration of what is made from it; null where unknown. */
  readonly baseModel: string | null;
  readonly taskType: string | null;
}

const MERGE_IT = "merge it into its base with peft (merge_and_unload) and use the merged weights";

/** Keys that change what the factors mean, the values that leave them as they are, and what to do instead. */
const REFUSED: readonly (readonly [key: string, what: string, instead: string])[] = [
  ["use_dora", "DoRA, whose magnitudes divide by norms of the base's weights", MERGE_IT],
  ["use_qalora", "QA-LoRA, whose factors act on pooled inputs", MERGE_IT],
  ["alora_invocation_tokens", "activated LoRA, which acts on some tokens only", "run it with peft"],
  ["lora_bias", "a bias beside the factors (lora_bias)", MERGE_IT],
  [
    "modules_to_save",
    "whole modules beside the factors (modules_to_save)",
    "remove them from the file and the configuration, and merge them as weights, or " + MERGE_IT,
  ],
  [
    "trainable_token_indices",
    "rows of embeddings beside the factors (trainable_token_indices)",
    MERGE_IT,
  ],
  ["target_parameters", "factors of parameters instead of modules (target_parameters)", MERGE_IT],
  ["layer_replication", "layers that the base does not have (layer_replication)", MERGE_IT],
  ["megatron_config", "factors that are split over machines (Megatron)", MERGE_IT],
  ["corda_config", "CorDA, whose base is changed too", "convert it to LoRA with peft first"],
  ["lora_ga_config", "LoRA-GA, whose base is changed too", "convert it to LoRA with peft first"],
  ["kasa_config", "KaSA, which changes the base's weights too", MERGE_IT],
  ["arrow_config", "Arrow, which routes between adapters", "merge the adapters that it routes to"],
];

/** Initializations that subtract something from the base, so that the factors alone are not the task vector. */
const CHANGES_BASE = /^(?:pissa|olora|corda|loftq)/i;

/**
 * Reads a configuration.
 *
 * @throws {Problem} `invalid-checkpoint` if it is malformed, `unsupported-format` if it says that the adapter
 * is more than scaled factors; each names the source.
 */
export function parseAdapterConfig(text: string, adapter: AdapterName): AdapterConfig {
  const config = parseJsonDocument(text, adapter);
  const type = config.peft_type;
  if (typeof type !== "string") throw malformed(adapter, "peft_type", "a text such as LORA", type);
  if (type !== "LORA") {
    throw adapterProblem(
      "unsupported-format",
      adapter,
      `only LoRA is a product of two factors (${MERGE_IT}): current value of peft_type is ` +
        JSON.stringify(type),
      { peft_type: type },
    );
  }
  for (const [key, what, instead] of REFUSED) {
    const value = config[key];
    if (isOff(value)) continue;
    throw adapterProblem(
      "unsupported-format",
      adapter,
      `it has ${what} (${instead}): current value of ${key} is ${shown(value)}`,
      { key },
    );
  }
  const unknown = Object.keys(config).find((key) =>
    key.startsWith("use_") && key !== "use_rslora" && !isOff(config[key])
  );
  if (unknown !== undefined) {
    throw adapterProblem(
      "unsupported-format",
      adapter,
      `it is of a variant that is not known here (${MERGE_IT}): current value of ${unknown} is ` +
        shown(config[unknown]),
      { key: unknown },
    );
  }
  const { bias = "none", init_lora_weights: initial } = config;
  if (bias !== "none") {
    throw adapterProblem(
      "unsupported-format",
      adapter,
      `it trains biases of the base beside the factors (${MERGE_IT}): current value of bias is ` +
        shown(bias),
      { key: "bias" },
    );
  }
  if (typeof initial === "string" && CHANGES_BASE.test(initial)) {
    throw adapterProblem(
      "unsupported-format",
      adapter,
      `its initialization changes the base's weights too (convert it to LoRA with peft, see ` +
        `path_initial_model_for_weight_conversion): current value of init_lora_weights is ` +
        shown(initial),
      { key: "init_lora_weights" },
    );
  }
  return {
    rank: rankOf(config.r, "r", adapter),
    alpha: alphaOf(config.lora_alpha, "lora_alpha", adapter),
    rankStabilized: flag(config, "use_rslora", adapter),
    fanInFanOut: flag(config, "fan_in_fan_out", adapter),
    rankPatterns: modulePatterns(config.rank_pattern, "rank_pattern", adapter, rankOf),
    alphaPatterns: modulePatterns(config.alpha_pattern, "alpha_pattern", adapter, alphaOf),
    baseModel: textOr(config.base_model_name_or_path),
    taskType: textOr(config.task_type),
  };
}

/** Rank and scale of a module, named by its path without the prefix of PEFT. */
export function scaleOf(
  config: AdapterConfig,
  module: string,
): { readonly rank: number; readonly scale: number } {
  const valueIn = (patterns: readonly ModulePattern[]) =>
    patterns.find(({ matches }) => matches(module))?.value;
  const rank = valueIn(config.rankPatterns) ?? config.rank;
  const alpha = valueIn(config.alphaPatterns) ?? config.alpha;
  return { rank, scale: alpha / (config.rankStabilized ? Math.sqrt(rank) : rank) };
}

function isOff(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function rankOf(value: unknown, key: string, adapter: AdapterName): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return value;
  throw malformed(adapter, key, "an integer of at least 1", value);
}

function alphaOf(value: unknown, key: string, adapter: AdapterName): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw malformed(adapter, key, "a finite number", value);
}

function flag(
  config: Readonly<Record<string, unknown>>,
  key: string,
  adapter: AdapterName,
): boolean {
  const value = config[key] ?? false;
  if (typeof value === "boolean") return value;
  throw malformed(adapter, key, "true or false", value);
}

function textOr(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function malformed(adapter: AdapterName, key: string, expected: string, value: unknown) {
  return adapterProblem(
    "invalid-checkpoint",
    adapter,
    `${key} of its configuration must be ${expected}: current value is ${shown(value)}`,
    { key },
  );
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "undefined").slice(0, 200);
}
