/**
 * The resolved parameters of one tensor, for its method and for the plan document.
 *
 * @module
 */
import type { StoredTensor } from "../checkpoint/checkpoint.ts";
import type { MergeMethod, Parameters } from "../methods/method.ts";
import { joinPath } from "./faults.ts";
import type { FaultLog } from "./plan_faults.ts";
import type { GroupModel, TensorGroup } from "./tensor_groups.ts";

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
  group: TensorGroup,
  method: MergeMethod,
  present: readonly { readonly model: GroupModel; readonly tensor: StoredTensor }[],
  { name, t }: { readonly name: string; readonly t: number },
  log: FaultLog,
): MergeParameters | undefined {
  const lacking: string[] = [];
  const onMissing = (parameter: string) => lacking.push(parameter);
  const global = group.parameters.resolve(name, t, onMissing);
  const models = present.map(({ model, tensor }) =>
    model.parameters.resolve(tensor.name, t, onMissing)
  );
  for (const parameter of new Set(lacking)) {
    const message = `Cannot merge as no entry of ${parameter} applies to this tensor; add one ` +
      `without filter: current value is undefined`;
    log.inTensor(joinPath("parameters", parameter), name, message);
  }
  if (lacking.length > 0) return undefined;
  const own = present.map(({ model }, i) => {
    const taken = Object.hasOwn(method.parameters, model.name);
    return [taken ? `models.${model.name}` : model.name, models[i]!] as const;
  }).filter(([, parameters]) => Object.keys(parameters).length > 0);
  return {
    global,
    models,
    document: { ...global, ...Object.fromEntries(own) },
    pathOf: (parameter) => parameter === undefined ? group.path : joinPath("parameters", parameter),
  };
}
