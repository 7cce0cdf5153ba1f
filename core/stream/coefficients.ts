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
  const parts = found.map((values, i) => partsOf(values, i));
  const packed = coefficients
    ? pack(vectorCount(tensor), (v) => coefficients(...parts.map((part) => part(v))))
    : {};
  if (!vectors) return () => ({ ...call, coefficients: packed });
  return (chunk) => ({
    ...call,
    coefficients: sliced(packed, ...vectorsOf(chunk, vectors)),
    vectors: vectorLayout(chunk, tensor.elements, vectors),
  });

  /** Sums belong to vectors, order statistics to the tensor. */
  function partsOf(values: Float64Array, measure: number): (vector: number) => Float64Array {
    const of: Measure | undefined = measures[measure];
    if (of?.kind !== "sums") return () => values;
    // One array for all vectors, as a matrix has thousands.
    const part = new Float64Array(of.sums);
    return (vector) => {
      for (let i = 0; i < part.length; i++) part[i] = values[vector * part.length + i]!;
      return part;
    };
  }
}

/** The coefficients of all vectors, each of which has the same ones. */
function pack(vectors: number, make: (vector: number) => Coefficients): PackedCoefficients {
  const packed = Object.entries(make(0)).map(([name, { length }]) => ({
    name,
    size: length,
    values: new Float64Array(vectors * length),
  }));
  for (let v = 0; v < vectors; v++) {
    const made = make(v);
    for (const { name, size, values } of packed) {
      const own = made[name]!;
      for (let i = 0; i < size; i++) values[v * size + i] = own[i]!;
    }
  }
  return Object.fromEntries(packed.map(({ name, ...rest }) => [name, rest]));
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
