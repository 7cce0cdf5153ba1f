/**
 * What measures found, turned into the coefficients of graphs.
 *
 * @module
 */
import type { GraphCall, PackedCoefficients } from "../engine/chunk_job.ts";
import type { Coefficients, Measure } from "../methods/measure.ts";
import { type Chunk, type MergeTensor, vectorLayout, vectorsOf } from "./chunks.ts";

/** How many vectors a tensor falls into. */
export function vectorCount({ elements, work: { decision: { vectors } } }: MergeTensor): number {
  if (!vectors) return 1;
  return vectors.along === "columns" ? vectors.rowLength : elements / vectors.rowLength;
}

/** Makes the call of a graph for each chunk, from what the measures before it found. */
export function graphCalls(
  tensor: MergeTensor,
  graph: string,
  coefficients: ((...found: Float64Array[]) => Coefficients) | undefined,
  found: readonly Float64Array[],
  lines?: GraphCall["lines"],
): (chunk: Chunk) => GraphCall {
  const { method, decision: { measures = [], vectors } } = tensor.work;
  const call = { method: method.name, graph, ...(lines ? { lines } : {}) };
  const packed = coefficients
    ? pack(
      vectorCount(tensor),
      (v) => coefficients(...found.map((values, i) => part(values, i, v))),
    )
    : {};
  if (!vectors) return () => ({ ...call, coefficients: packed });
  return (chunk) => ({
    ...call,
    coefficients: sliced(packed, ...vectorsOf(chunk, vectors)),
    vectors: vectorLayout(chunk, tensor.elements, vectors),
  });

  /** Sums belong to vectors, order statistics to the tensor. */
  function part(values: Float64Array, measure: number, vector: number): Float64Array {
    const found: Measure | undefined = measures[measure];
    if (found?.kind !== "sums") return values;
    return values.subarray(vector * found.sums, (vector + 1) * found.sums);
  }
}

function pack(vectors: number, make: (vector: number) => Coefficients): PackedCoefficients {
  const packed: Record<string, { size: number; values: Float64Array<ArrayBuffer> }> = {};
  for (let v = 0; v < vectors; v++) {
    for (const [name, values] of Object.entries(make(v))) {
      const size = values.length;
      packed[name] ??= { size, values: new Float64Array(vectors * size) };
      packed[name].values.set(values, v * size);
    }
  }
  return packed;
}

/** A copy of some vectors' values: what crosses to a worker takes its whole buffer along. */
function sliced(packed: PackedCoefficients, from: number, to: number): PackedCoefficients {
  return Object.fromEntries(
    Object.entries(packed).map(([name, { size, values }]) => [
      name,
      { size, values: values.slice(from * size, to * size) },
    ]),
  );
}
