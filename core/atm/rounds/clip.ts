/**
 * Clipping of task vectors before they are merged (ATM.md, section 3).
 *
 * @module
 */
import type { ChunkGraph } from "./chunk_math.ts";

/** How task vectors are clipped. */
export type ClipSpec =
  /** `τ ← τ·min(1, norm/‖τ‖)`. */
  | { readonly norm: number }
  /** The bound is median + mad·MAD of the tasks' norms. */
  | { readonly mad: number }
  /** The bound is the mean norm. */
  | { readonly average: true };

/** The factor of every task vector. */
export function clipFactors(spec: ClipSpec, norms: readonly number[]): number[] {
  const bound = boundOf(spec, norms);
  return norms.map((norm) => norm > bound ? bound / norm : 1);
}

function boundOf(spec: ClipSpec, norms: readonly number[]): number {
  if ("norm" in spec) return spec.norm;
  if ("average" in spec) return norms.reduce((sum, norm) => sum + norm, 0) / norms.length;
  const centre = median(norms);
  return centre + spec.mad * median(norms.map((norm) => Math.abs(norm - centre)));
}

/** The median; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle - 0.5)]! + sorted[Math.floor(middle)]!) / 2;
}

/** `θ + factor·(θ_t − θ)`. Operands `previous`, `tuned`; scalar `factor`. */
export const clippedGraph: ChunkGraph = (graph, operand, scalar) => {
  const delta = graph.node("Sub", [operand("tuned"), operand("previous")]);
  return {
    result: graph.node("Add", [
      operand("previous"),
      graph.node("Mul", [scalar("factor"), delta]),
    ]),
  };
};
