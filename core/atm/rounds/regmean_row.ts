/**
 * The reference row `regmean`: the experts merged by regression on the inputs of their layers, taken from the very
 * rows that the run tunes on, without their labels.
 *
 * @module
 */
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { makePlan } from "../../merge/plan.ts";
import { parseRecipe } from "../../merge/recipe.ts";
import { METHODS } from "../../methods/mod.ts";
import { gatherGrams } from "../../statistics/gather_gram.ts";
import { placeParameters } from "../../statistics/gathering.ts";
import { statisticsFile } from "../../statistics/statistics_file.ts";
import { type Added, meansOf, sumUp } from "../../statistics/sum_up.ts";
import { mergeStream } from "../../stream/merge_stream.ts";
import { VERSION } from "../../version.ts";
import type { BoundData, BoundInputs } from "../batches.ts";
import { fileOrder } from "../row_order.ts";
import { readValues } from "../../gradient/parameters.ts";
import type { TuningPorts } from "../tuning_ports.ts";
import { type ScratchCheckpoint, writeScratch } from "./scratch.ts";
import type { Slots } from "./slots.ts";
import type { RoundTask } from "./tasks.ts";

/** An expert and the task that it was tuned for. */
export interface RegmeanExpert {
  readonly task: RoundTask;
  readonly weights: Checkpoint;
}

/** What the row is made with. */
export interface RegmeanContext {
  readonly ports: TuningPorts;
  readonly slots: Slots;
  readonly signal: AbortSignal;
}

/**
 * Merges the experts by `regmean` with its defaults and equal weights. Every task's tuning rows must be here.
 *
 * @throws {Problem} What the graph or the rows have against it.
 */
export async function mergeByRegression(
  { ports, slots, signal }: RegmeanContext,
  experts: readonly RegmeanExpert[],
): Promise<ScratchCheckpoint> {
  const scratch = await slots.each(experts, async ({ task, weights }, workspace) => {
    const { model, trainable } = task;
    const data = unlabelled(task.tune!.data);
    const tuned = {
      ...model,
      parameters: new Map(
        [...model.parameters].map(([name, parameter]) => {
          const stored = parameter.frozen === "private" ? undefined : weights.tensors.get(name);
          const read = (stop: AbortSignal) =>
            stored ? readValues(stored, stop) : parameter.read(stop);
          return [name, { ...parameter, read }];
        }),
      ),
    };
    await placeParameters(workspace, tuned, signal);
    const rows = fileOrder(data.rows);
    const sums = new Map<string, Added>();
    sumUp(
      sums,
      await gatherGrams(
        { workspace, model: tuned, data, rows, wanted: trainable, signal },
        { augment: true },
      ),
      tuned,
      rows.length,
    );
    return await writeScratch(ports.blobs, fileOf(sums, rows.length), signal);
  });
  try {
    return await merged(ports, experts, scratch, signal);
  } finally {
    for (const file of scratch) await file.release();
  }
}

/** The inputs alone: labels are not even read. */
function unlabelled({ rows, inputs, batchRows }: BoundData): BoundInputs {
  return {
    rows,
    inputs,
    ...(batchRows === undefined ? {} : { batchRows }),
    async read(indices, signal) {
      const named = [...inputs];
      const values = await Promise.all(named.map(([, feed]) => feed.read(indices, signal)));
      return Object.fromEntries(named.map(([name], i) => [name, values[i]!]));
    },
  };
}

async function* fileOf(sums: ReadonlyMap<string, Added>, rows: number) {
  const layers = Object.fromEntries(
    [...sums].flatMap(([name, { layer }]) => layer ? [[name, layer]] : []),
  );
  yield* statisticsFile(meansOf(sums), { kind: "gram", rows, layers }, VERSION);
}

async function merged(
  { blobs, executor, chunkElements }: TuningPorts,
  experts: readonly RegmeanExpert[],
  statistics: readonly ScratchCheckpoint[],
  signal: AbortSignal,
): Promise<ScratchCheckpoint> {
  const recipe = parseRecipe({
    merge_method: "regmean",
    models: experts.map((_, i) => ({ model: `expert ${i}`, statistics: `rows ${i}` })),
  }, METHODS);
  const plan = makePlan({
    recipe,
    methods: METHODS,
    checkpoints: new Map(
      experts.flatMap(({ weights }, i) => [
        [`expert ${i}`, weights] as const,
        [`rows ${i}`, statistics[i]!.checkpoint] as const,
      ]),
    ),
    version: VERSION,
  });
  return await writeScratch(blobs, mergeStream(plan, { executor, chunkElements, signal }), signal);
}
