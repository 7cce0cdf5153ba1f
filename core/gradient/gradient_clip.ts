/**
 * Holds the norm of the whole gradient below a bound, as `torch.nn.utils.clip_grad_norm_` does (Pascanu et al.
 * 2013, arXiv 1211.5063).
 *
 * @module
 */
import type { Value } from "../onnx/model.ts";
import { sumOfAll } from "./accurate_sum.ts";
import { single } from "./hyperparameter.ts";
import type { Emitter } from "./rule.ts";

/** A gradient, float32, and its shape. */
export interface Gradient {
  readonly value: Value;
  readonly shape: readonly number[];
}

const GUARD = 1e-6;

/**
 * Multiplies all gradients with `min(1, maximum / (norm + 1e-6))`.
 *
 * @param maximum Scalar float32.
 * @returns The gradients, and the norm before, scalar float32.
 */
export function appendClip(
  graph: Emitter,
  gradients: ReadonlyMap<string, Gradient>,
  maximum: Value,
): { readonly clipped: ReadonlyMap<string, Value>; readonly norm: Value } {
  const squares = [...gradients.values()].map(({ value, shape }) =>
    sumOfAll(graph, "ReduceSumSquare", { value, type: "float32", shape })
  );
  const norm = graph.node("Sqrt", [graph.node("Sum", squares)]);
  const guarded = graph.node("Add", [norm, graph.scalar("float64", GUARD)]);
  const ratio = graph.node("Div", [graph.node("Cast", [maximum], { to: 11 }), guarded]);
  const factor = single(graph, graph.node("Min", [ratio, graph.scalar("float64", 1)]));
  const clipped = new Map<string, Value>();
  for (const [name, { value }] of gradients) clipped.set(name, graph.node("Mul", [value, factor]));
  return { clipped, norm: single(graph, norm) };
}
