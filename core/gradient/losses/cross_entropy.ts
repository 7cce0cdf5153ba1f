/**
 * Cross entropy of logits and class indices, as PyTorch defines it: `ignore_index`, label smoothing (Szegedy et
 * al. 2016, arXiv 1512.00567), mean over the counted targets.
 *
 * The classes are the last axis. PyTorch's `[N, C, T]` is refused rather than guessed from the target's shape: the
 * guess would turn over without a word for a batch in which T happens to equal C.
 *
 * @module
 */
import type { Value } from "../../onnx/model.ts";
import { sumOfAll, sumOfRows } from "../accurate_sum.ts";
import { reshape } from "../broadcast.ts";
import type { LossSpec } from "../loss_options.ts";
import type { Emitter } from "../rule.ts";
import type { LossOutput, LossParts, LossTarget } from "./loss.ts";

type CrossEntropy = Extract<LossSpec, { name: "cross_entropy" }>;

/**
 * Adds the loss of logits `[…, C]` and integer targets `[…]`; all leading axes are counted alike. It is computed
 * from the logits less their largest, so that logits of any size are safe.
 */
export function crossEntropy(
  graph: Emitter,
  { ignoreIndex, labelSmoothing: smoothing }: CrossEntropy,
  output: LossOutput,
  target: LossTarget,
  withGradient: boolean,
): LossParts {
  const { type } = output;
  const classes = output.shape.at(-1)!;
  const rows = output.shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const scalar = (value: number) => graph.scalar(type, value);
  const logits = reshape(graph, output.value, [rows, classes]);
  const flat = reshape(graph, target.value, [rows]);
  const labels = target.type === "int64" ? flat : graph.node("Cast", [flat], { to: 7 });

  const ignored = graph.node("Equal", [labels, graph.scalar("int64", ignoreIndex)]);
  const counts = graph.node("Cast", [graph.node("Not", [ignored])], { to: codeOf(type) });
  // Ignored targets stand for class 0 and weigh nothing.
  const safe = graph.node("Where", [ignored, graph.scalar("int64", 0), labels]);
  const column = graph.node("Unsqueeze", [safe, graph.integers([1])]);
  const total = (value: Value) =>
    graph.node("Cast", [sumOfAll(graph, "ReduceSum", { value, type, shape: [rows] })], {
      to: codeOf(type),
    });
  const counted = total(counts);
  const divisor = graph.node("Max", [counted, scalar(1)]);

  const logs = graph.node("LogSoftmax", [logits], { axis: 1 });
  const taken = graph.node("GatherElements", [logs, column], { axis: 1 });
  const own = graph.node("Neg", [reshape(graph, taken, [rows])]);
  const losses = smoothing === 0 ? own : graph.node("Add", [
    graph.node("Mul", [own, scalar(1 - smoothing)]),
    graph.node("Mul", [
      graph.node("Cast", [
        sumOfRows(graph, "ReduceSum", { value: logs, type, rows, columns: classes }),
      ], { to: codeOf(type) }),
      scalar(-smoothing / classes),
    ]),
  ]);
  // Chosen, not multiplied by 0: a row that is ignored may hold infinities.
  const taking = graph.node("Where", [ignored, scalar(0), losses]);
  const loss = graph.node("Div", [total(taking), divisor]);

  const predicted = graph.node("ArgMax", [logits], { axis: 1, keepdims: 0 });
  const right = graph.node("Cast", [graph.node("Equal", [predicted, safe])], {
    to: codeOf(type),
  });
  const correct = total(graph.node("Mul", [right, counts]));
  if (!withGradient) return { loss, counted, correct, gradient: undefined };

  const weights = graph.node("Unsqueeze", [
    graph.node("Div", [counts, divisor]),
    graph.integers([1]),
  ]);
  const spread = graph.node("Exp", [logs]);
  const excess = smoothing === 0
    ? spread
    : graph.node("Sub", [spread, scalar(smoothing / classes)]);
  // OneHot takes several times as long, and has no kernel for float64.
  const gradient = graph.node("ScatterElements", [
    graph.node("Mul", [excess, weights]),
    column,
    graph.node("Mul", [weights, scalar(smoothing - 1)]),
  ], { axis: 1, reduction: "add" });
  return { loss, counted, correct, gradient: reshape(graph, gradient, output.shape) };
}

function codeOf(type: "float32" | "float64"): number {
  return type === "float32" ? 1 : 11;
}
