/**
 * Outer optimizers: from the merged task vector of a round to the step on the weights (ATM.md, section 4;
 * Reddi et al. 2021, arXiv 2003.00295; Hsu et al. 2019, arXiv 1909.06335; Douillard et al. 2023, arXiv 2311.08105).
 *
 * @module
 */
import type { GraphBuilder, Value } from "../../onnx/graph_builder.ts";
import type { ChunkGraph } from "./chunk_math.ts";

/** How the merged task vector becomes a step. */
export type OuterSpec =
  | {
    readonly name: "sgd";
    readonly learningRate: number;
    readonly momentum: number;
    readonly nesterov: boolean;
  }
  | { readonly name: "adagrad"; readonly learningRate: number; readonly tau: number }
  | {
    readonly name: "adam" | "yogi";
    readonly learningRate: number;
    readonly betas: readonly [number, number];
    readonly tau: number;
    /** Only of adam. */
    readonly biasCorrection: boolean;
  }
  | { readonly name: "qfedavg"; readonly q: number };

/** The outer step that leaves the merge as it is. */
export const PLAIN: OuterSpec = { name: "sgd", learningRate: 1, momentum: 0, nesterov: false };

/** Names of the state that persists over rounds; each is a checkpoint that starts at zero. */
export function stateOf(spec: OuterSpec): readonly ("first" | "second")[] {
  switch (spec.name) {
    case "sgd":
      return spec.momentum > 0 ? ["first"] : [];
    case "adagrad":
      return ["second"];
    case "adam":
    case "yogi":
      return ["first", "second"];
    case "qfedavg":
      return [];
  }
}

/** Whether the merge with α = 1 is the candidate itself, without subtracting and adding the weights. */
export function isPlain(spec: OuterSpec): boolean {
  return spec.name === "sgd" && spec.momentum === 0 && spec.learningRate === 1;
}

/** The step's size in round k (from 1) before α: Adam's is corrected for the start at zero. */
export function outerRate(spec: OuterSpec, round: number): number {
  if (spec.name === "qfedavg") return 1;
  if (spec.name !== "adam" || !spec.biasCorrection) return spec.learningRate;
  const [beta1, beta2] = spec.betas;
  return spec.learningRate * Math.sqrt(1 - beta2 ** round) / (1 - beta1 ** round);
}

/**
 * The new value of a state. Operands `previous`, `merged`, and the states.
 *
 * @param state Which one.
 */
export function stateGraph(spec: OuterSpec, state: "first" | "second"): ChunkGraph {
  return (graph, operand) => {
    const delta = graph.node("Sub", [operand("merged"), operand("previous")]);
    const scaled = (factor: number, value: Value) =>
      graph.node("Mul", [value, graph.scalar("float32", factor)]);
    const old = operand(state);
    if (spec.name === "sgd") {
      return { result: graph.node("Add", [scaled(spec.momentum, old), delta]) };
    }
    const square = graph.node("Mul", [delta, delta]);
    if (spec.name === "adagrad") return { result: graph.node("Add", [old, square]) };
    if (spec.name === "qfedavg") throw new Error("qfedavg has no state");
    const [beta1, beta2] = spec.betas;
    if (state === "first") {
      return { result: graph.node("Add", [scaled(beta1, old), scaled(1 - beta1, delta)]) };
    }
    if (spec.name === "adam") {
      return { result: graph.node("Add", [scaled(beta2, old), scaled(1 - beta2, square)]) };
    }
    const direction = graph.node("Sign", [graph.node("Sub", [old, square])]);
    const change = scaled(1 - beta2, graph.node("Mul", [square, direction]));
    return { result: graph.node("Sub", [old, change]) };
  };
}

/**
 * The candidate θ + α·u. Operands `previous`, `merged`, and the new states; scalar `step` (α times the rate).
 */
export function candidateGraph(spec: OuterSpec): ChunkGraph {
  return (graph, operand, scalar) => {
    const delta = () => graph.node("Sub", [operand("merged"), operand("previous")]);
    const direction = directionOf(spec, graph, operand, delta);
    const step = graph.node("Mul", [scalar("step"), direction]);
    return { result: graph.node("Add", [operand("previous"), step]) };
  };
}

function directionOf(
  spec: OuterSpec,
  graph: GraphBuilder,
  operand: (name: string) => Value,
  delta: () => Value,
): Value {
  if (spec.name === "qfedavg") return delta();
  if (spec.name === "sgd") {
    if (spec.momentum === 0) return delta();
    if (!spec.nesterov) return operand("first");
    const momentum = graph.scalar("float32", spec.momentum);
    return graph.node("Add", [graph.node("Mul", [momentum, operand("first")]), delta()]);
  }
  const root = graph.node("Sqrt", [operand("second")]);
  const divisor = graph.node("Add", [root, graph.scalar("float32", spec.tau)]);
  return graph.node("Div", [spec.name === "adagrad" ? delta() : operand("first"), divisor]);
}
