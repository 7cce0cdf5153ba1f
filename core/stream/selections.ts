/**
 * Binds the selections of a tensor to its chunks.
 *
 * @module
 */
import type { ChunkSelection, ChunkSelections, ScoreSelection } from "../engine/chunk_job.ts";
import type { Selection } from "../methods/measure.ts";
import type { Chunk } from "./chunks.ts";
import type { MergeContext, MergeTensor } from "./context.ts";
import { type CutOf, keyCuts, type NamedThreshold } from "./key_cuts.ts";
import { randomSelections } from "./masks.ts";
import { rankPass, type WantedRank } from "./rank_pass.ts";

/** What is dropped from a chunk. */
export type BindSelection = (chunk: Chunk) => {
  readonly selections?: ChunkSelections;
  readonly scored?: ScoreSelection;
};

type MagnitudeSelection = Extract<Selection, { kind: "magnitude" }>;
/** A model's selection of a chunk. */
type Bound = (chunk: Chunk) => ChunkSelection;

/** Finds thresholds; answers what makes, for each pass anew, the function that is asked chunk by chunk in order. */
export async function selector(
  context: MergeContext,
  tensor: MergeTensor,
  chunks: readonly Chunk[],
): Promise<() => Promise<BindSelection>> {
  const { selections } = tensor.work.decision;
  if (!selections) return () => Promise.resolve(() => ({}));
  const magnitudes = chunks.length > 1
    ? await thresholds(context, tensor, chunks, selections)
    : selections.map((selection) =>
      selection?.kind === "magnitude" ? wholeTensor(selection) : undefined
    );
  return async () => {
    const random = await randomSelections(context, tensor, selections);
    const bound = selections.map((selection, i) => {
      if (!selection) return undefined;
      return random[i] ?? magnitudes[i] ?? context.whole?.selection(tensor, i);
    });
    return (chunk) => ({ selections: bound.map((bind) => bind?.(chunk)) });
  };
}

function wholeTensor({ keep, skip = 0 }: MagnitudeSelection): Bound {
  return () => ({ kind: "largest", keep, skip });
}

/** Ranks the magnitudes of a tensor of several chunks. */
async function thresholds(
  context: MergeContext,
  tensor: MergeTensor,
  chunks: readonly Chunk[],
  selections: readonly (Selection | undefined)[],
): Promise<(Bound | undefined)[]> {
  const bands = selections.map((selection) =>
    selection?.kind === "magnitude" && selection.keep > 0 ? selection : undefined
  );
  const tensors = [{ tensor, chunks, rows: bands.map((band, i) => band && String(i)) }];
  const wanted = bands.flatMap((band, i): WantedRank[] =>
    band ? ranksOf(band).map((rank) => ({ row: String(i), rank })) : []
  );
  const found = await rankPass(context, tensors, wanted);
  const cuts = await keyCuts(
    context,
    tensors,
    found.map(({ threshold, equals }, i): NamedThreshold => ({
      row: wanted[i]!.row,
      threshold: threshold!,
      ...(equals ? { equals } : {}),
    })),
  );
  const next = cuts.values();
  return selections.map((selection, i) => {
    if (selection?.kind !== "magnitude") return undefined;
    const band = bands[i];
    if (!band) return wholeTensor({ ...selection, keep: 0, skip: 0 });
    const [cut, without] = ranksOf(band).map(() => next.next().value);
    return bindCuts(tensor, cut!, without);
  });
}

/** The ranks at which a band ends and before which it begins. */
function ranksOf({ keep, skip = 0 }: MagnitudeSelection): number[] {
  return skip > 0 ? [skip + keep, skip] : [keep];
}

/** A selection by thresholds. */
export function bindCuts(tensor: MergeTensor, cut: CutOf, without?: CutOf): Bound {
  return (chunk) => ({
    kind: "threshold",
    cut: cut(tensor, chunk),
    ...(without ? { without: without(tensor, chunk) } : {}),
  });
}
