/**
 * The parameters of a model: which initializers are weights, where their values come from, and the graph with
 * them as inputs.
 *
 * @module
 */
import type { Checkpoint, StoredTensor } from "../checkpoint/checkpoint.ts";
import { didYouMean } from "../merge/nearest.ts";
import { numbersOf } from "../onnx/element_type.ts";
import type { OnnxModel, OnnxNode, OnnxTensor, Value } from "../onnx/model.ts";
import { nodesBehind, valuesRead } from "../onnx/walk.ts";
import { Problem } from "../problem.ts";
import { decodeTo } from "../tensor/codec.ts";
import { type DType, DTYPES, elementCount } from "../tensor/dtype.ts";
import { type Binding, type Bindings, bindTensors } from "./binding.ts";
import { checkBindings } from "./binding_faults.ts";
import { sameShape } from "./broadcast.ts";
import { type SeparatedModel, separateShared } from "./shared_weights.ts";

/** A weight of the model. */
export interface Parameter {
  /** Its name in the checkpoint. */
  readonly name: string;
  /** Its name as an input of the graph. */
  readonly input: Value;
  readonly shape: readonly number[];
  /** How the checkpoint stores it. */
  readonly dtype: DType;
  /** Its values at the start, float32. */
  read(signal: AbortSignal): Promise<Float32Array<ArrayBuffer>>;
  /** Why it is never trained, if it is not: running statistics, or a tensor private to the task. */
  readonly frozen?: "statistics" | "private";
}

/** A model whose weights are inputs. */
export interface ParametricModel {
  readonly model: OnnxModel;
  /** The output that is read. */
  readonly output: Value;
  /** Parameters by name, in the order of the checkpoint or graph. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  /** How parameters were bound that do not stand in the graph under their own name. */
  readonly renamed: readonly Binding[];
  /** Tensors of the checkpoint that share their values with a parameter, whose name stands by theirs. */
  readonly tied: ReadonlyMap<string, string>;
  /** Floating-point tensors of the checkpoint that the graph does not use. */
  readonly unused: readonly string[];
}

/** What a model's weights come from. */
export interface ParameterSources {
  /** Tensors that replace the graph's initializers. */
  readonly start?: Checkpoint;
  /** What the graph was exported with, to bind by value; default `start`. */
  readonly exportedWith?: Checkpoint;
  /** Tensors private to the task. */
  readonly own?: Checkpoint;
  readonly signal: AbortSignal;
}

/**
 * Turns the weights of a model into inputs.
 *
 * @param given In normal form.
 * @param output The output that is read; its default is the first.
 * @throws {Problem} `mismatch` if the output does not exist, or tensors and graph do not fit together.
 */
export async function parametricModel(
  given: OnnxModel,
  output: string | undefined,
  { start, exportedWith, own, signal }: ParameterSources,
): Promise<ParametricModel> {
  const read = outputOf(given, output);
  const floats = [...start?.tensors.values() ?? []].filter(({ dtype }) =>
    DTYPES[dtype].kind === "float"
  );
  const { model, unclear } = separateShared(given, floats);
  const nodes = nodesBehind(model.graph.nodes, [read]);
  const used = new Set(nodes.flatMap(valuesRead));
  const initializers = new Map([...model.graph.initializers].filter(([name]) => used.has(name)));
  const statistics = statisticsOf(nodes);
  const bindings = start
    ? await bindTo(initializers, start, exportedWith ?? start, unclear, signal)
    : { bound: ownWeights(initializers), tied: new Map<string, string>(), unboundTensors: [] };
  const taken = new Set([...nodes.flatMap((node) => node.outputs), ...used]);
  const inputOf = new Map<string, Value>();
  for (const { tensor, initializer } of bindings.bound) {
    const free = tensor === initializer || !taken.has(tensor);
    if (!inputOf.has(tensor) || free) inputOf.set(tensor, free ? tensor : `parameter ${tensor}`);
  }
  const frozen = new Set(
    bindings.bound.filter(({ initializer }) => statistics.has(initializer)).map((b) => b.tensor),
  );
  const parameters = new Map<string, Parameter>();
  for (const { tensor: name, initializer } of bindings.bound) {
    if (parameters.has(name)) continue;
    const stored = start?.tensors.get(name);
    const held = initializers.get(initializer)!;
    parameters.set(name, {
      name,
      input: inputOf.get(name)!,
      shape: stored?.shape ?? held.shape,
      dtype: stored?.dtype ?? "F32",
      read: (stop) =>
        stored ? readValues(stored, stop) : Promise.resolve(Float32Array.from(numbersOf(held))),
      ...(frozen.has(name) ? { frozen: "statistics" as const } : {}),
    });
  }
  if (own) overlay(parameters, own);
  return {
    model: withInputs({ ...model, graph: { ...model.graph, nodes } }, bindings.bound, parameters),
    output: read,
    parameters,
    renamed: bindings.bound.filter(({ tensor, initializer }) => tensor !== initializer),
    tied: bindings.tied,
    unused: bindings.unboundTensors,
  };
}

/** A stored tensor as float32. */
export async function readValues(
  tensor: StoredTensor,
  signal: AbortSignal,
): Promise<Float32Array<ArrayBuffer>> {
  const bytes = await tensor.source.slice(tensor.start, tensor.end, signal);
  const values = new Float32Array(elementCount(tensor.shape));
  decodeTo(tensor.dtype, bytes, values);
  return values;
}

function outputOf(model: OnnxModel, output: string | undefined): Value {
  const names = model.graph.outputs.map(({ name }) => name);
  const found = output ?? names[0];
  if (found !== undefined && names.includes(found)) return found;
  throw new Problem(
    "mismatch",
    `Cannot read the output as the graph has only ${names.join(", ")}` +
      `${didYouMean(output ?? "", names)}: current value is ${output}`,
    { output: output ?? null, outputs: names },
  );
}

async function bindTo(
  initializers: ReadonlyMap<Value, OnnxTensor>,
  start: Checkpoint,
  exported: Checkpoint,
  unclear: SeparatedModel["unclear"],
  signal: AbortSignal,
): Promise<Pick<Bindings, "bound" | "tied" | "unboundTensors">> {
  const tensors = [...start.tensors.values()].filter(({ dtype }) => DTYPES[dtype].kind === "float");
  const bindings = await bindTensors(
    initializers,
    tensors.map((tensor) => ({
      name: tensor.name,
      shape: tensor.shape,
      read: () => readValues(exported.tensors.get(tensor.name) ?? tensor, signal),
    })),
  );
  checkBindings(bindings, initializers, start, unclear);
  return bindings;
}

/** The initializers of a graph that comes without a checkpoint which are weights rather than constants. */
function ownWeights(initializers: ReadonlyMap<Value, OnnxTensor>): Binding[] {
  return [...initializers].filter(([name, tensor]) => isWeight(name, tensor)).map(([name]) => ({
    initializer: name,
    tensor: name,
    arrangement: "same",
    by: "name",
  }));
}

/** Names that exporters make up. */
const MADE_UP =
  /^(?:c\d+$|val_|_val_|onnx::|\/|const|Constant|scalar|expanded\.)|_output_\d+$|^\d+$/i;

function isWeight(name: Value, tensor: OnnxTensor): boolean {
  if (tensor.type !== "float32") return false;
  // Scale factors, epsilons and masks become initializers too; a weight that was folded or transposed has a
  // made-up name as well, but more than one element, all of them finite.
  if (!MADE_UP.test(name)) return true;
  return tensor.bytes.length > 4 && numbersOf(tensor).every(Number.isFinite);
}

/** What batch normalization takes as running statistics. */
function statisticsOf(nodes: readonly OnnxNode[]): ReadonlySet<Value> {
  const names = new Set<Value>();
  for (const { operator, inputs } of nodes) {
    if (operator !== "BatchNormalization") continue;
    for (const name of inputs.slice(3, 5)) names.add(name);
  }
  return names;
}

function overlay(parameters: Map<string, Parameter>, own: Checkpoint): void {
  for (const tensor of own.tensors.values()) {
    const replaced = parameters.get(tensor.name);
    if (!replaced || !sameShape(replaced.shape, tensor.shape)) {
      const reason = replaced
        ? `its shape must be [${replaced.shape.join(", ")}] as in the graph: current value is [${
          tensor.shape.join(", ")
        }]`
        : `the graph has no such tensor${
          didYouMean(tensor.name, parameters.keys())
        }: current value is ${tensor.name}`;
      throw new Problem(
        "mismatch",
        `Cannot use the task's own tensor ${tensor.name} as ${reason}`,
        { tensor: tensor.name },
      );
    }
    parameters.set(tensor.name, {
      ...replaced,
      dtype: tensor.dtype,
      read: (signal) => readValues(tensor, signal),
      frozen: "private",
    });
  }
}

/** The model with its weights as inputs, each brought into the form in which the graph reads it. */
function withInputs(
  model: OnnxModel,
  bound: readonly Binding[],
  parameters: ReadonlyMap<string, Parameter>,
): OnnxModel {
  const initializers = new Map(model.graph.initializers);
  const arranged: OnnxNode[] = [];
  for (const { initializer, tensor, arrangement } of bound) {
    const { input } = parameters.get(tensor)!;
    const shape = initializers.get(initializer)!.shape;
    initializers.delete(initializer);
    if (input === initializer) continue;
    const node = { name: "", domain: "", outputs: [initializer], attributes: {} };
    if (arrangement === "transposed") {
      arranged.push({
        ...node,
        operator: "Transpose",
        inputs: [input],
        attributes: { perm: [1, 0] },
      });
    } else if (arrangement === "reshaped") {
      const target = `sizes of ${initializer}`;
      const sizes = new Uint8Array(BigInt64Array.from(shape, BigInt).buffer);
      initializers.set(target, { type: "int64", shape: [shape.length], bytes: sizes });
      arranged.push({ ...node, operator: "Reshape", inputs: [input, target] });
    } else arranged.push({ ...node, operator: "Identity", inputs: [input] });
  }
  return {
    ...model,
    graph: { ...model.graph, initializers, nodes: [...arranged, ...model.graph.nodes] },
  };
}

/** The inputs of a graph that are neither weights nor constants. */
export function dataInputs({ model, parameters }: ParametricModel) {
  const weights = new Set([...parameters.values()].map(({ input }) => input));
  const read = new Set(model.graph.nodes.flatMap(valuesRead));
  return model.graph.inputs.filter(({ name }) =>
    read.has(name) && !weights.has(name) && !model.graph.initializers.has(name)
  );
}
