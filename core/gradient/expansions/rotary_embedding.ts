/**
 * RotaryEmbedding of operator set 23 written out (Su et al. 2021, RoFormer).
 *
 * @module
 */
import { integerOf, type Value } from "../../onnx/model.ts";
import { part } from "../placing.ts";
import type { Expansion, Expansions, ExpansionStep } from "../rule.ts";

const rotaryEmbedding: Expansion = (step) => {
  const { node, graph } = step;
  const input = node.inputs[0]!;
  const given = step.shape(input);
  const headsLast = given.length === 3;
  const shape = headsLast ? withHeads(step, given) : given;
  const size = shape[3] ?? 0;
  const rotated = integerOf(node, "rotary_embedding_dim", 0) || size;
  const interleaved = integerOf(node, "interleaved", 0) !== 0;
  const x = headsLast ? graph.node("Reshape", [input, graph.integers(shape)]) : input;

  const turning = rotated === size ? x : part(graph, x, 3, 0, rotated);
  const [real, imaginary] = interleaved
    ? alternating(step, turning, shape, rotated)
    : graph.nodes("Split", [turning], 2, { axis: 3, num_outputs: 2 });
  const [cosine, sine] = [1, 2].map((at) => angles(step, at, headsLast));
  const turned = [
    graph.node("Sub", [
      graph.node("Mul", [real!, cosine!]),
      graph.node("Mul", [imaginary!, sine!]),
    ]),
    graph.node("Add", [
      graph.node("Mul", [real!, sine!]),
      graph.node("Mul", [imaginary!, cosine!]),
    ]),
  ];
  const together = interleaved
    ? alternated(step, turned, shape, rotated)
    : graph.node("Concat", turned, { axis: 3 });
  const whole = rotated === size
    ? together
    : graph.node("Concat", [together, part(graph, x, 3, rotated, size)], { axis: 3 });
  return [headsLast ? graph.node("Reshape", [whole, graph.integers(given)]) : whole];
};

/** `[batch, length, heads * size]` with an axis for heads. */
function withHeads(step: ExpansionStep, given: readonly number[]): readonly number[] {
  const [batch = 0, length = 0, width = 0] = given;
  const heads = integerOf(step.node, "num_heads", 0);
  if (heads <= 0 || width % heads !== 0) {
    return step.refuse(`num_heads must divide the last axis of [${given.join(", ")}]: ${heads}`);
  }
  return [batch, length, heads, width / heads];
}

/** Cosines or sines of every position, with an axis of size 1 for heads. */
function angles(step: ExpansionStep, at: number, headsLast: boolean): Value {
  const { node, graph } = step;
  const positions = node.inputs[3];
  const cache = node.inputs[at]!;
  const chosen = positions ? graph.node("Gather", [cache, positions], { axis: 0 }) : cache;
  return graph.node("Unsqueeze", [chosen, graph.integers([headsLast ? 2 : 1])]);
}

/** The elements at even and at odd places of the last axis. */
function alternating(
  { graph }: ExpansionStep,
  value: Value,
  shape: readonly number[],
  rotated: number,
): Value[] {
  const pairs = [...shape.slice(0, 3), rotated / 2, 2];
  const halves = graph.nodes(
    "Split",
    [graph.node("Reshape", [value, graph.integers(pairs)])],
    2,
    { axis: 4, num_outputs: 2 },
  );
  const half = graph.integers([...shape.slice(0, 3), rotated / 2]);
  return halves.map((one) => graph.node("Reshape", [one, half]));
}

function alternated(
  { graph }: ExpansionStep,
  values: readonly Value[],
  shape: readonly number[],
  rotated: number,
): Value {
  const columns = values.map((value) => graph.node("Unsqueeze", [value, graph.integers([4])]));
  const pairs = graph.node("Concat", columns, { axis: 4 });
  return graph.node("Reshape", [pairs, graph.integers([...shape.slice(0, 3), rotated])]);
}

/** Expansions of this family. */
export const ROTARY: Expansions = { RotaryEmbedding: rotaryEmbedding };
