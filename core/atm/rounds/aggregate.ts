/**
 * Merges the results of a round: by any method of `/merge`, run by the very code of `/merge`, or by a robust
 * aggregator.
 *
 * @module
 */
import type { Bytes } from "../../checkpoint/byte_source.ts";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { Workspace } from "../../engine/workspace.ts";
import { makePlan } from "../../merge/plan.ts";
import { parseRecipe } from "../../merge/recipe.ts";
import { METHODS } from "../../methods/mod.ts";
import { mergeStream } from "../../stream/merge_stream.ts";
import { VERSION } from "../../version.ts";
import type { TuningPorts } from "../tuning_ports.ts";
import { mapChunks } from "./chunk_math.ts";
import { contribution, coordinateGraph, krumChoice, type RobustSpec } from "./robust.ts";

/** How a round's results are merged. */
export type MergeSpec =
  /** The part of a recipe that says how: method and parameters. */
  | { readonly kind: "recipe"; readonly recipe: Readonly<Record<string, unknown>> }
  | { readonly kind: "robust"; readonly robust: RobustSpec };

/** What is merged. */
export interface AggregateRequest {
  readonly ports: TuningPorts;
  readonly workspace: Workspace;
  readonly merge: MergeSpec;
  /** θ^(k-1). */
  readonly previous: Checkpoint;
  /** θ_t of every task, by its name. */
  readonly tuned: ReadonlyMap<string, Checkpoint>;
  /** Weight of every task, in that order; they sum to 1. */
  readonly weights: readonly number[];
  /** The tensors that were trained; all others are those of θ^(k-1). */
  readonly tensors: readonly string[];
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** The name of θ^(k-1) in the recipes of rounds. */
export const BASE = "base";

/**
 * The merged checkpoint as a safetensors file.
 *
 * @throws {Problem} `invalid-recipe` if the method does not take these models.
 */
export async function* aggregate(request: AggregateRequest): AsyncGenerator<Bytes> {
  const { ports, merge, previous, tuned, signal } = request;
  if (merge.kind === "robust") {
    yield* robustly(request, merge.robust);
    return;
  }
  const recipe = parseRecipe(roundRecipe(request, merge.recipe), METHODS);
  const plan = makePlan({
    recipe,
    methods: METHODS,
    checkpoints: new Map([[BASE, previous], ...tuned]),
    version: VERSION,
  });
  yield* mergeStream(plan, {
    executor: ports.executor,
    chunkElements: ports.chunkElements,
    signal,
  });
}

/** A round's recipe: the given method on the tasks' results. */
export function roundRecipe(
  { tuned, weights, tensors, previous, seed }: Pick<
    AggregateRequest,
    "tuned" | "weights" | "tensors" | "previous" | "seed"
  >,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const names = [...tuned.keys()];
  const trained = new Set(tensors);
  const frozen = [...previous.tensors.keys()].filter((name) => !trained.has(name));
  const method = String(given["merge_method"] ?? "linear");
  const known = METHODS.get(method);
  const base = known?.base;
  const weighted = known?.parameters["weight"] !== undefined;
  return {
    ...given,
    merge_method: method,
    ...(base === "listed" ? {} : { base_model: BASE }),
    models: names.map((model, i) => ({
      model,
      ...(weighted ? { parameters: { weight: weights[i] } } : {}),
    })),
    seed,
    ...(frozen.length > 0 && base !== "listed"
      ? { tensors: { exclude: frozen, otherwise: "base" } }
      : {}),
  };
}

async function* robustly(request: AggregateRequest, robust: RobustSpec): AsyncGenerator<Bytes> {
  const { workspace, previous, tuned, tensors, signal } = request;
  const results = [...tuned.values()];
  if (robust.name === "krum") {
    const chosen = await krumChoice({ workspace, tensors, signal }, results, robust.faulty);
    yield* mapChunks(
      {
        workspace,
        key: "krum result",
        graph: (graph, operand) => ({ result: graph.node("Identity", [operand("chosen")]) }),
        operands: { chosen: results[chosen]! },
        tensors,
        signal,
      },
      previous,
      { format: "pt", kind: "weights" },
    );
    return;
  }
  yield* mapChunks(
    {
      workspace,
      key: `${robust.name} ${results.length}`,
      graph: coordinateGraph(robust, results.length),
      operands: Object.fromEntries(results.map((each, i) => [contribution(i), each])),
      tensors,
      signal,
    },
    previous,
    { format: "pt", kind: "weights" },
  );
}
