/**
 * The passes over one tensor: magnitudes are counted, the largest are looked up, then everything is summed.
 *
 * @module
 */
import { analysisSums } from "../methods/analysis.ts";
import { graphOfMeasure, type SumMeasure } from "../methods/measure.ts";
import { type Chunk, mergeChunks } from "../stream/chunks.ts";
import { graphCalls } from "../stream/coefficients.ts";
import type { MergeContext, MergeTensor } from "../stream/context.ts";
import { countKeys } from "../stream/count_keys.ts";
import { valueOfKey } from "../stream/rank_pass.ts";
import { reducePass } from "../stream/reduce_pass.ts";
import { FINE_BINS } from "../tensor/order_statistics.ts";
import { emptyCounts, nonFinite, topBin } from "./magnitudes.ts";

/** Beyond this many elements a bin of 32 bits could overflow. */
const COUNTED_AT_ONCE = 2 ** 31;

/** What the passes found; lists follow the tensor's inputs. */
export interface MeasuredTensor {
  /** Magnitudes by coarse bin. */
  readonly counts: readonly Float64Array[];
  /** How many elements are NaN or infinite; with any of them nothing else is known. */
  readonly nonFinite: readonly number[];
  /** The largest magnitudes. */
  readonly maximum: readonly number[];
  /** As {@linkcode analysisSums} places them. */
  readonly sums: Float64Array;
}

/** Takes all measures of a tensor. */
export async function measureTensor(
  context: MergeContext,
  tensor: MergeTensor,
): Promise<MeasuredTensor> {
  const { inputs, base } = tensor.work;
  const chunks = mergeChunks(tensor, context.chunkElements);
  const rows = inputs.map((_, i) => String(i));
  const batches = inBatches(chunks).map((batch) =>
    batch.map((chunk) => ({ ranked: { tensor, chunks, rows }, chunk }))
  );
  const counted = await countKeys(
    context,
    batches,
    rows.map((row) => ({ row, kind: "coarse" as const })),
  );
  const counts = counted.map((found) => found ?? emptyCounts());
  const faulty = counts.map(nonFinite);
  const nothing = { counts, nonFinite: faulty, maximum: [], sums: new Float64Array() };
  if (faulty.some((count) => count > 0)) return nothing;

  const tops = counts.map(topBin);
  const fine = await countKeys(
    context,
    batches,
    rows.map((row, i) => ({ row, kind: "fine" as const, bin: tops[i]! })),
  );
  const maximum = fine.map((found, i) =>
    valueOfKey(tops[i]! * FINE_BINS + (found === undefined ? 0 : lastFilled(found)))
  );
  const measure: SumMeasure = {
    kind: "sums",
    graph: "sums",
    sums: analysisSums(inputs.length, base !== undefined).count,
  };
  const { sums } = await reducePass(context, tensor, {
    measure,
    chunks,
    call: graphCalls(tensor, graphOfMeasure(measure, []), undefined, []),
    select: () => ({}),
  });
  return sums.every(Number.isFinite)
    ? { counts, nonFinite: faulty, maximum, sums }
    // A base that is not finite below task vectors that are.
    : { ...nothing, nonFinite: faulty };
}

/** The highest bin that is not empty, or 0. */
function lastFilled(counts: Float64Array): number {
  let bin = counts.length - 1;
  while (bin > 0 && counts[bin] === 0) bin--;
  return bin;
}

function inBatches(chunks: readonly Chunk[]): Chunk[][] {
  const batches: Chunk[][] = [[]];
  let size = 0;
  for (const chunk of chunks) {
    if (size + chunk.count > COUNTED_AT_ONCE) {
      batches.push([]);
      size = 0;
    }
    batches.at(-1)!.push(chunk);
    size += chunk.count;
  }
  return batches;
}
