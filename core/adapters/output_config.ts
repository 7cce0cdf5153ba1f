/**
 * Writes the `adapter_config.json` of an adapter whose own scale is 1 (METHODS.md 10), and its tensor names.
 *
 * @module
 */
import { type ModuleForm, PREFIX } from "./adapter_modules.ts";

/** A module of an adapter that is written. */
export interface WrittenModule {
  readonly module: string;
  readonly form: ModuleForm;
  readonly rank: number;
}

/** What the configuration says besides its modules. */
export interface ConfigFacts {
  readonly fanInFanOut: boolean;
  readonly baseModel: string | null;
  readonly taskType: string | null;
}

/** The names of both factors, as PEFT writes them. */
export function factorNames(
  { module, form }: Pick<WrittenModule, "module" | "form">,
): { readonly a: string; readonly b: string } {
  const path = PREFIX + module;
  return form === "embedding"
    ? { a: `${path}.lora_embedding_A`, b: `${path}.lora_embedding_B` }
    : { a: `${path}.lora_A.weight`, b: `${path}.lora_B.weight` };
}

/** The text of the configuration: `lora_alpha` is the rank, of every module, and `use_rslora` is false. */
export function adapterConfig(modules: readonly WrittenModule[], facts: ConfigFacts): string {
  const rank = modules.reduce((most, module) => Math.max(most, module.rank), 1);
  const isEven = modules.every((module) => module.rank === rank);
  // PEFT takes the first pattern that matches the end of a path: anchored, each matches one path alone.
  const patterns = isEven
    ? {}
    : Object.fromEntries(modules.map((module) => [`^${escaped(module.module)}`, module.rank]));
  return JSON.stringify(
    {
      alpha_pattern: patterns,
      auto_mapping: null,
      base_model_name_or_path: facts.baseModel,
      bias: "none",
      fan_in_fan_out: facts.fanInFanOut,
      inference_mode: true,
      init_lora_weights: true,
      layers_pattern: null,
      layers_to_transform: null,
      lora_alpha: rank,
      lora_dropout: 0,
      modules_to_save: null,
      peft_type: "LORA",
      r: rank,
      rank_pattern: patterns,
      revision: null,
      target_modules: targets(modules.map(({ module }) => module)),
      task_type: facts.taskType,
      use_dora: false,
      use_rslora: false,
    },
    null,
    2,
  );
}

/** Paths, or, where one is the end of another, an expression that matches whole paths alone. */
function targets(modules: readonly string[]): string[] | string {
  const sorted = modules.toSorted();
  const known = new Set(sorted);
  const isEnd = (module: string) => {
    for (let dot = module.indexOf("."); dot >= 0; dot = module.indexOf(".", dot + 1)) {
      if (known.has(module.slice(dot + 1))) return true;
    }
    return false;
  };
  return sorted.some(isEnd) ? `(?:${sorted.map(escaped).join("|")})` : sorted;
}

function escaped(text: string): string {
  return text.replaceAll(/[^\w-]/g, (character) => `\\${character}`);
}
