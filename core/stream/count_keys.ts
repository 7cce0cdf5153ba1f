/**
 * Counts keys over the chunks of one or several tensors, on every thread at once.
 *
 * @module
 */
import type { CollectJob, HistogramJob } from "../engine/chunk_job.ts";
import type { FineWindow } from "../tensor/order_statistics.ts";
import type { Chunk } from "./chunks.ts";
import { type MergeContext, runChunk } from "./context.ts";
import { inOrder } from "./in_order.ts";
import type { RankedTensor } from "./rank_pass.ts";

/** A chunk of a tensor whose rows are ranked. */
export interface RankedChunk {
  readonly ranked: RankedTensor;
  readonly chunk: Chunk;
}

/** What is counted of the rows of one name. */
export interface NamedLane {
  readonly row: string;
  readonly coarse: boolean;
  readonly fine?: FineWindow;
}

/** Counts per lane; undefined where none were asked for or no tensor has the row. */
export type Counts = readonly (Float64Array | undefined)[];

let accumulators = 0;

/** Counts the keys of some chunks and lets `use` look at the counts, part by part. */
export async function withKeys<T>(
  context: MergeContext,
  chunks: readonly RankedChunk[],
  lanes: readonly (NamedLane | undefined)[],
  use: (collect: (parts: CollectJob["parts"]) => Promise<Counts>) => Promise<T>,
): Promise<T> {
  const { executor } = context;
  const id = `keys-${accumulators++}`;
  try {
    const passes = inOrder(
      chunks,
      executor.width,
      ({ ranked, chunk }) =>
        runChunk(context, ranked.tensor, chunk, (inputs): HistogramJob => ({
          stage: "histogram",
          inputs,
          id,
          ...(ranked.scores ? { scores: ranked.scores(chunk) } : {}),
          lanes: lanes.map((lane) => {
            const row = lane ? ranked.rows.indexOf(lane.row) : -1;
            if (!lane || row < 0) return undefined;
            const { coarse, fine } = lane;
            return { row, coarse, ...(fine ? { fine } : {}) };
          }),
        })),
    );
    for await (const _ of passes);
    return await use((parts) => collect(context, id, parts));
  } finally {
    await executor.broadcast({ stage: "collect", id, parts: [], clear: true });
  }
}

/** Counts the keys of batches of chunks, each in 32 bits, and adds up. */
export async function countKeys(
  context: MergeContext,
  batches: readonly (readonly RankedChunk[])[],
  lanes: readonly (NamedLane | undefined)[],
  parts: CollectJob["parts"],
): Promise<Counts> {
  const totals: (Float64Array | undefined)[] = parts.map(() => undefined);
  for (const chunks of batches) {
    const counts = await withKeys(context, chunks, lanes, (collect) => collect(parts));
    counts.forEach((count, i) => {
      if (count) totals[i] = added(totals[i], count);
    });
  }
  return totals;
}

/** Adds up what every thread counted. */
async function collect(
  { executor }: MergeContext,
  id: string,
  parts: CollectJob["parts"],
): Promise<(Float64Array | undefined)[]> {
  if (!parts.some(Boolean)) return parts.map(() => undefined);
  const answers = await executor.broadcast({ stage: "collect", id, parts, clear: false });
  return parts.map((part, i) => {
    let total: Float64Array | undefined;
    if (!part) return total;
    for (const { histograms } of answers) {
      const counts = histograms?.[i];
      if (!counts) continue;
      total = added(total, counts);
      // Freed now; the collector would let many of these pile up.
      (counts.buffer as ArrayBuffer).transfer(0);
    }
    return total;
  });
}

function added(
  total: Float64Array | undefined,
  counts: Float64Array | Uint32Array,
): Float64Array {
  const sum = total ?? new Float64Array(counts.length);
  for (let bin = 0; bin < counts.length; bin++) sum[bin]! += counts[bin]!;
  return sum;
}
