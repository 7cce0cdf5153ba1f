/**
 * Binds the models of a recipe to the tensors of their checkpoints: one group for all `models`, or one
 * for each slice.
 *
 * @module
 */
import type { Checkpoint, StoredTensor } from "../checkpoint/checkpoint.ts";
import type { MergeMethod } from "../methods/method.ts";
import { joinPath } from "./faults.ts";
import { blockOf, positions } from "./layers.ts";
import { type ParameterResolver, parameterResolver, type Settings } from "./parameters.ts";
import { participants } from "./participants.ts";
import { type BoundKinds, checkpointOf, type NumberKind } from "./plan_kinds.ts";
import { type ModelStatistics, modelStatistics } from "./plan_statistics.ts";
import type { Recipe } from "./recipe.ts";

/** A model's tensors, by the names that they have in the output. */
export interface GroupSource {
  readonly name: string;
  readonly kind: NumberKind;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Whether tensors that it lacks are left unchanged by it. */
  readonly isPartial?: boolean;
}

/** A model that takes part. */
export interface GroupModel extends GroupSource {
  /** Where it is listed in the recipe. */
  readonly path: string;
  /** Its own settings. */
  readonly settings: Settings;
  readonly parameters: ParameterResolver;
  /** Where the method takes them. */
  readonly statistics?: ModelStatistics;
}

/** Models that are merged tensor by tensor. */
export interface TensorGroup {
  /** Where its models are listed in the recipe. */
  readonly path: string;
  readonly base?: GroupSource;
  /** Those that the method works on, in request order. */
  readonly models: readonly GroupModel[];
  /** The first that is listed, for `otherwise: "first"`. */
  readonly first: GroupSource | undefined;
  /** The method's global parameters. */
  readonly parameters: ParameterResolver;
  /** Names of the output: in the order of the base (or first model), then those it lacks. */
  readonly names: readonly string[];
  /** Position of an output tensor over the layers, 0 to 1. */
  readonly position: (name: string) => number;
  /** The rank of a tensor's block among the blocks, 0 to 1; undefined outside blocks. */
  readonly depth: (name: string) => number | undefined;
}

/** What groups are made from. */
export interface GroupRequest {
  readonly recipe: Recipe;
  readonly method: MergeMethod;
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
  readonly kinds: BoundKinds;
}

/** A listed model with its own settings and its tensors. */
export interface ListedSource {
  readonly model: string;
  readonly parameters: Settings;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly statistics?: ModelStatistics;
}

/** The group of a recipe with `models`. */
export function modelGroup(request: GroupRequest): TensorGroup {
  const { recipe, checkpoints } = request;
  const tensorsOf = (name: string) => checkpointOf(checkpoints, name).tensors;
  const listed = (recipe.models ?? []).map(({ model, parameters, statistics }) => ({
    model,
    parameters,
    tensors: tensorsOf(model),
    ...(statistics === undefined
      ? {}
      : { statistics: modelStatistics(statistics, checkpointOf(checkpoints, statistics)) }),
  }));
  const base = recipe.base_model;
  return bindGroup(request, "models", listed, base === undefined ? undefined : tensorsOf(base), []);
}

/** Makes a group of listed sources; `levels` are the settings between the models' and the top level. */
export function bindGroup(
  { recipe, method, checkpoints, kinds }: GroupRequest,
  path: string,
  listed: readonly ListedSource[],
  baseTensors: ReadonlyMap<string, StoredTensor> | undefined,
  levels: readonly Settings[],
): TensorGroup {
  const baseName = recipe.base_model;
  const compat = recipe.compat === "mergekit";
  const sourceOf = (name: string, tensors: ReadonlyMap<string, StoredTensor>) => ({
    name,
    kind: kinds.inputs.get(name) ?? "weights",
    tensors,
    ...(checkpoints.get(name)?.isPartial ? { isPartial: true } : {}),
  });
  const base = baseName === undefined || baseTensors === undefined
    ? undefined
    : sourceOf(baseName, baseTensors);
  const byName = new Map(listed.map((source) => [source.model, source]));
  const outer = [...levels, recipe.parameters];
  const models = participants([...byName.keys()], base?.name, method, compat).map((name) => {
    const source = byName.get(name);
    return {
      ...sourceOf(name, source?.tensors ?? baseTensors ?? new Map()),
      path: source ? joinPath(path, listed.indexOf(source)) : "base_model",
      settings: source?.parameters ?? {},
      ...(source?.statistics ? { statistics: source.statistics } : {}),
      parameters: parameterResolver(method.parameters, "model", [
        source?.parameters ?? {},
        ...outer,
      ]),
    };
  });
  const first = listed[0] ? sourceOf(listed[0].model, listed[0].tensors) : base;
  const names = new Set<string>();
  for (const { tensors } of [...(base ? [base] : []), ...models]) {
    for (const name of tensors.keys()) names.add(name);
  }
  const rank = positions(names);
  return {
    path,
    ...(base ? { base } : {}),
    models,
    first,
    parameters: parameterResolver(method.parameters, "global", outer),
    names: [...names],
    position: positions(names, { overrides: recipe.gradient_t, compat }),
    depth: (name) => blockOf(name) === undefined ? undefined : rank(name),
  };
}
