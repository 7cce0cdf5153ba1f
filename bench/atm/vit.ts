/**
 * A vision transformer (Dosovitskiy et al. 2020, arXiv 2010.11929), small enough for two cores.
 *
 * @module
 */
import type { Value } from "../../core/onnx/graph_builder.ts";
import type { Network, NetworkGraph } from "./network.ts";

const PATCH = 7;
const SIDE = 28 / PATCH;
const TOKENS = SIDE * SIDE;
const WIDTH = 32;
const HEADS = 4;
const DEPTH = 2;
const INNER = 96;
const NARROW = { deviation: 0.02 };

/** Patches of 7 x 7, two blocks of attention and a two-layer network, mean over the tokens. */
export const vit: Network = {
  name: "vit",
  description: "16 patches of 7 x 7, two transformer blocks of width 32 (4 heads, 96 inner) with " +
    "layer normalization and GELU, mean over the tokens; the temperature of attention is trained too",
  patience: 3,
  driftRate: 2e-4,
  width: WIDTH,
  features(graph, image) {
    const split = graph.node("Reshape", [
      image,
      graph.integers([-1, SIDE, PATCH, SIDE, PATCH]),
    ]);
    const order = graph.node("Transpose", [split], { perm: [0, 1, 3, 2, 4] });
    const patches = graph.node("Reshape", [order, graph.integers([-1, TOKENS, PATCH * PATCH])]);
    const position = graph.weight("position.weight", [1, TOKENS, WIDTH], NARROW);
    let tokens = graph.node("Add", [
      linear(graph, "patch", patches, PATCH * PATCH, WIDTH),
      position,
    ]);
    for (let i = 0; i < DEPTH; i++) tokens = block(graph, `block${i}`, tokens);
    const mean = graph.node("ReduceMean", [norm(graph, "norm", tokens), graph.integers([1])], {
      keepdims: 0,
    });
    return mean;
  },
};

function block(graph: NetworkGraph, name: string, tokens: Value): Value {
  const seen = norm(graph, `${name}.norm1`, tokens);
  const size = WIDTH / HEADS;
  const apart = (part: string, perm: readonly number[]) => {
    const mapped = linear(graph, `${name}.${part}`, seen, WIDTH, WIDTH);
    const shaped = graph.node("Reshape", [mapped, graph.integers([-1, TOKENS, HEADS, size])]);
    return graph.node("Transpose", [shaped], { perm: [...perm] });
  };
  const query = apart("query", [0, 2, 1, 3]);
  const key = apart("key", [0, 2, 3, 1]);
  const value = apart("value", [0, 2, 1, 3]);
  const scores = graph.node("Mul", [
    graph.node("MatMul", [query, key]),
    graph.scalar("float32", 1 / Math.sqrt(size)),
  ]);
  const mixed = graph.node("MatMul", [graph.node("Softmax", [scores], { axis: -1 }), value]);
  const together = graph.node("Reshape", [
    graph.node("Transpose", [mixed], { perm: [0, 2, 1, 3] }),
    graph.integers([-1, TOKENS, WIDTH]),
  ]);
  const attended = graph.node("Add", [
    tokens,
    linear(graph, `${name}.output`, together, WIDTH, WIDTH),
  ]);
  const up = linear(graph, `${name}.up`, norm(graph, `${name}.norm2`, attended), WIDTH, INNER);
  const down = linear(graph, `${name}.down`, graph.node("Gelu", [up]), INNER, WIDTH);
  return graph.node("Add", [attended, down]);
}

function linear(
  graph: NetworkGraph,
  name: string,
  value: Value,
  inputs: number,
  outputs: number,
): Value {
  const weight = graph.weight(`${name}.weight`, [inputs, outputs], { deviation: inputs ** -0.5 });
  const bias = graph.weight(`${name}.bias`, [outputs], 0);
  return graph.node("Add", [graph.node("MatMul", [value, weight]), bias]);
}

function norm(graph: NetworkGraph, name: string, value: Value): Value {
  const scale = graph.weight(`${name}.weight`, [WIDTH], 1);
  const shift = graph.weight(`${name}.bias`, [WIDTH], 0);
  return graph.node("LayerNormalization", [value, scale, shift], {
    axis: -1,
    epsilon: { float: 1e-5 },
  });
}
