/**
 * The modules of adapters that are merged with each other, each with its part of every adapter.
 *
 * @module
 */
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { joinPath, show } from "../merge/faults.ts";
import { positions } from "../merge/layers.ts";
import { parameterResolver } from "../merge/parameters.ts";
import type { FaultLog } from "../merge/plan_faults.ts";
import type { Recipe } from "../merge/recipe.ts";
import { type TensorSelection } from "../merge/select_tensors.ts";
import type { MergeMethod, Parameters } from "../methods/method.ts";
import { numberOf } from "../methods/parameters.ts";
import { Problem } from "../problem.ts";
import { elementCount } from "../tensor/dtype.ts";
import type { AdapterModule, ModuleForm } from "./adapter_modules.ts";
import { modulesOf } from "./dense_adapters.ts";
import { weightOf } from "./module_names.ts";

/** One adapter's part in a module. */
export interface ModulePart {
  readonly model: string;
  readonly module: AdapterModule;
  /** `c = weight · scale`, not 0. */
  readonly coefficient: number;
}

/** A module of the result. */
export interface GatheredModule {
  readonly module: string;
  readonly form: ModuleForm;
  readonly transposed: boolean;
  /** Inputs, and the kernel of a convolution. */
  readonly inputs: readonly number[];
  readonly outputs: number;
  /** In request order; empty if every weight is 0. */
  readonly parts: readonly ModulePart[];
  /** Of all parts together. */
  readonly rank: number;
  /** Rank or energy to keep; neither for all of the rank. */
  readonly keep: { readonly rank?: number; readonly energy?: number };
  /** Resolved parameters, those of adapters under their names. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly t: number;
}

/** Number of inputs, kernel included. */
export function inputCount({ inputs }: Pick<GatheredModule, "inputs">): number {
  return elementCount(inputs);
}

/**
 * Gathers the modules in the order in which the adapters bring them, and resolves their parameters.
 *
 * @param log Is told of parameters that cannot be.
 * @throws {Problem} What an adapter is at fault with; `mismatch` if a module differs in form between adapters.
 */
export function gatherModules(
  recipe: Recipe,
  method: MergeMethod,
  checkpoints: ReadonlyMap<string, Checkpoint>,
  { selects }: TensorSelection,
  log: FaultLog,
): GatheredModule[] {
  const adapters = (recipe.models ?? []).map(({ model, parameters }) => ({
    model,
    modules: new Map(
      modulesOf(checkpoints.get(model)!, model).map((module) => [module.module, module]),
    ),
    parameters: parameterResolver(method.parameters, "model", [parameters, recipe.parameters]),
  }));
  const global = parameterResolver(method.parameters, "global", [recipe.parameters]);
  const names = [...new Set(adapters.flatMap(({ modules }) => [...modules.keys()]))];
  const position = positions(names.map(weightOf), {
    overrides: recipe.gradient_t,
    compat: recipe.compat === "mergekit",
  });
  return names.filter((name) => selects(weightOf(name))).flatMap((name) => {
    const weight = weightOf(name);
    const t = position(weight);
    const told = (parameter: string) =>
      log.inTensor(
        joinPath("parameters", parameter),
        weight,
        `Cannot merge as no entry of ${parameter} applies to this tensor; add one without filter: ` +
          `current value is undefined`,
      );
    const shared = global.resolve(weight, t, told);
    const present = adapters.flatMap(({ model, modules, parameters }) => {
      const module = modules.get(name);
      return module ? [{ model, module, parameters: parameters.resolve(weight, t, told) }] : [];
    });
    const first = present[0]!.module;
    const other = present.find(({ module }) => !areAlike(module, first));
    if (other !== undefined) {
      throw new Problem(
        "mismatch",
        `Cannot merge the module ${show(name)} as it is ${outline(first)} in ` +
          `${show(present[0]!.model)}: current value of ${show(other.model)} is ` +
          outline(other.module),
        { source: other.model, tensor: weight },
      );
    }
    const parts = present.map(({ model, module, parameters }) => ({
      model,
      module,
      coefficient: numberOf(parameters, "weight") * module.scale,
    })).filter(({ coefficient }) => coefficient !== 0);
    const [, ...inputs] = first.a.shape;
    return [{
      module: name,
      form: first.form,
      transposed: first.transposed,
      inputs,
      outputs: first.b.shape[0]!,
      parts,
      rank: parts.reduce((sum, { module }) => sum + module.rank, 0),
      keep: method.factors === "truncate" ? kept(shared, weight, parts, log) : {},
      parameters: {
        ...shared,
        ...Object.fromEntries(present.map(({ model, parameters }) => [model, parameters])),
      },
      t,
    }];
  });
}

function kept(
  { rank, energy }: Parameters,
  weight: string,
  parts: readonly ModulePart[],
  log: FaultLog,
): GatheredModule["keep"] {
  if (rank !== undefined && energy !== undefined) {
    log.inTensor(
      "parameters.energy",
      weight,
      `Cannot use energy as rank is given too, only one of them may be: current value is ${energy}`,
    );
  }
  if (energy !== undefined) return { energy: Number(energy) };
  const largest = Math.max(1, ...parts.map(({ module }) => module.rank));
  return { rank: rank === undefined ? largest : Number(rank) };
}

function areAlike(left: AdapterModule, right: AdapterModule): boolean {
  return left.form === right.form && left.transposed === right.transposed &&
    String(left.shape) === String(right.shape);
}

function outline({ form, transposed, shape }: AdapterModule): string {
  const order = form === "linear" && transposed ? " (fan_in_fan_out)" : "";
  return `${form} [${shape.join(", ")}]${order}`;
}
