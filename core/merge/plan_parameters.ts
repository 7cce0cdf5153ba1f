/**
 * The resolved parameters of one tensor, for its method and for the plan document.
 *
 * @module
 */
import type { Parameters, ParameterSpec } from "../methods/method.ts";
import { joinPath, show } from "./faults.ts";
import type { PlannedCase, Present } from "./tensor_planning.ts";

/** The parameters of one tensor. */
export interface MergeParameters {
  readonly global: Parameters;
  /** Per model that takes part, in order. */
  readonly models: readonly Parameters[];
  /** Global ones by name, per-model ones under the model's name. */
  readonly document: Readonly<Record<string, unknown>>;
  /** Where the recipe gives a parameter (or, with none, its models). */
  pathOf(parameter: string | undefined): string;
}

/** Resolves, or answers undefined after telling the log which parameters have no value. */
export function mergeParameters(
  { planning: { method, recipe, log }, group, name, t }: PlannedCase,
  present: readonly Present[],
): MergeParameters | undefined {
  const lacking = new Set<string>();
  const onMissing = (parameter: string) => lacking.add(parameter);
  const global = group.parameters.resolve(name, t, onMissing);
  const models = present.map(({ model, tensor }) =>
    model.parameters.resolve(tensor.name, t, onMissing)
  );
  for (const parameter of lacking) {
    const message = `Cannot merge as no entry of ${parameter} applies to this tensor; add one ` +
      `without filter: current value is undefined`;
    log.inTensor(joinPath("parameters", parameter), name, message);
  }
  const strangers = unknownModels(global, method.parameters, group);
  for (const [parameter, model] of strangers) {
    const message = `Cannot merge as ${parameter} must name a model that takes part: ` +
      `current value is ${show(model)}`;
    log.inTensor(joinPath("parameters", parameter), name, message);
  }
  if (lacking.size + strangers.length > 0) return undefined;
  const document: Record<string, unknown> = { ...global };
  present.forEach(({ model }, i) => {
    if (Object.keys(models[i]!).length === 0) return;
    const isTaken = Object.hasOwn(document, model.name) || model.name === "__proto__";
    document[isTaken ? `models.${model.name}` : model.name] = models[i]!;
  });
  return {
    global,
    models,
    document,
    pathOf(parameter) {
      if (parameter === undefined) return group.path;
      const own = Object.hasOwn(recipe.parameters, parameter)
        ? undefined
        : present.find(({ model }) => Object.hasOwn(model.settings, parameter));
      const isGlobal = method.parameters[parameter]?.scope === "global";
      const place = own === undefined || isGlobal
        ? "parameters"
        : joinPath(own.model.path, "parameters");
      return joinPath(place, parameter);
    },
  };
}

/** Parameters that name a model which does not take part; an empty name stands for none. */
function unknownModels(
  parameters: Parameters,
  specs: Readonly<Record<string, ParameterSpec>>,
  { models }: PlannedCase["group"],
): [parameter: string, model: unknown][] {
  return Object.entries(parameters).filter(([parameter, value]) =>
    specs[parameter]?.type === "model" && value !== "" &&
    !models.some(({ name }) => name === value)
  );
}
