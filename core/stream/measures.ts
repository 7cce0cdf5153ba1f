/**
 * Takes the measures of one tensor, in order.
 *
 * @module
 */
import type { GraphCall, KeptInputs } from "../engine/chunk_job.ts";
import {
  graphOfMeasure,
  type KeepMeasure,
  type Measure,
  type RankMeasure,
} from "../methods/measure.ts";
import type { Chunk } from "./chunks.ts";
import { graphCalls } from "./coefficients.ts";
import type { MergeContext, MergeTensor } from "./context.ts";
import { keyCuts } from "./key_cuts.ts";
import { rankPass, valueOfKey } from "./rank_pass.ts";
import { isTolerant, NOTHING, type OnDevice } from "./device.ts";
import { type Reduced, reducePass } from "./reduce_pass.ts";
import { type BindSelection, selector } from "./selections.ts";

/** What is known of a tensor before its map. */
export interface Measured {
  /** What each measure found. */
  readonly found: readonly Float64Array[];
  /** Makes, for each pass anew, the function that binds selections to chunks in order. */
  readonly select: () => Promise<BindSelection>;
  /** Whether sums were taken and all models (and the base) were found to hold the same bits. */
  readonly agreed: boolean;
  readonly agreedWithBase: boolean;
  /** By chunk, where a GPU keeps the inputs. */
  readonly kept: ReadonlyMap<number, KeptInputs>;
}

/** A tensor under measurement. */
interface State {
  readonly context: MergeContext;
  readonly tensor: MergeTensor;
  readonly chunks: readonly Chunk[];
  readonly select: () => Promise<BindSelection>;
}

/**
 * Takes the measures of a tensor, beyond those that were taken of the whole model.
 *
 * @param device Where sums are taken; what the last of them read is kept there for the map.
 */
export async function measure(
  context: MergeContext,
  tensor: MergeTensor,
  chunks: readonly Chunk[],
  device: OnDevice = NOTHING,
): Promise<Measured> {
  const { measures = [] } = tensor.work.decision;
  const found = [...context.whole?.found(tensor) ?? []];
  let select = await selector(context, tensor, chunks);
  let agreement: Omit<Reduced, "sums"> = { agreed: false, agreedWithBase: false, kept: new Map() };
  for (const next of measures.slice(found.length)) {
    const call = graphCalls(tensor, graphOfMeasure(next, found), coefficientsOf(next), found);
    const state = { context, tensor, chunks, select };
    switch (next.kind) {
      case "sums": {
        const known = next.known?.(...found);
        if (known) {
          found.push(known);
          break;
        }
        const pass = { measure: next, chunks, call };
        const keep = next === measures.at(-1) ? context.kept?.nameOf(tensor) : undefined;
        const tolerated = device.sums && isTolerant(next)
          ? await reducePass(context, tensor, {
            ...pass,
            select: await select(),
            device: keep === undefined ? {} : { keep },
          })
          : undefined;
        const isSettled = tolerated !== undefined && next.settled!(tolerated.sums);
        const { sums, ...agreed } = isSettled
          ? tolerated
          : await reducePass(context, tensor, { ...pass, select: await select() });
        found.push(sums);
        agreement = { ...agreed, kept: tolerated?.kept ?? agreed.kept };
        break;
      }
      case "ranks":
        found.push(await rankValues(state, next, call));
        break;
      case "keep": {
        const kept = await keepScored(state, next, call);
        found.push(kept.found);
        select = kept.select;
      }
    }
  }
  return { found, select, ...agreement };
}

/** A measure's coefficients as a function of its own. */
export function coefficientsOf(measure: Measure): Measure["coefficients"] {
  return measure.coefficients && ((...found) => measure.coefficients!(...found));
}

async function rankValues(
  { context, tensor, chunks }: State,
  { rows, ranks, double = false }: RankMeasure,
  call: (chunk: Chunk) => GraphCall,
): Promise<Float64Array> {
  const names = Array.from({ length: rows }, (_, row) => String(row));
  const scores = (chunk: Chunk) => ({ ...call(chunk), rows, double });
  const wanted = names.flatMap((row, i) =>
    ranks(tensor.elements, i).map((rank) => ({ row, rank }))
  );
  const found = await rankPass(context, [{ tensor, chunks, rows: names, scores }], wanted);
  return Float64Array.from(found, ({ threshold }) => valueOfKey(threshold!.key));
}

async function keepScored(
  { context, tensor, chunks, select }: State,
  { keep, double = false }: KeepMeasure,
  call: (chunk: Chunk) => GraphCall,
): Promise<{ found: Float64Array; select: () => Promise<BindSelection> }> {
  const scores = (chunk: Chunk) => ({ ...call(chunk), rows: 1, double });
  const tensors = [{ tensor, chunks, rows: ["0"], scores }];
  let kept = tensor.elements;
  const rank = (positive: number) => {
    const wanted = keep(positive);
    kept = wanted ?? tensor.elements;
    return wanted;
  };
  const [result] = await rankPass(context, tensors, [{ row: "0", rank }]);
  const { threshold, positive = 0, equals } = result!;
  const found = Float64Array.of(kept, positive);
  if (!threshold) return { found, select };
  const [cut] = await keyCuts(context, tensors, [
    { row: "0", threshold, ...(equals ? { equals } : {}) },
  ]);
  return {
    found,
    select: async () => {
      const bind = await select();
      return (chunk) => ({
        ...bind(chunk),
        scored: { scores: scores(chunk), cut: cut!(tensor, chunk) },
      });
    },
  };
}
