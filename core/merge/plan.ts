/**
 * Makes the plan of a merge from a checked recipe and opened checkpoints; no tensor byte is read.
 *
 * @module
 */
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { denseAdapters } from "../adapters/dense_adapters.ts";
import { planFactors } from "../adapters/factor_plan.ts";
import { layoutSafetensors } from "../checkpoint/write_safetensors.ts";
import { Problem } from "../problem.ts";
import { bytesRead, inputsOf, memoryOf, passesOf } from "./passes.ts";
import { faultLog } from "./plan_faults.ts";
import { bindKinds, listedGroups } from "./plan_kinds.ts";
import { findStrangers, statisticsFaults } from "./plan_statistics.ts";
import { keepLayout } from "./plan_layout.ts";
import { planTensor } from "./plan_tensor.ts";
import type { Plan, PlannedTensor } from "./plan_types.ts";
import { planWarnings } from "./plan_warnings.ts";
import { type InputProvenance, provenance } from "./provenance.ts";
import type { Methods, Recipe } from "./recipe.ts";
import { selectTensors } from "./select_tensors.ts";
import { sliceGroups } from "./slices.ts";
import { modelGroup } from "./tensor_groups.ts";

/** What a plan is made from. */
export interface PlanRequest {
  readonly recipe: Recipe;
  readonly methods: Methods;
  /** The opened checkpoint of every name that the recipe uses. */
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
  /** What is known of the inputs' bytes, for the result's metadata. */
  readonly inputs?: ReadonlyMap<string, InputProvenance>;
  /** amalgam's version. */
  readonly version: string;
  /** Memory that the chunks of one input or of the output take, in bytes; default 4 MiB. */
  readonly chunkMemory?: number;
  /** Limit of the memory for chunks in bytes; default none. */
  readonly memory?: number;
}

/**
 * Plans every tensor.
 *
 * @throws {Problem} With every fault in `errors`: `invalid-recipe`; `mismatch` (with `tensors`) if
 * tensors do not fit together; `unsupported-dtype`; `too-large` if the memory limit is too low.
 */
export function makePlan(request: PlanRequest): Plan {
  const { recipe, methods, version } = request;
  const method = methods.get(recipe.merge_method);
  if (method === undefined) {
    throw new Problem(
      "unknown-method",
      `Cannot plan as there is no such method: current value is "${recipe.merge_method}"`,
    );
  }
  if (method.factors !== undefined) return planFactors(request, method);
  const log = faultLog();
  const kinds = bindKinds(recipe, method, request.checkpoints);
  kinds.faults.forEach(log.fault);
  statisticsFaults(recipe, method, request.checkpoints).forEach(log.fault);
  const { checkpoints, memory } = kinds.faults.length > 0
    ? { checkpoints: request.checkpoints, memory: 0 }
    : denseAdapters(request.checkpoints, recipe.base_model, listedGroups(recipe).flat());
  const bound = { recipe, method, checkpoints, kinds };
  const { groups, faults } = recipe.slices
    ? sliceGroups(bound)
    : { groups: [modelGroup(bound)], faults: [] };
  faults.forEach(log.fault);
  // Mixed kinds or ranges outside a model would make every tensor a fault of its own.
  log.throwIfAny();
  for (const group of groups) findStrangers(group, log);

  const selection = selectTensors(recipe.tensors);
  const planning = {
    recipe,
    method,
    methods,
    output: kinds.output,
    selects: selection.selects,
    log,
  };
  const tensors = groups.flatMap((group) =>
    group.names.flatMap((name) => planTensor(planning, group, name) ?? [])
  );
  log.throwIfAny();

  const written = tensors.filter(({ work }) => work !== undefined);
  const reference = checkpoints.get(recipe.base_model ?? groups[0]!.models[0]?.name ?? "");
  const metadata = provenance({
    recipe,
    kind: kinds.output,
    reference: reference?.metadata ?? {},
    inputs: request.inputs ?? new Map(),
    version,
    tensors,
  });
  const layout = layoutSafetensors(written, metadata);
  const byName = new Map(written.map((tensor) => [tensor.name, tensor]));
  const works = written.map(({ work }) => work!);
  const ordered = [
    ...layout.tensors.map(({ name }) => byName.get(name)!),
    ...tensors.filter(({ work }) => work === undefined),
  ];
  keepLayout({ tensors: ordered, metadata }, layout);
  return {
    method: method.name,
    seed: recipe.seed,
    rng: recipe.rng,
    nonFinite: recipe.non_finite,
    saturate: recipe.saturate,
    strictIntegers: recipe.strict_integers,
    kind: kinds.output,
    tensors: ordered,
    bytesIn: works.reduce((sum, work) => sum + bytesRead(work), 0),
    bytesOut: layout.byteLength,
    passes: works.reduce((most, work) => Math.max(most, passesOf(work)), 0),
    peakMemory: memory + peakMemory(written, request),
    warnings: planWarnings(recipe, groups, tensors, selection.idle()),
    metadata,
  };
}

/** What the tensor takes that takes most. */
function peakMemory(
  tensors: readonly PlannedTensor[],
  { chunkMemory = 4 * 2 ** 20, memory = Infinity }: PlanRequest,
): number {
  let peak = 0;
  let most: PlannedTensor | undefined;
  for (const tensor of tensors) {
    const bytes = memoryOf(tensor.work!, tensor.elements, chunkMemory);
    if (bytes <= peak) continue;
    peak = bytes;
    most = tensor;
  }
  if (peak <= memory) return peak;
  throw new Problem(
    "too-large",
    `Cannot merge tensor "${most?.name}" of ${inputsOf(most!.work!).length} inputs as the memory ` +
      `must be at least ${peak} bytes: current value is ${memory}`,
    { limit: memory, value: peak, tensor: most?.name },
  );
}
