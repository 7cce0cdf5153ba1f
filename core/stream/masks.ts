/**
 * Random selections bound to chunks: Threefry by default, MT19937 for comparison with mergekit.
 *
 * @module
 */
import type { ChunkSelection } from "../engine/chunk_job.ts";
import type { Selection } from "../methods/measure.ts";
import { drawMask, mt19937, type WordGenerator } from "../tensor/mt19937.ts";
import { randomKey } from "../tensor/random.ts";
import type { Chunk } from "./chunks.ts";
import type { MergeContext, MergeTensor } from "./context.ts";

/** Gives a model's selection for a chunk; for MT19937 chunks must be asked for in order, once each. */
export type SelectChunk = (chunk: Chunk) => ChunkSelection;

/** Per model, how its random selection is drawn; undefined for other models. */
export async function randomSelections(
  { plan }: MergeContext,
  tensor: MergeTensor,
  selections: readonly (Selection | undefined)[],
): Promise<(SelectChunk | undefined)[]> {
  let sequential = 0;
  return await Promise.all(selections.map(async (selection, i) => {
    if (selection?.kind !== "random" && selection?.kind !== "ranked") return undefined;
    if (plan.rng === "mt19937") {
      const next = mt19937(plan.seed);
      const skip = sequential++ * tensor.elements;
      for (let draw = 0; draw < skip; draw++) next();
      return (chunk: Chunk) => drawn(selection, chunk, next);
    }
    const key = await randomKey(plan.seed, "mask", tensor.work.inputs[i]!.model, tensor.name);
    return ({ start: first }: Chunk): ChunkSelection =>
      selection.kind === "ranked"
        ? { kind: "ranked", vectors: selection, first, stream: { key } }
        : { kind: "random", key, first, probability: selection.probability };
  }));
}

function drawn(
  selection: Extract<Selection, { kind: "random" | "ranked" }>,
  { start: first, count }: Chunk,
  next: WordGenerator,
): ChunkSelection {
  if (selection.kind === "random") {
    return { kind: "mask", keep: drawMask(next, count, selection.probability) };
  }
  const draws = Uint32Array.from({ length: count }, next);
  return { kind: "ranked", vectors: selection, first, stream: { draws } };
}
