/**
 * Reads a recipe: mergekit's configuration plus the keys of API.md, section 2.
 *
 * @module
 */
import type { MergeMethod } from "../methods/method.ts";
import { type Fault, Problem } from "../problem.ts";
import { type DType, DTYPES, parseDType } from "../tensor/dtype.ts";
import { invalidRecipe, mustBe, show } from "./faults.ts";
import { didYouMean, nearestNames } from "./nearest.ts";
import { type Conditional, type Settings, settingsOf } from "./parameters.ts";
import { checkMeaning } from "./recipe_checks.ts";
import { checkForm, type RecipeDocument } from "./recipe_form.ts";
import { outlineOf } from "./recipe_outline.ts";
import { shardSizeOf } from "./shard_size.ts";
import {
  bindSources,
  checkSources,
  type SourceParts,
  type Sources,
  type SourceSpec,
} from "./sources.ts";

/** One model of a recipe. */
export interface ModelEntry {
  readonly model: string;
  readonly parameters: Settings;
  /** Name of the source of its statistics. */
  readonly statistics?: string;
}

/** Blocks `[first, end)` of one model. */
export interface SliceSource extends ModelEntry {
  readonly layer_range: readonly [first: number, end: number];
}

/** Blocks of the output, merged from equally many blocks of each source. */
export interface SliceEntry {
  readonly sources: readonly SliceSource[];
  readonly parameters: Settings;
}

/** A checked recipe as plain data: the document's keys with all defaults filled in. */
export interface Recipe {
  readonly merge_method: string;
  readonly base_model?: string;
  /** Absent if `slices` is present. */
  readonly models?: readonly ModelEntry[];
  readonly slices?: readonly SliceEntry[];
  readonly parameters: Settings;
  /** What is written: the document's `out_dtype`, else its `dtype`; absent: each tensor's own. */
  readonly out_dtype?: DType;
  readonly sources: Sources;
  readonly seed: number;
  readonly tensors: {
    readonly include: readonly string[];
    readonly exclude: readonly string[];
    readonly otherwise: "base" | "first" | "omit";
  };
  readonly mismatch: "error" | "base" | "skip";
  readonly missing: "error" | "drop" | "base";
  readonly extra: "error" | "copy" | "omit";
  readonly non_finite: "error" | "base" | "propagate";
  readonly saturate: boolean;
  readonly strict_integers: boolean;
  readonly float8: "refuse" | "unscaled";
  readonly compat: "none" | "mergekit";
  /** `mt19937` by default with `compat: "mergekit"`. */
  readonly rng: "threefry" | "mt19937";
  readonly gradient_t: readonly Conditional[];
  /** The merge grows over depth; absent: it does not. */
  readonly lines?: LinesSpec;
  readonly experimental: boolean;
  /** Absent: one safetensors file. */
  readonly output?: RecipeOutput;
  /** For the file that is answered. */
  readonly name?: string;
}

/** The factor `α + β·depth` on what is added to the base (METHODS.md 7.4). */
export interface LinesSpec {
  readonly alpha: number | "auto";
  readonly beta: number;
}

/** What is written. */
export interface RecipeOutput {
  /** `peft`: an adapter as the two files that PEFT reads. */
  readonly format: "safetensors" | "onnx" | "peft";
  /** The ONNX model with the base model's weights whose graph the result takes; absent: the base model is one. */
  readonly graph?: string;
  /** Bytes of tensors that a shard holds at most, if it holds more than one tensor; absent: one file. */
  readonly shard_size?: number;
  /** Where the result is sent instead of being answered: one address, or one for each file. */
  readonly put?: string | readonly string[];
}

/** The methods a recipe may name. */
export type Methods = ReadonlyMap<string, MergeMethod>;

/**
 * Checks a document and gives it as a recipe.
 *
 * @throws {Problem} With every fault in `errors`: `unknown-method` (and `nearest`) if the method's name is
 * the only fault, else `invalid-recipe`.
 */
export function parseRecipe(document: unknown, methods: Methods): Recipe {
  const { recipe, faults: formal } = checkForm(document);
  const outline = outlineOf(document);
  const method = outline.method === undefined ? undefined : methods.get(outline.method);
  const faults: Fault[] = [...formal];
  if (typeof document === "object" && document !== null && !Array.isArray(document)) {
    faults.push(...checkMeaning(outline, method));
  }
  if (recipe) {
    faults.push(...checkSources(recipe.sources), ...checkFloat8(recipe), ...checkOutput(recipe));
    if (method) faults.push(...checkLines(recipe, method));
  }
  const name = outline.method;
  if (name !== undefined && name !== "" && method === undefined) {
    const message = `Cannot merge as there is no such method${didYouMean(name, methods.keys())}: ` +
      `current value is ${show(name)}`;
    const errors = [{ path: "merge_method", message }, ...faults];
    const near = nearestNames(name, methods.keys());
    if (faults.length === 0) {
      throw new Problem("unknown-method", message, { errors, nearest: near });
    }
    throw invalidRecipe(errors);
  }
  if (faults.length > 0 || recipe === undefined) throw invalidRecipe(faults);
  return recipeOf(recipe);
}

/** Every name that a recipe uses, with the path where it first does. */
export function usedNames(recipe: Recipe): ReadonlyMap<string, string> {
  const names = new Map(modelNames(recipe));
  for (const [name, path] of statisticsNames(recipe)) names.has(name) || names.set(name, path);
  return names;
}

/** The names of statistics, with the path where each first stands. */
export function statisticsNames({ models = [] }: Recipe): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  models.forEach(({ statistics: name }, i) => {
    if (name !== undefined && !names.has(name)) names.set(name, `models[${i}].statistics`);
  });
  return names;
}

/** The names that stand for models, with the path where each first stands. */
export function modelNames(recipe: Recipe): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const use = (name: string, path: string) => names.has(name) || names.set(name, path);
  if (recipe.base_model !== undefined) use(recipe.base_model, "base_model");
  recipe.models?.forEach(({ model }, i) => use(model, `models[${i}].model`));
  recipe.slices?.forEach(({ sources }, i) =>
    sources.forEach(({ model }, k) => use(model, `slices[${i}].sources[${k}].model`))
  );
  if (recipe.output?.graph !== undefined) use(recipe.output.graph, "output.graph");
  return names;
}

/**
 * Says for every model of a recipe where its bytes are.
 *
 * @throws {Problem} `unknown-source` or `invalid-recipe`, see {@linkcode bindSources}.
 */
export function resolveSources(
  recipe: Recipe,
  parts: SourceParts,
): ReadonlyMap<string, SourceSpec> {
  return bindSources(usedNames(recipe), recipe.sources, parts);
}

function checkFloat8({ out_dtype, dtype, float8 }: RecipeDocument): Fault[] {
  const name = out_dtype ?? dtype ?? undefined;
  const type = name === undefined ? undefined : parseDType(name);
  if (type === undefined || DTYPES[type].bytes > 1 || float8 === "unscaled") return [];
  return [{
    path: out_dtype ? "out_dtype" : "dtype",
    message: mustBe("this type", 'wider than 8 bits unless float8 is "unscaled"', name),
  }];
}

function checkLines({ lines }: RecipeDocument, method: MergeMethod): Fault[] {
  if (!lines || method.base !== "listed") return [];
  return [{
    path: "lines",
    message: `Cannot scale over depth as ${method.name} adds nothing to a base model: ` +
      `current value is ${show(lines)}`,
  }];
}

function checkOutput({ output }: RecipeDocument): Fault[] {
  const size = output?.shard_size ?? undefined;
  const graph = output?.graph ?? undefined;
  if (output?.format === "onnx" && size !== undefined) {
    return [{
      path: "output.shard_size",
      message: `Cannot cut the result as an ONNX model is one file: current value is ${show(size)}`,
    }];
  }
  if (output?.format !== "onnx" && graph !== undefined) {
    return [{
      path: "output.graph",
      message: `Cannot use graph as only the format "onnx" takes one: current value is ${
        show(graph)
      }`,
    }];
  }
  return [];
}

function recipeOf(document: RecipeDocument): Recipe {
  const { base_model, models, slices, parameters, dtype, out_dtype, rng, name, lines, ...rest } =
    document;
  const type = out_dtype ?? dtype ?? undefined;
  const written = type === undefined ? undefined : parseDType(type);
  const { output, tensors, ...options } = rest;
  const size = output?.shard_size ?? undefined;
  const shardSize = size === undefined ? undefined : shardSizeOf(size);
  return {
    ...options,
    ...(base_model ? { base_model } : {}),
    ...(models ? { models: models.map(modelOf) } : {}),
    ...(slices
      ? {
        slices: slices.map((slice) => ({
          parameters: settingsOf(slice.parameters),
          sources: slice.sources.map((source) => ({
            ...modelOf(source),
            layer_range: source.layer_range,
          })),
        })),
      }
      : {}),
    parameters: settingsOf(parameters),
    ...(written ? { out_dtype: written } : {}),
    tensors: tensors ?? { include: ["*"], exclude: [], otherwise: "base" },
    rng: rng ?? (document.compat === "mergekit" ? "mt19937" : "threefry"),
    gradient_t: document.gradient_t.map(({ filter, value }) =>
      filter === undefined ? { value } : { filter, value }
    ),
    ...(output && (output.format !== "safetensors" || shardSize !== undefined || output.put)
      ? {
        output: {
          format: output.format,
          ...(output.graph ? { graph: output.graph } : {}),
          ...(shardSize === undefined ? {} : { shard_size: shardSize }),
          ...(output.put ? { put: output.put } : {}),
        },
      }
      : {}),
    ...(lines ? { lines } : {}),
    ...(name ? { name } : {}),
  };
}

function modelOf(
  { model, parameters, statistics }: {
    model: string;
    parameters?: unknown;
    statistics?: string | null | undefined;
  },
): ModelEntry {
  return {
    model,
    parameters: settingsOf(parameters),
    ...(statistics ? { statistics } : {}),
  };
}
