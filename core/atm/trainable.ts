/**
 * Which parameters are trained.
 *
 * @module
 */
import type { ParametricModel } from "../gradient/parameters.ts";
import { invalidRecipe, show } from "../merge/faults.ts";
import { selectTensors } from "../merge/select_tensors.ts";

/** Globs as the document has them. */
export interface TrainableGlobs {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/**
 * The parameters that match `include` and not `exclude`; never running statistics and tensors private to a task.
 *
 * @throws {Problem} `invalid-recipe` if a glob of `include` matches nothing, or nothing is left to train.
 */
export function trainableParameters(
  { parameters, tied }: ParametricModel,
  globs: TrainableGlobs,
): ReadonlySet<string> {
  const selection = selectTensors(globs);
  const names = new Set<string>();
  for (const name of [...parameters.keys(), ...tied.keys()]) {
    if (!selection.selects(name)) continue;
    const parameter = parameters.get(tied.get(name) ?? name);
    if (parameter && parameter.frozen === undefined) names.add(parameter.name);
  }
  const idle = new Set(selection.idle());
  const faults = globs.include.flatMap((glob, i) =>
    idle.has(glob)
      ? [{
        path: `trainable.include[${i}]`,
        message: `Cannot train as the glob must match a tensor of the model, such as ${
          [...parameters.keys()].slice(0, 3).join(", ")
        }: current value is ${show(glob)}`,
      }]
      : []
  );
  if (faults.length === 0 && names.size === 0) {
    faults.push({
      path: "trainable",
      message:
        `Cannot train as at least one tensor must be left that is neither excluded, nor private to the ` +
        `task, nor a running statistic: current value is ${show(globs)}`,
    });
  }
  if (faults.length > 0) throw invalidRecipe(faults);
  return names;
}
