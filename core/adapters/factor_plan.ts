/**
 * Plans a merge of adapters with each other: modules, ranks as far as they are known, memory.
 *
 * @module
 */
import { layoutSafetensors } from "../checkpoint/write_safetensors.ts";
import { invalidRecipe, joinPath, show } from "../merge/faults.ts";
import { faultLog } from "../merge/plan_faults.ts";
import type { PlanRequest } from "../merge/plan.ts";
import type { Plan, PlannedTensor } from "../merge/plan_types.ts";
import { provenance } from "../merge/provenance.ts";
import { modelNames, type Recipe } from "../merge/recipe.ts";
import { selectTensors } from "../merge/select_tensors.ts";
import type { MergeMethod } from "../methods/method.ts";
import { type Fault, Problem } from "../problem.ts";
import { type DType, DTYPES, elementCount } from "../tensor/dtype.ts";
import { parseAdapterConfig } from "./adapter_config.ts";
import { combiningMemory } from "./combine.ts";
import { CONFIG_KEY } from "./config_json.ts";
import type { FactorForm } from "./factor_file.ts";
import { type GatheredModule, gatherModules, inputCount } from "./gather_modules.ts";
import { adapterConfig, type ConfigFacts, factorNames } from "./output_config.ts";

/** What is left to do when a merge of adapters is planned. */
export interface FactorPlan {
  readonly modules: readonly GatheredModule[];
  readonly truncates: boolean;
  readonly form: FactorForm;
  readonly facts: ConfigFacts;
  /** The provenance of a result with these tensors. */
  readonly metadata: (tensors: readonly PlannedTensor[]) => Readonly<Record<string, string>>;
}

/**
 * Plans the modules. Ranks that depend on values are planned as large as they can become.
 *
 * @throws {Problem} `invalid-recipe` with every fault, `mismatch`, or what an adapter is at fault with.
 */
export function planFactors(request: PlanRequest, method: MergeMethod): Plan {
  const { recipe, checkpoints, version, memory = Infinity } = request;
  const faults = recipeFaults(recipe, method, request);
  if (faults.length > 0) throw invalidRecipe(faults);
  const log = faultLog();
  const selection = selectTensors(recipe.tensors);
  const gathered = gatherModules(recipe, method, checkpoints, selection, log);
  log.throwIfAny();
  const modules = gathered.filter(({ parts }) => parts.length > 0);
  if (modules.length === 0) {
    throw invalidRecipe([{
      path: "models",
      message:
        `Cannot merge the adapters as no module is selected that has a weight other than 0: ` +
        `current number of modules is ${gathered.length}`,
    }]);
  }
  const form: FactorForm = {
    dtype: recipe.out_dtype ?? modules[0]!.parts[0]!.module.a.dtype,
    saturate: recipe.saturate,
    propagate: recipe.non_finite === "propagate" && method.factors === "concatenate",
  };
  const truncates = method.factors === "truncate";
  const tensors = gathered.flatMap((module) =>
    plannedFactors(module, largestRank(module), form.dtype)
  );
  const metadata = (made: readonly PlannedTensor[]) =>
    provenance({
      recipe,
      kind: "adapter",
      reference: checkpoints.get(recipe.models![0]!.model)!.metadata,
      inputs: request.inputs ?? new Map(),
      version,
      tensors: made,
    });
  const peakMemory = Math.max(...modules.map((module) => combiningMemory(module, truncates)));
  if (peakMemory > memory) {
    throw new Problem(
      "too-large",
      `Cannot merge the adapters as the memory must be at least ${peakMemory} bytes: ` +
        `current value is ${memory}`,
      { limit: memory, value: peakMemory },
    );
  }
  const written = tensors.filter(({ action }) => action === "merge");
  const facts = factsOf(request, modules);
  const told = {
    ...metadata(tensors),
    [CONFIG_KEY]: adapterConfig(
      modules.map((module) => ({ ...module, rank: largestRank(module) })),
      facts,
    ),
  };
  const isOpen = modules.some(({ keep }) => keep.energy !== undefined);
  return {
    method: method.name,
    seed: recipe.seed,
    rng: recipe.rng,
    nonFinite: recipe.non_finite,
    saturate: recipe.saturate,
    strictIntegers: recipe.strict_integers,
    kind: "adapter",
    tensors,
    bytesIn: modules.reduce(
      (sum, { parts }) =>
        parts.reduce(
          (bytes, { module: { a, b } }) => bytes + a.end - a.start + b.end - b.start,
          sum,
        ),
      0,
    ),
    bytesOut: layoutSafetensors(written, told).byteLength,
    passes: 1,
    peakMemory,
    warnings: [
      ...(isOpen ? ["Ranks follow from the energy: shapes and bytes_out are upper bounds"] : []),
      ...selection.idle().filter((glob) => glob !== "*").map((glob) =>
        `The glob ${show(glob)} of tensors matches no tensor`
      ),
    ],
    metadata: told,
    factors: { modules, truncates, form, facts, metadata },
  };
}

/** Both tensors of a module of some rank. */
export function plannedFactors(
  gathered: GatheredModule,
  rank: number,
  dtype: DType,
): PlannedTensor[] {
  const { inputs, outputs, parts, parameters, t } = gathered;
  const names = factorNames(gathered);
  const ones = inputs.slice(1).map(() => 1);
  const isLeftOut = parts.length === 0;
  return [
    { name: names.a, shape: [rank, ...inputs] },
    { name: names.b, shape: [outputs, rank, ...ones] },
  ].map(({ name, shape }) => ({
    name,
    dtype,
    shape,
    elements: elementCount(shape),
    action: isLeftOut ? "omit" : "merge",
    reasons: isLeftOut ? ["weights-zero"] : [],
    parameters,
    t,
  }));
}

function largestRank(gathered: GatheredModule): number {
  const { keep, rank, outputs } = gathered;
  if (keep.rank === undefined && keep.energy === undefined) return rank;
  return Math.max(1, Math.min(keep.rank ?? Infinity, rank, outputs, inputCount(gathered)));
}

function recipeFaults(
  recipe: Recipe,
  { name: method }: MergeMethod,
  { checkpoints }: PlanRequest,
): Fault[] {
  const faults: Fault[] = [];
  const refuse = (path: string, reason: string, value: unknown) =>
    faults.push({
      path,
      message: `Cannot merge as ${method} ${reason}: current value is ${show(value)}`,
    });
  const { base_model, slices, output, out_dtype } = recipe;
  if (base_model !== undefined) {
    refuse(
      "base_model",
      "merges adapters without a base (task_arithmetic applies them to one)",
      base_model,
    );
  }
  if (slices) refuse("slices", "takes whole adapters under models", "slices");
  if (output?.format === "onnx") {
    refuse("output.format", "writes safetensors, or peft for two files", output.format);
  }
  if (output?.shard_size !== undefined) {
    refuse("output.shard_size", "writes one file of factors", output.shard_size);
  }
  if (out_dtype !== undefined && DTYPES[out_dtype].bytes === 1) {
    refuse("out_dtype", "writes types of at least 16 bits", out_dtype);
  }
  const listed = new Set((recipe.models ?? []).map(({ model }) => model));
  for (const [name, path] of modelNames(recipe)) {
    const kind = checkpoints.get(name)?.kind;
    if (!listed.has(name) || kind === "adapter") continue;
    faults.push({
      path: path === "base_model" ? joinPath("models", 0) : path,
      message:
        `Cannot merge as ${method} takes adapters alone: current value is ${show(name)} of ` +
        `kind ${kind}`,
    });
  }
  return faults;
}

/** What all adapters agree on. */
function factsOf(
  { recipe, checkpoints }: PlanRequest,
  modules: readonly GatheredModule[],
): ConfigFacts {
  const configs = (recipe.models ?? []).map(({ model }) =>
    parseAdapterConfig(checkpoints.get(model)!.config!, model)
  );
  const common = (values: readonly (string | null)[]) =>
    values.every((value) => value === values[0]) ? values[0] ?? null : null;
  return {
    fanInFanOut: modules.some(({ form, transposed }) => form === "linear" && transposed),
    baseModel: common(configs.map(({ baseModel }) => baseModel)),
    taskType: common(configs.map(({ taskType }) => taskType)),
  };
}
