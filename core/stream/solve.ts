/**
 * Solves a part of a linear layer, all of it in memory, in double precision (METHODS.md 9.2).
 *
 * @module
 */
import type { Bytes } from "../checkpoint/byte_source.ts";
import type { PlannedInput } from "../merge/plan_types.ts";
import type { SolveDecision, Statistics } from "../methods/method.ts";
import { Problem } from "../problem.ts";
import { type LayerProblem, solveLastColumn, solveLayer } from "../statistics/solve_layer.ts";
import { encodeFrom } from "../tensor/codec.ts";
import { DTYPES } from "../tensor/dtype.ts";
import type { Chunk } from "./chunks.ts";
import { faultProblem } from "./context.ts";
import type { MatrixContext } from "./matrix_merge.ts";
import { readDoubles, readLayers, readMatrix, type SolveTensor } from "./solve_inputs.ts";

/** What came of it. */
export type Solved =
  /** Take an input as it is. */
  | { readonly kind: "copy"; readonly input: PlannedInput; readonly reason: string }
  | {
    readonly kind: "solved";
    readonly bytesOf: (chunk: Chunk) => Bytes;
    readonly statistics?: Statistics;
  };

/**
 * Reads the layer of every model with the matrices of its inputs, and solves for the tensor.
 *
 * @throws {Problem} `non-finite` if a weight, a matrix or the result is.
 * @throws The signal's reason.
 */
export async function solve(context: MatrixContext, tensor: SolveTensor): Promise<Solved> {
  const { work, work: { decision } } = tensor;
  let layers: Float64Array[];
  try {
    layers = await readLayers(context, tensor);
  } catch (error) {
    const passes = context.plan.nonFinite === "base" && error instanceof Problem &&
      error.kind === "non-finite";
    if (!passes) throw error;
    return { kind: "copy", input: work.base ?? work.inputs[0]!, reason: "non-finite" };
  }
  const grams: Float64Array[] = [];
  for (const input of work.statistics) grams.push(await readMatrix(context, tensor, input));
  const { values, statistics } = await solveGroups(context, decision, layers, grams);
  const flat = arranged(decision, values, tensor);
  if (work.base) {
    const base = await readDoubles(context, tensor, work.base, -1);
    for (let i = 0; i < flat.length; i++) flat[i]! += base[i]!;
  }
  const { dtype, name } = tensor;
  return {
    kind: "solved",
    statistics,
    bytesOf(chunk) {
      const singles = Float32Array.from(flat.subarray(chunk.start, chunk.start + chunk.count));
      const bytes = new Uint8Array(chunk.count * DTYPES[dtype].bytes);
      const { saturate } = context.plan;
      const beyond = singles.findIndex((value) => !Number.isFinite(value));
      const element = beyond >= 0 ? beyond : encodeFrom(dtype, singles, bytes, { saturate });
      if (element >= 0) throw faultProblem(name, work, chunk, { element, found: 1 });
      return bytes;
    },
  };
}

/** Solves every group of units with its own matrices. */
async function solveGroups(
  { products }: MatrixContext,
  { part, units, size, groups, augmented, shares, alpha, ridge }: SolveDecision,
  layers: readonly Float64Array[],
  grams: readonly Float64Array[],
): Promise<{ values: Float64Array; statistics: Statistics }> {
  const length = size + Number(augmented);
  const [unitsOf, square] = [units / groups, length * length];
  const width = part === "bias" ? 1 : length;
  const values = new Float64Array(units * width);
  const found = { condition: 1, ridge: 0 };
  for (let group = 0; group < groups; group++) {
    const start = group * unitsOf;
    const problem: LayerProblem = {
      units: unitsOf,
      size: length,
      weights: layers.map((layer) => layer.subarray(start * length, (start + unitsOf) * length)),
      grams: grams.map((gram) => blockOf(gram, group, groups, length, square)),
      shares,
      alpha,
      ridge,
    };
    const solution = await (part === "bias" ? solveLastColumn : solveLayer)(problem, products);
    values.set(solution.merged, start * width);
    found.condition = Math.max(found.condition, solution.condition);
    found.ridge = Math.max(found.ridge, solution.ridge);
  }
  return { values, statistics: found };
}

/** The matrix of one group, without the column of ones where it is not wanted. */
function blockOf(
  gram: Float64Array,
  group: number,
  groups: number,
  length: number,
  square: number,
): Float64Array {
  const whole = gram.length / groups;
  const block = gram.subarray(group * whole, (group + 1) * whole);
  if (whole === square) return block;
  const stored = Math.sqrt(whole);
  const inner = new Float64Array(square);
  for (let row = 0; row < length; row++) {
    inner.set(block.subarray(row * stored, row * stored + length), row * length);
  }
  return inner;
}

/** The solution in the order of the tensor's elements. */
function arranged(
  { part, units, size, axis, augmented }: SolveDecision,
  values: Float64Array,
  { elements }: SolveTensor,
): Float64Array {
  if (part === "bias") return values;
  const length = size + Number(augmented);
  const flat = new Float64Array(elements);
  for (let unit = 0; unit < units; unit++) {
    for (let k = 0; k < size; k++) {
      flat[axis === 1 ? unit * size + k : k * units + unit] = values[unit * length + k]!;
    }
  }
  return flat;
}
