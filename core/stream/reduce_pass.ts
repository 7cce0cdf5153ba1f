/**
 * The reduction pass: block sums of a tensor, added up in index order in double precision.
 *
 * @module
 */
import type { GraphCall, KeptInputs } from "../engine/chunk_job.ts";
import { segmentsOf } from "../engine/segments.ts";
import type { SumMeasure } from "../methods/measure.ts";
import { type Chunk, vectorLayout, vectorsOf } from "./chunks.ts";
import { vectorCount } from "./coefficients.ts";
import { type MergeContext, type MergeTensor, runChunk } from "./context.ts";
import { inOrder } from "./in_order.ts";
import type { BindSelection } from "./selections.ts";

/** What the pass found. */
export interface Reduced {
  /** `[vectors, sums]`. */
  readonly sums: Float64Array;
  /** Whether all models hold the same bits everywhere, and whether the base does too. */
  readonly agreed: boolean;
  readonly agreedWithBase: boolean;
  /** By chunk, where a GPU keeps the inputs. */
  readonly kept: ReadonlyMap<number, KeptInputs>;
}

/** What is summed, and where to. */
export interface ReducePass {
  readonly measure: SumMeasure;
  readonly chunks: readonly Chunk[];
  readonly call: (chunk: Chunk) => GraphCall;
  /** Binds selections to a chunk; asked in order. */
  readonly select: BindSelection;
  /** Sums to go on from; absent: the measure's start. */
  readonly into?: Float64Array;
  /** On a GPU, in float32; with a name, its inputs are kept under it. */
  readonly device?: { readonly keep?: string };
}

/** Takes the sums of a tensor. */
export async function reducePass(
  context: MergeContext,
  tensor: MergeTensor,
  { measure, chunks, call, select, into, device }: ReducePass,
): Promise<Reduced> {
  const { sums: width, combine = addTo } = measure;
  const { vectors } = tensor.work.decision;
  const sums = into ?? startingSums(measure, vectorCount(tensor));
  let agreed = true;
  let agreedWithBase = true;
  const kept = new Map<number, KeptInputs>();
  const passes = inOrder(chunks, context.executor.width, async (chunk) => {
    const selection = select(chunk);
    const result = await runChunk(context, tensor, chunk, (inputs) => ({
      stage: "reduce",
      inputs,
      ...call(chunk),
      sums: width,
      ...selection,
      ...(device ? { device: true } : {}),
      ...(device?.keep === undefined ? {} : { keep: `${device.keep}/${chunk.index}` }),
    }));
    return { chunk, result };
  });
  for await (const { chunk, result } of passes) {
    const blocks = result.sums!;
    if (result.kept) kept.set(chunk.index, result.kept);
    const layout = vectors && vectorLayout(chunk, tensor.elements, vectors);
    const segments = segmentsOf(chunk.count, layout);
    const first = !vectors || !layout
      ? 0
      : layout.along === "columns"
      ? layout.offset
      : vectorsOf(chunk, vectors)[0];
    for (let s = 0; s < segments.count; s++) {
      const at = (first + segments.vector(s)) * width;
      combine(sums.subarray(at, at + width), blocks.subarray(s * width, (s + 1) * width));
    }
    agreed &&= result.agreed === true;
    agreedWithBase &&= result.agreedWithBase === true;
  }
  return { sums, agreed, agreedWithBase, kept };
}

/** What the sums of each vector start from. */
export function startingSums({ sums, start = [] }: SumMeasure, vectors: number): Float64Array {
  const starting = new Float64Array(vectors * sums);
  for (let v = 0; v < vectors; v++) starting.set(start, v * sums);
  return starting;
}

function addTo(total: Float64Array, block: Float64Array): void {
  for (let i = 0; i < total.length; i++) total[i]! += block[i]!;
}
