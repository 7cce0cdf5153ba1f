/**
 * A convolutional network with group normalization.
 *
 * @module
 */
import type { Value } from "../../core/onnx/graph_builder.ts";
import type { Network, NetworkGraph } from "./network.ts";

const GROUPS = 4;
const CHANNELS = [8, 16] as const;
const WIDTH = 32;
/** Positions after two convolutions of stride 2. */
const POSITIONS = 49;

/** Two convolutions of stride 2, each normalized over groups of channels, and a hidden layer. */
export const cnn: Network = {
  name: "cnn",
  description: "two 3 x 3 convolutions of stride 2 (8 and 16 channels) with group normalization, " +
    "one hidden layer of 32",
  patience: 1,
  driftRate: 1e-3,
  width: WIDTH,
  features(graph, image) {
    const [first, second] = CHANNELS;
    const low = convolution(graph, "conv1", image, 1, first);
    const high = convolution(graph, "conv2", low, first, second);
    const flat = graph.node("Flatten", [high], { axis: 1 });
    const inputs = second * POSITIONS;
    const weight = graph.weight("hidden.weight", [WIDTH, inputs], {
      deviation: Math.sqrt(2 / inputs),
    });
    const bias = graph.weight("hidden.bias", [WIDTH], 0);
    return graph.node("Relu", [graph.node("Gemm", [flat, weight, bias], { transB: 1 })]);
  },
};

function convolution(
  graph: NetworkGraph,
  name: string,
  value: Value,
  inputs: number,
  outputs: number,
): Value {
  const weight = graph.weight(`${name}.weight`, [outputs, inputs, 3, 3], {
    deviation: Math.sqrt(2 / (9 * inputs)),
  });
  const bias = graph.weight(`${name}.bias`, [outputs], 0);
  const attributes = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };
  const convolved = graph.node("Conv", [value, weight, bias], attributes);
  const scale = graph.weight(`${name}.norm.weight`, [outputs], 1);
  const shift = graph.weight(`${name}.norm.bias`, [outputs], 0);
  const normal = graph.node("GroupNormalization", [convolved, scale, shift], {
    num_groups: GROUPS,
  });
  return graph.node("Relu", [normal]);
}
