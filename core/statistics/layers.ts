/**
 * The linear layers of a graph: which parameter is multiplied with which value, and along which axis.
 *
 * @module
 */
import type { ObservedGraph } from "../gradient/observe.ts";
import { floatOf, integerOf, integersOf, type OnnxNode, type Value } from "../onnx/model.ts";

/** One use of a weight as a linear map of rows. */
export interface LayerUse {
  /** The graph input that holds the weight. */
  readonly weight: Value;
  /** Axis of the weight that is summed over: 1 for `[out, in]` and convolutions, 0 for `[in, out]`. */
  readonly axis: 0 | 1;
  /** The graph input that holds the bias. */
  readonly bias?: Value;
  /** Inputs of one output unit: the length of a row. */
  readonly size: number;
  /** Groups of a convolution, each of which has rows of its own. */
  readonly groups: number;
  /** What the rows are made from. */
  readonly from:
    /** The last axis of a value holds the rows' elements. */
    | { readonly kind: "last"; readonly value: Value }
    /** The axis before the last holds them. */
    | { readonly kind: "before-last"; readonly value: Value }
    | { readonly kind: "windows"; readonly node: OnnxNode };
  /** Factor on the rows, and what a bias is multiplied with (Gemm's alpha and beta). */
  readonly scale: number;
  readonly ones: number;
}

/** What the search needs of a graph. */
type Searched = Pick<ObservedGraph, "nodes" | "values">;

/** How a value is made from a parameter. */
interface Traced {
  readonly parameter: Value;
  readonly transposed: boolean;
}

/**
 * Every use of a parameter as the weight of MatMul, Gemm or Conv, in the order of the graph.
 *
 * @param parameters The graph inputs that hold parameters.
 */
export function findLayers(graph: Searched, parameters: ReadonlySet<Value>): LayerUse[] {
  const producers = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)),
  );
  const shapeOf = (value: Value) => graph.values.get(value)?.shape ?? [];
  const trace = (value: Value): Traced | undefined => {
    if (parameters.has(value)) return { parameter: value, transposed: false };
    const node = producers.get(value);
    const inner =
      node?.domain === "" && ["Identity", "Reshape", "Transpose"].includes(node.operator)
        ? trace(node.inputs[0]!)
        : undefined;
    if (!node || !inner || node.operator === "Identity") return inner;
    if (node.operator === "Reshape") {
      return isSameButOnes(shapeOf(node.inputs[0]!), shapeOf(value)) ? inner : undefined;
    }
    const perm = integersOf(node, "perm") ?? [1, 0];
    if (perm.length !== 2) return undefined;
    return perm[0] === 1 ? { ...inner, transposed: !inner.transposed } : inner;
  };
  const added = (output: Value, units: number): Value | undefined => {
    const readers = graph.nodes.filter(({ inputs }) => inputs.includes(output));
    const [reader] = readers;
    if (readers.length !== 1 || reader?.operator !== "Add" || reader.domain !== "") {
      return undefined;
    }
    const other = reader.inputs.find((input) => input !== output);
    return other === undefined ? undefined : biasOf(other, units);
  };
  const biasOf = (value: Value | undefined, units: number): Value | undefined => {
    const traced = value ? trace(value) : undefined;
    const shape = traced && shapeOf(traced.parameter);
    return shape?.length === 1 && shape[0] === units ? traced!.parameter : undefined;
  };

  return graph.nodes.flatMap((node): LayerUse[] => {
    if (node.domain !== "") return [];
    if (node.operator === "Conv") return convolution(node, trace, shapeOf, biasOf);
    if (node.operator !== "MatMul" && node.operator !== "Gemm") return [];
    const [left, right, third] = node.inputs as [Value, Value, Value | undefined];
    const side = trace(right) && shapeOf(right).length === 2 ? "right" : "left";
    const held = side === "right" ? right : left;
    const other = side === "right" ? left : right;
    const traced = trace(held);
    if (!traced || shapeOf(held).length !== 2 || trace(other)) return [];
    const isGemm = node.operator === "Gemm";
    const flips = isGemm && integerOf(node, side === "right" ? "transB" : "transA", 0) === 1;
    const turned = isGemm && integerOf(node, side === "right" ? "transA" : "transB", 0) === 1;
    // The inner axis of the operand as it stands: the first of the right one, the last of the left one.
    const inner = (side === "right" ? 0 : 1) ^ Number(flips);
    const axis = (inner ^ Number(traced.transposed)) as 0 | 1;
    const [size, units] = [shapeOf(held)[inner]!, shapeOf(held)[1 - inner]!];
    const isLast = (side === "right") !== turned;
    if (!isLast && shapeOf(other).length < 2) return [];
    const bias = side === "left" ? undefined : isGemm ? biasOf(third, units) : added(
      node.outputs[0]!,
      units,
    );
    return [{
      weight: traced.parameter,
      axis,
      size,
      groups: 1,
      from: { kind: isLast ? "last" : "before-last", value: other },
      scale: isGemm ? floatOf(node, "alpha", 1) : 1,
      ones: isGemm ? floatOf(node, "beta", 1) : 1,
      ...(bias === undefined ? {} : { bias }),
    }];
  });
}

function convolution(
  node: OnnxNode,
  trace: (value: Value) => Traced | undefined,
  shapeOf: (value: Value) => readonly number[],
  biasOf: (value: Value | undefined, units: number) => Value | undefined,
): LayerUse[] {
  const [, held, third] = node.inputs as [Value, Value, Value | undefined];
  const traced = trace(held);
  const shape = shapeOf(held);
  if (!traced || traced.transposed) return [];
  const bias = biasOf(third, shape[0]!);
  return [{
    weight: traced.parameter,
    axis: 1,
    size: shape.slice(1).reduce((product, size) => product * size, 1),
    groups: integerOf(node, "group", 1),
    from: { kind: "windows", node },
    scale: 1,
    ones: 1,
    ...(bias === undefined ? {} : { bias }),
  }];
}

function isSameButOnes(left: readonly number[], right: readonly number[]): boolean {
  const [a, b] = [left, right].map((shape) => shape.filter((size) => size !== 1));
  return a!.length === b!.length && a!.every((size, axis) => size === b![axis]);
}
