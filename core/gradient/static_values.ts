/**
 * Which values of a graph are the same in every run once the shapes of its inputs are fixed.
 *
 * @module
 */
import type { OnnxNode, Value } from "../onnx/model.ts";
import { nameOf, valuesRead } from "../onnx/walk.ts";
import { Problem } from "../problem.ts";

/** Operators that answer something else in every run. */
const RANDOM = new Set([
  "RandomNormal",
  "RandomNormalLike",
  "RandomUniform",
  "RandomUniformLike",
  "Multinomial",
  "Bernoulli",
]);

/** Operators whose result depends on nothing but the shape of their input. */
const OF_SHAPE = new Set(["Shape", "Size"]);

/** Operators whose result's shape depends on the values of their first input. */
const UNPREDICTABLE = new Set(["NonZero", "Compress", "Unique", "NonMaxSuppression"]);

/** Inputs whose values decide the shape of the result, by operator. */
const SHAPE_INPUTS: Readonly<Record<string, readonly number[]>> = {
  Reshape: [1],
  Expand: [1],
  Tile: [1],
  Slice: [1, 2, 3, 4],
  Range: [0, 1, 2],
  ConstantOfShape: [0],
  Resize: [1, 2, 3],
  Pad: [1, 3],
  TopK: [1],
  Split: [1],
  OneHot: [1],
  Squeeze: [1],
  Unsqueeze: [1],
  ReduceSum: [1],
  ReduceMean: [1],
  ReduceMax: [1],
  ReduceMin: [1],
};

/**
 * The values that do not depend on the graph's inputs.
 *
 * @param nodes In topological order.
 * @param constants Names of the initializers.
 * @throws {Problem} `unsupported-operator` if a shape depends on the values of an input.
 */
export function staticValues(
  nodes: readonly OnnxNode[],
  constants: Iterable<Value>,
): ReadonlySet<Value> {
  const known = new Set<Value>(constants);
  for (const node of nodes) {
    const steady = !RANDOM.has(node.operator) &&
      (valuesRead(node).every((value) => known.has(value)) || OF_SHAPE.has(node.operator));
    if (steady) {
      for (const output of node.outputs) if (output !== "") known.add(output);
      continue;
    }
    const unsteady = UNPREDICTABLE.has(node.operator) ? node.inputs[0] : SHAPE_INPUTS[node.operator]
      ?.map((index) => node.inputs[index])
      .find((input) => input !== undefined && input !== "" && !known.has(input));
    if (unsteady !== undefined && node.domain === "") {
      throw new Problem(
        "unsupported-operator",
        `Cannot fix the shapes of the graph as the shape of the result of the node ${
          nameOf(node)
        } (${node.operator}) depends on the values of ${unsteady}`,
        { node: nameOf(node), operator: node.operator, tensor: unsteady },
      );
    }
  }
  return known;
}
