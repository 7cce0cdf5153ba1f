/**
 * Observes a graph at fixed input shapes: it is run once, and every value is asked for its shape.
 *
 * So neither shapes nor element types need inference of our own, for any operator that ONNX Runtime has; and
 * what depends on constants and shapes only is folded to constants by the same run.
 *
 * @module
 */
import type { Tensors, Workspace } from "../engine/workspace.ts";
import { elementBytes, numbersOf } from "../onnx/element_type.ts";
import type {
  ElementType,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  Value,
  ValueInfo,
} from "../onnx/model.ts";
import { IR_VERSION } from "../onnx/schema.ts";
import { nodesBehind, valuesRead } from "../onnx/walk.ts";
import { Problem } from "../problem.ts";
import { writeModel } from "../onnx/write_model.ts";
import { staticValues } from "./static_values.ts";

/** Type and shape of a value. */
export interface Typed {
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/** A graph whose shapes are fixed and whose constant parts are folded. */
export interface ObservedGraph {
  /** The nodes that depend on an input, in topological order. */
  readonly nodes: readonly OnnxNode[];
  /** What the nodes read that depends on no input. */
  readonly constants: ReadonlyMap<Value, OnnxTensor>;
  readonly inputs: readonly (ValueInfo & Typed)[];
  readonly opsets: Readonly<Record<string, number>>;
  /** Type and shape of every value: inputs, constants and results of nodes. */
  readonly values: ReadonlyMap<Value, Typed>;
}

/** What to observe. */
export interface Observation {
  /** The values that are wanted; nodes behind none of them are left out. */
  readonly outputs: readonly Value[];
  /** The graph's inputs; those of them that no node reads are left out. */
  readonly inputs: ReadonlyMap<Value, Typed>;
}

const KEY = "observe";
const SHAPE = "shape of ";

/**
 * Runs a graph on zeros; inputs that the workspace keeps are taken from there.
 *
 * @param model In normal form; its initializers are constants.
 * @param kept Names of inputs that are kept by the workspace.
 * @throws {Problem} `unsupported-operator` if ONNX Runtime refuses the graph or a shape depends on data;
 *   `mismatch` if the run fails, which it does if shapes do not fit each other.
 */
export async function observe(
  workspace: Workspace,
  model: OnnxModel,
  { inputs, outputs }: Observation,
  kept: ReadonlySet<Value> = new Set(),
): Promise<ObservedGraph> {
  const nodes = nodesBehind(model.graph.nodes, outputs);
  const read = new Set(nodes.flatMap(valuesRead));
  const initializers = new Map(
    [...model.graph.initializers].filter(([name]) => read.has(name) && !inputs.has(name)),
  );
  const fixed = staticValues(nodes, initializers.keys());
  const moving = nodes.filter((node) => node.outputs.some((v) => v !== "" && !fixed.has(v)));
  const needed = new Set([...moving.flatMap(valuesRead), ...outputs]);
  const folded = [...needed].filter((value) => fixed.has(value) && !initializers.has(value));
  const results = moving.flatMap((node) => node.outputs).filter((value) => value !== "");
  const used = [...inputs].filter(([name]) => read.has(name));

  const loaded = await workspace.load(
    KEY,
    writeModel({
      irVersion: Math.max(IR_VERSION, model.irVersion),
      producer: "amalgam",
      opsets: model.opsets,
      functions: [],
      metadata: {},
      graph: {
        name: "observe",
        nodes: [...nodes, ...results.map(shapeNode)],
        initializers,
        inputs: used.map(([name, { type, shape }]) => ({ name, type, shape })),
        outputs: [
          ...[...results, ...folded].map((name) => ({ name })),
          ...results.map((name) => ({ name: SHAPE + name, type: "int64" as const })),
        ],
      },
    }),
    false,
  );
  const fetches = [...folded, ...results.map((name) => SHAPE + name)];
  const feeds: Record<Value, OnnxTensor> = {};
  for (const [name, typed] of used) if (!kept.has(name)) feeds[name] = zeros(typed);
  const seen = fetches.length > 0 ? await firstRun(workspace, feeds, fetches) : {};
  await workspace.unload(KEY);

  const constants = new Map<Value, OnnxTensor>();
  for (const [name, tensor] of initializers) if (needed.has(name)) constants.set(name, tensor);
  for (const name of folded) constants.set(name, seen[name]!);
  const values = new Map<Value, Typed>(inputs);
  for (const [name, { type, shape }] of constants) values.set(name, { type, shape });
  for (const name of results) {
    values.set(name, { type: loaded.outputs[name]!, shape: numbersOf(seen[SHAPE + name]!) });
  }
  return {
    nodes: moving,
    constants,
    inputs: used.map(([name, typed]) => ({ name, ...typed })),
    opsets: model.opsets,
    values,
  };
}

/** Runs the graph for the first time; if it fails, what it was fed with does not fit it. */
async function firstRun(workspace: Workspace, feeds: Tensors, fetches: readonly Value[]) {
  try {
    return await workspace.run(KEY, feeds, fetches);
  } catch (error) {
    if (error instanceof Problem || !(error instanceof Error)) throw error;
    const [reason] = error.message.split("\n");
    throw new Problem(
      "mismatch",
      `Cannot run the graph with inputs of these shapes: ${reason}`,
      {
        inputs: Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, shape])),
      },
      error,
    );
  }
}

function shapeNode(value: Value): OnnxNode {
  return {
    name: "",
    operator: "Shape",
    domain: "",
    inputs: [value],
    outputs: [SHAPE + value],
    attributes: {},
  };
}

function zeros({ type, shape }: Typed): OnnxTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return { type, shape, bytes: new Uint8Array(count * elementBytes(type)) };
}
