/**
 * Finds for every tensor of a result its place in a graph that another program exported: by name, else by
 * value, as exporters rename, transpose and duplicate weights.
 *
 * @module
 */
import type { Checkpoint, StoredTensor } from "../checkpoint/checkpoint.ts";
import type { GraphPlace, GraphPlaces } from "../checkpoint/graph_places.ts";
import { quote } from "../checkpoint/header_fault.ts";
import { bindTensors } from "../gradient/binding.ts";
import type { OnnxTensor } from "../onnx/model.ts";
import { type Fault, Problem } from "../problem.ts";
import { decodeTo } from "../tensor/codec.ts";
import { DTYPES, elementCount } from "../tensor/dtype.ts";

/** Where tensors go, and what a caller should know. */
export interface BoundGraph {
  readonly places: GraphPlaces;
  readonly warnings: readonly string[];
}

/** Values that are compared in memory at most, in bytes of float32. */
const COMPARED_LIMIT = 536_870_912;
/** How many faults a problem document lists. */
const LISTED = 20;

/**
 * Binds the tensors of a result to the initializers of a graph that holds the weights of the base model.
 *
 * @param graph The model, with the base's weights.
 * @param base The base model, whose values are compared where names differ.
 * @param written Names of the result's tensors.
 * @throws {Problem} `mismatch` with `errors` if a tensor of numbers has no place, or several; `too-large` if
 * too many values would have to be compared.
 */
export async function bindGraph(
  graph: Checkpoint,
  base: Checkpoint,
  written: readonly string[],
  signal: AbortSignal,
): Promise<BoundGraph> {
  const own = written.flatMap((name) => base.tensors.get(name) ?? []);
  const floats = own.filter(isFloat);
  const bindings = await bindTensors(
    await openInitializers(graph, new Set(floats.map(({ name }) => name)), signal),
    floats.map((tensor) => ({ ...tensor, read: () => floatsOf(tensor, signal) })),
  );
  const faults: Fault[] = [];
  const fault = (name: string, what: string) =>
    faults.push({
      path: "output.graph",
      message: `Cannot write the tensor ${quote(name)} into the graph as ${what}`,
    });
  for (const { name, tensor, initializer } of bindings.misshapen) {
    fault(
      name,
      `its initializer has the shape [${initializer.join(", ")}]: ` +
        `current value is [${tensor.join(", ")}]`,
    );
  }
  for (const { tensor, candidates } of bindings.ambiguous) {
    fault(tensor, `several have these values: current values are ${candidates.join(", ")}`);
  }
  for (const name of bindings.unboundTensors) {
    fault(
      name,
      `no initializer has its name or its values in the base model; where the graph has no use for it, ` +
        `leave it out with tensors: { exclude, otherwise: "omit" }`,
    );
  }
  const missing = written.filter((name) => !base.tensors.has(name));
  for (const name of missing) fault(name, "the base model does not have it");
  const [first] = faults;
  if (first) {
    const more = faults.length === 1 ? "" : ` (and ${faults.length - 1} more)`;
    throw new Problem("mismatch", first.message + more, {
      count: faults.length,
      errors: faults.slice(0, LISTED),
    });
  }
  const places = new Map<string, GraphPlace[]>();
  const place = (tensor: string, initializer: string, transposed: boolean) => {
    const { shape } = graph.tensors.get(initializer)!;
    const others = places.get(tensor) ?? [];
    places.set(tensor, [...others, { initializer, shape, transposed }]);
  };
  for (const { tensor, initializer, arrangement } of bindings.bound) {
    place(tensor, initializer, arrangement === "transposed");
  }
  // Integers are never compared: counters and the like may be missing in the graph.
  for (const { name, shape } of own.filter((tensor) => !isFloat(tensor))) {
    const twin = graph.tensors.get(name);
    if (twin && !isFloat(twin) && String(twin.shape) === String(shape)) place(name, name, false);
  }
  return {
    places,
    warnings: [...bindings.tied].map(([tensor, other]) =>
      `The graph has one place for ${quote(tensor)} and ${
        quote(other)
      }, which are equal in the base ` +
      `model: it takes the values of ${quote(other)}`
    ),
  };
}

function isFloat({ dtype }: StoredTensor): boolean {
  return DTYPES[dtype].kind === "float";
}

/** The graph's numbers; the values only of those that no name binds. */
async function openInitializers(
  { tensors }: Checkpoint,
  named: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Map<string, OnnxTensor>> {
  const floats = [...tensors.values()].filter(isFloat);
  const compared = floats
    .filter(({ name }) => !named.has(name))
    .reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0);
  if (compared > COMPARED_LIMIT) {
    throw new Problem(
      "too-large",
      `Cannot find the tensors in the graph by their values as those to be compared must have at most ` +
        `${COMPARED_LIMIT} bytes, export it with the checkpoint's names: current value is ${compared}`,
      { limit: COMPARED_LIMIT, value: compared },
    );
  }
  const initializers = new Map<string, OnnxTensor>();
  for (const tensor of floats) {
    const values = named.has(tensor.name) ? new Float32Array() : await floatsOf(tensor, signal);
    initializers.set(tensor.name, {
      type: "float32",
      shape: tensor.shape,
      bytes: new Uint8Array(values.buffer),
    });
  }
  return initializers;
}

async function floatsOf(
  { dtype, shape, source, start, end }: StoredTensor,
  signal: AbortSignal,
): Promise<Float32Array<ArrayBuffer>> {
  const values = new Float32Array(elementCount(shape));
  decodeTo(dtype, await source.slice(start, end, signal), values);
  return values;
}
