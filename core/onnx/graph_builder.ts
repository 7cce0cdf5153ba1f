/**
 * Builds ONNX models node by node.
 *
 * @module
 */
import { tensorOf } from "./element_type.ts";
import type {
  Attribute,
  Dimension,
  ElementType,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  Value,
  ValueInfo,
} from "./model.ts";
import { IR_VERSION, OPSET } from "./schema.ts";
import { writeModel } from "./write_model.ts";

export type { Attribute, Dimension, ElementType, Value } from "./model.ts";

/** A graph under construction. */
export interface GraphBuilder {
  /** Declares a graph input; declaring the same name again answers the same value. */
  input(name: string, type: ElementType, shape: readonly Dimension[]): Value;
  /** Adds a node with one output. */
  node(
    operator: string,
    inputs: readonly Value[],
    attributes?: Readonly<Record<string, Attribute>>,
  ): Value;
  /** Adds a node with several outputs. */
  nodes(
    operator: string,
    inputs: readonly Value[],
    outputs: number,
    attributes?: Readonly<Record<string, Attribute>>,
  ): Value[];
  /** Adds a constant; equal constants are held once. */
  constant(type: ElementType, shape: readonly number[], values: readonly number[]): Value;
  /** Adds a constant of rank 0. */
  scalar(type: ElementType, value: number): Value;
  /** Adds a constant int64 `[n]`. */
  integers(values: readonly number[]): Value;
  /**
   * Names the output at an index of a node that the graph started from, where the model left it out.
   *
   * @param node The node as it stands in {@linkcode GraphStart.nodes}.
   */
  extend(node: OnnxNode, index: number): Value;
  /** Declares a graph output under a name of its own. */
  output(value: Value, name: string, type: ElementType, shape: readonly Dimension[]): void;
  /** The model as it stands. */
  model(): OnnxModel;
  /** The serialized ModelProto. */
  serialize(): Uint8Array<ArrayBuffer>;
}

/** What a graph starts from, if not from nothing. */
export interface GraphStart {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<Value, OnnxTensor>;
  readonly inputs: readonly ValueInfo[];
  readonly opsets: Readonly<Record<string, number>>;
  /** Put before the name of every new value, so that it differs from those that exist. */
  readonly prefix: string;
}

/** Constants up to this many elements are looked for among those that exist already. */
const SHARED_ELEMENTS = 16;

/** Starts a graph (default operator set 21, IR 10), empty or from what exists. */
export function createGraph(name: string, start?: GraphStart): GraphBuilder {
  const inputs = new Map<string, ValueInfo>(start?.inputs.map((info) => [info.name, info]) ?? []);
  const nodes: OnnxNode[] = [...start?.nodes ?? []];
  const initializers = new Map<Value, OnnxTensor>(start?.initializers ?? []);
  const outputs: ValueInfo[] = [];
  const opsets = start?.opsets ?? { "": OPSET };
  const prefix = start?.prefix ?? "";
  const shared = new Map<string, Value>();
  /** Nodes that were given more outputs, with what they were at the start. */
  const extended = new Map<OnnxNode, OnnxNode>();
  let values = 0;

  const builder: GraphBuilder = {
    input(inputName, type, shape) {
      inputs.set(inputName, { name: inputName, type, shape });
      return inputName;
    },
    node(operator, nodeInputs, attributes) {
      return builder.nodes(operator, nodeInputs, 1, attributes)[0]!;
    },
    nodes(operator, nodeInputs, count, attributes = {}) {
      const made = Array.from({ length: count }, () => `${prefix}v${values++}`);
      nodes.push({
        name: "",
        operator,
        domain: "",
        inputs: trimmed(nodeInputs),
        outputs: made,
        attributes,
      });
      return made;
    },
    constant(type, shape, numbers) {
      const key = numbers.length <= SHARED_ELEMENTS
        ? `${type}:${shape.join()}:${numbers.map((v) => Object.is(v, -0) ? "-0" : v).join()}`
        : undefined;
      const existing = key === undefined ? undefined : shared.get(key);
      if (existing !== undefined) return existing;
      const made = `${prefix}c${values++}`;
      initializers.set(made, tensorOf(type, shape, numbers));
      if (key !== undefined) shared.set(key, made);
      return made;
    },
    scalar(type, value) {
      return builder.constant(type, [], [value]);
    },
    integers(numbers) {
      return builder.constant("int64", [numbers.length], numbers);
    },
    extend(node, index) {
      const at = nodes.findIndex((held) => held === node || extended.get(held) === node);
      const held = nodes[at]!;
      const made = `${prefix}v${values++}`;
      const grown = Array.from(
        { length: Math.max(held.outputs.length, index + 1) },
        (_, i) => i === index ? made : held.outputs[i] ?? "",
      );
      nodes[at] = { ...held, outputs: grown };
      extended.set(nodes[at], node);
      return made;
    },
    output(value, outputName, type, shape) {
      nodes.push({
        name: "",
        operator: "Identity",
        domain: "",
        inputs: [value],
        outputs: [outputName],
        attributes: {},
      });
      outputs.push({ name: outputName, type, shape });
    },
    model() {
      return {
        irVersion: IR_VERSION,
        producer: "amalgam",
        opsets,
        graph: { name, nodes, initializers, inputs: [...inputs.values()], outputs },
        functions: [],
        metadata: {},
      };
    },
    serialize() {
      return writeModel(builder.model());
    },
  };
  return builder;
}

/** Without the omitted inputs at the end, which some operators count. */
function trimmed(inputs: readonly Value[]): readonly Value[] {
  let length = inputs.length;
  while (length > 0 && inputs[length - 1] === "") length--;
  return length === inputs.length ? inputs : inputs.slice(0, length);
}
