/**
 * Aggregators for contributions that cannot be trusted: coordinate-wise median and trimmed mean (Yin et al. 2018,
 * arXiv 1803.01498), and Krum (Blanchard et al. 2017, arXiv 1703.02757).
 *
 * @module
 */
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { GraphBuilder, Value } from "../../onnx/graph_builder.ts";
import { type ChunkComputation, type ChunkGraph, sumOverChunks } from "./chunk_math.ts";

/** A robust aggregator. */
export type RobustSpec =
  | { readonly name: "median" }
  /** Drops ⌊ratio·T⌋ values at each end of every coordinate. */
  | { readonly name: "trimmed_mean"; readonly ratio: number }
  /** Takes the one contribution that lies nearest to its T − f − 2 nearest; needs T ≥ 2f + 3. */
  | { readonly name: "krum"; readonly faulty: number };

/** Names of the operands that hold the contributions. */
export function contribution(index: number): string {
  return `tuned${index}`;
}

/** The coordinate-wise aggregators as a graph over the contributions. */
export function coordinateGraph(
  spec: Exclude<RobustSpec, { name: "krum" }>,
  count: number,
): ChunkGraph {
  return (graph, operand) => {
    const rows = Array.from({ length: count }, (_, i) => row(graph, operand(contribution(i))));
    const sorted = graph.nodes(
      "TopK",
      [graph.node("Concat", rows, { axis: 0 }), graph.integers([count])],
      2,
      { axis: 0, largest: 0 },
    )[0]!;
    const [first, end] = spec.name === "median"
      ? [Math.floor((count - 1) / 2), Math.floor(count / 2) + 1]
      : kept(spec.ratio, count);
    const middle = graph.node("Slice", [
      sorted,
      graph.integers([first]),
      graph.integers([end]),
      graph.integers([0]),
    ]);
    return { result: graph.node("ReduceMean", [middle, graph.integers([0])], { keepdims: 0 }) };
  };
}

/** The places `[first, end)` that a trimmed mean keeps of `count` sorted values. */
export function kept(ratio: number, count: number): [number, number] {
  const dropped = Math.floor(ratio * count);
  return [dropped, count - dropped];
}

/**
 * The contribution that Krum selects.
 *
 * @param contributions θ_t of every task; distances between them are those between their task vectors.
 * @returns Its index, the first of equally good ones.
 */
export async function krumChoice(
  computation: Omit<ChunkComputation, "key" | "graph" | "operands">,
  contributions: readonly Checkpoint[],
  faulty: number,
): Promise<number> {
  const count = contributions.length;
  const { squares } = await sumOverChunks({
    ...computation,
    key: `krum ${count}`,
    operands: Object.fromEntries(contributions.map((each, i) => [contribution(i), each])),
    graph: (graph, operand) => ({ squares: squaredDistances(graph, operand, count) }),
  });
  const scores = Array.from(
    { length: count },
    (_, i) =>
      Array.from({ length: count }, (_, j) => squares![i * count + j]!)
        .filter((_, j) => j !== i)
        .sort((a, b) => a - b)
        .slice(0, count - faulty - 2)
        .reduce((sum, value) => sum + value, 0),
  );
  return scores.indexOf(Math.min(...scores));
}

/** Of every pair, float64 `[T·T]`; differences are taken before squares, so that near points stay apart. */
function squaredDistances(
  graph: GraphBuilder,
  operand: (name: string) => Value,
  count: number,
): Value {
  const zero = graph.constant("float64", [1], [0]);
  const pairs: Value[] = [];
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      if (i >= j) {
        pairs.push(i === j ? zero : pairs[j * count + i]!);
        continue;
      }
      const difference = graph.node("Sub", [operand(contribution(i)), operand(contribution(j))]);
      const double = graph.node("Cast", [difference], { to: 11 });
      pairs.push(graph.node("ReduceSumSquare", [double], { keepdims: 1 }));
    }
  }
  return graph.node("Concat", pairs, { axis: 0 });
}

function row(graph: GraphBuilder, value: Value): Value {
  return graph.node("Unsqueeze", [value, graph.integers([0])]);
}
