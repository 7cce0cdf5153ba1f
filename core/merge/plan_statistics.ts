/**
 * Binds the statistics of a recipe's models to their tensors, and finds what does not fit (METHODS.md 9).
 *
 * @module
 */
import type { Checkpoint, StoredTensor } from "../checkpoint/checkpoint.ts";
import type { MergeMethod, TensorStatistics } from "../methods/method.ts";
import type { Fault } from "../problem.ts";
import { type StatisticsInfo, statisticsInfo } from "../statistics/statistics_file.ts";
import { joinPath, show } from "./faults.ts";
import { checkpointOf } from "./plan_kinds.ts";
import type { PlannedInput } from "./plan_types.ts";
import { canonicalJson } from "./provenance.ts";
import type { Recipe } from "./recipe.ts";
import type { GroupSource, TensorGroup } from "./tensor_groups.ts";
import { fits, isFloat, type PlannedCase, type Present } from "./tensor_planning.ts";

/** The statistics of one model. */
export interface ModelStatistics extends GroupSource {
  /** What the file says of them. */
  readonly info: StatisticsInfo | undefined;
  /** By the name of a bias, the weight whose matrix has its column. */
  readonly biases: ReadonlyMap<string, string>;
}

/** Opened statistics by the name of their source. */
export function modelStatistics(name: string, { tensors, metadata }: Checkpoint): ModelStatistics {
  const info = statisticsInfo(metadata);
  const biases = new Map<string, string>();
  for (const [weight, { bias }] of Object.entries(info?.layers ?? {})) {
    if (bias !== undefined && tensors.has(weight)) biases.set(bias, weight);
  }
  return { name, kind: "weights", tensors, info, biases };
}

/** What a merge along which statistics are taken has in common with the one that they are for. */
export function mergeParameters({ parameters, models = [] }: Recipe): string {
  return canonicalJson({ parameters, models: models.map((model) => model.parameters) });
}

/** Sources given as statistics that hold something else, or statistics of another kind than the method's. */
export function statisticsFaults(
  recipe: Recipe,
  { name: method, statistics: needed }: MergeMethod,
  checkpoints: ReadonlyMap<string, Checkpoint>,
): Fault[] {
  if (needed === undefined) return [];
  const { models = [], sources } = recipe;
  return models.flatMap(({ statistics: name }, i): Fault[] => {
    if (name === undefined) return [];
    const path = joinPath(joinPath("models", i), "statistics");
    const { kind, metadata } = checkpointOf(checkpoints, name);
    const declared = Object.hasOwn(sources, name) ? sources[name]?.kind : undefined;
    const stated = kind !== "weights" || Object.hasOwn(metadata, "kind") || declared !== undefined;
    if (stated && kind !== "statistics") {
      return [{
        path,
        message:
          `Cannot use the source as statistics as it holds ${kind}, POST /statistics makes ` +
          `statistics: current value is ${show(name)}`,
      }];
    }
    const { kind: held, merge } = statisticsInfo(metadata) ?? {};
    if (merge !== undefined && held === needed && merge !== mergeParameters(recipe)) {
      return [{
        path,
        message:
          `Cannot use the statistics as they were taken along a merge with other parameters, ` +
          `${show(merge)}: current value of ${show(name)} is ${show(mergeParameters(recipe))}`,
      }];
    }
    if (held === undefined || held === needed) return [];
    return [{
      path,
      message:
        `Cannot use the statistics as ${method} needs those of kind ${needed}: current value of ${
          show(name)
        } is ${held}`,
    }];
  });
}

/** Tells the log of statistics that belong to no tensor of the models. */
export function findStrangers(
  { models, names, path }: TensorGroup,
  log: PlannedCase["planning"]["log"],
): void {
  const known = new Set(names);
  for (const model of models) {
    for (const tensor of model.statistics?.tensors.keys() ?? []) {
      if (known.has(tensor)) continue;
      log.mismatch({ path, tensor, reason: "extra", sources: [model.statistics!, model] });
    }
  }
}

/** The statistics of a tensor. */
export interface BoundStatistics {
  /** What the method may know, model by model. */
  readonly known: readonly TensorStatistics[];
  readonly inputs: readonly PlannedInput[];
  /** The tensor that they are of: this one, or the weight whose bias this is. */
  readonly weight: string;
  /** The bias whose column of ones every model's matrix has. */
  readonly bias?: string;
}

/**
 * The statistics of a tensor, or of the weight whose matrix has this bias's column.
 *
 * @returns Undefined if no model has statistics of it; `refused` after telling the log that they do not fit.
 */
export function boundStatistics(
  { planning: { method, log }, group, name }: PlannedCase,
  present: readonly Present[],
): BoundStatistics | "refused" | undefined {
  if (method.statistics === undefined) return undefined;
  const sources = present.map(({ model }) => model.statistics!);
  const weights = new Set(
    sources.flatMap(({ tensors, biases }) => tensors.has(name) ? [name] : biases.get(name) ?? []),
  );
  if (weights.size === 0) return undefined;
  const [weight] = weights;
  const held = sources.map(({ tensors }) => tensors.get(weight!));
  if (weights.size > 1 || held.some((tensor) => tensor === undefined)) {
    log.mismatch({ path: group.path, tensor: weight!, reason: "missing", sources });
    return "refused";
  }
  const tensors = held as StoredTensor[];
  const wrong = method.statistics === "fisher"
    ? tensors.findIndex((tensor, i) => !fits(tensor, present[i]!.tensor))
    : tensors.findIndex((tensor) => !isFloat(tensor) || !fits(tensor, tensors[0]!));
  if (wrong >= 0) {
    const compared = method.statistics === "fisher"
      ? [present[wrong]!.model, sources[wrong]!]
      : sources;
    log.mismatch({ path: group.path, tensor: weight!, reason: "shape", sources: compared });
    return "refused";
  }
  const part = weight === name ? "weight" : "bias";
  const bias = commonBias(weight!, present);
  return {
    weight: weight!,
    ...(bias === undefined ? {} : { bias }),
    known: tensors.map(({ shape }, i) => {
      const layer = sources[i]!.info?.layers[weight!];
      const weightShape = present[i]!.model.tensors.get(weight!)?.shape ?? [];
      return {
        shape,
        part,
        weight: weightShape,
        augmented: bias !== undefined,
        ...(layer ? { axis: layer.axis, rows: layer.rows } : {}),
      };
    }),
    inputs: tensors.map((tensor, i) => ({ model: sources[i]!.name, tensor, kind: "weights" })),
  };
}

/** The bias that all models' matrices have a column for, if all models have it. */
function commonBias(weight: string, present: readonly Present[]): string | undefined {
  const names = present.map(({ model: { statistics } }) => statistics?.info?.layers[weight]?.bias);
  const [bias] = names;
  if (bias === undefined || names.some((name) => name !== bias)) return undefined;
  const has = present.every(({ model: { tensors, statistics } }) => {
    const [tensor, held] = [tensors.get(bias), tensors.get(weight)];
    const units = held?.shape[statistics?.info?.layers[weight]?.axis === 0 ? 1 : 0];
    return tensor !== undefined && isFloat(tensor) && tensor.shape.length === 1 &&
      tensor.shape[0] === units;
  });
  return has ? bias : undefined;
}
