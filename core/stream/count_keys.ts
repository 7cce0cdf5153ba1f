/**
 * Counts keys over the chunks of one or several tensors, on every thread at once.
 *
 * @module
 */
import type { HistogramJob, LaneKind, WindowTally } from "../engine/chunk_job.ts";
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
export type NamedLane = { readonly row: string } & LaneKind;

let accumulators = 0;

/** What one thread counted or listed, per lane. */
export interface Collected {
  readonly thread: string;
  readonly lanes: readonly (Uint32Array | undefined)[];
}

/** What was counted of some chunks: counters and lists that lie in the threads until they are collected. */
export interface Counted {
  /** Per chunk the thread that counted it and, per lane, what a window holds; undefined where the tensor has no such row. */
  readonly chunks: readonly {
    readonly thread: string;
    readonly tallies: readonly (WindowTally | undefined)[];
  }[];
  /** Hands over what is wanted of the lanes, once. */
  collect(wanted: readonly boolean[]): Promise<readonly Collected[]>;
}

/** Counts the keys of some chunks, which `use` may collect. */
export async function withKeys<T>(
  context: MergeContext,
  chunks: readonly RankedChunk[],
  lanes: readonly (NamedLane | undefined)[],
  use: (counted: Counted) => Promise<T>,
): Promise<T> {
  const { executor } = context;
  const id = `keys-${accumulators++}`;
  let kept = true;
  const collect = async (wanted: readonly boolean[]) => {
    kept = false;
    const answers = await executor.broadcast({ stage: "collect", id, wanted });
    return answers.map(({ thread, collected }) => ({ thread: thread!, lanes: collected! }));
  };
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
            return lane && row >= 0 ? { ...lane, row } : undefined;
          }),
        })),
    );
    const counted = [];
    for await (const { thread, tallies } of passes) {
      counted.push({ thread: thread!, tallies: tallies! });
    }
    return await use({ chunks: counted, collect });
  } finally {
    if (kept) await collect([]);
  }
}

/** Counts the keys of batches of chunks, each in 32 bits, and adds up, per lane. */
export async function countKeys(
  context: MergeContext,
  batches: readonly (readonly RankedChunk[])[],
  lanes: readonly (NamedLane | undefined)[],
): Promise<(Float64Array | undefined)[]> {
  const totals: (Float64Array | undefined)[] = lanes.map(() => undefined);
  for (const chunks of batches) {
    const threads = await withKeys(
      context,
      chunks,
      lanes,
      ({ collect }) => collect(lanes.map(Boolean)),
    );
    for (const { lanes: counted } of threads) {
      counted.forEach((counts, i) => {
        if (!counts) return;
        totals[i] = added(totals[i], counts);
        freeWords(counts);
      });
    }
  }
  return totals;
}

/** Frees what a thread handed over, once it is used up: the collector would let many of these pile up. */
export function freeWords(words: Uint32Array | undefined): void {
  (words?.buffer as ArrayBuffer | undefined)?.transfer(0);
}

function added(
  total: Float64Array | undefined,
  counts: Float64Array | Uint32Array,
): Float64Array {
  if (total === undefined) return new Float64Array(counts);
  for (let bin = 0; bin < counts.length; bin++) total[bin]! += counts[bin]!;
  return total;
}
