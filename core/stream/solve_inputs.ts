/**
 * Reads the whole tensors of a linear layer in double precision.
 *
 * @module
 */
import type { Bytes } from "../checkpoint/byte_source.ts";
import type { StoredTensor } from "../checkpoint/checkpoint.ts";
import type { PlannedInput, PlannedTensor, SolveWork } from "../merge/plan_types.ts";
import type { SolveDecision } from "../methods/method.ts";
import { Problem } from "../problem.ts";
import { decodeTo } from "../tensor/codec.ts";
import { type DType, elementCount } from "../tensor/dtype.ts";
import { readChunk } from "./chunks.ts";
import { faultProblem, type MergeContext } from "./context.ts";

/** A tensor to solve for. */
export type SolveTensor = PlannedTensor & { readonly work: SolveWork };

/** Elements decoded at once. */
const PIECE = 1 << 16;

/**
 * The weights of every model as rows of units, with their biases as the last column; less those of the base where
 * task vectors are merged with weights.
 *
 * @throws {Problem} `non-finite`, naming source, tensor and index.
 */
export async function readLayers(
  context: MergeContext,
  tensor: SolveTensor,
): Promise<Float64Array[]> {
  const { work, work: { decision } } = tensor;
  const layers: Float64Array[] = [];
  const subtract = async (values: Float64Array, base: PlannedInput | undefined, kind: string) => {
    if (!base || kind === "task_vector") return;
    const from = await readDoubles(context, tensor, base, -1);
    for (let i = 0; i < values.length; i++) values[i]! -= from[i]!;
  };
  for (const [i, input] of work.weights.entries()) {
    const weight = await readDoubles(context, tensor, input, i);
    await subtract(weight, work.baseWeight, input.kind);
    const bias = work.biases?.[i];
    const column = bias && await readDoubles(context, tensor, bias, i);
    if (bias && column) await subtract(column, work.baseBias, bias.kind);
    layers.push(rowsOf(decision, weight, column));
  }
  return layers;
}

function rowsOf(
  { units, size, axis }: SolveDecision,
  weight: Float64Array,
  bias: Float64Array | undefined,
): Float64Array {
  const length = size + Number(bias !== undefined);
  const rows = new Float64Array(units * length);
  for (let unit = 0; unit < units; unit++) {
    for (let k = 0; k < size; k++) {
      rows[unit * length + k] = weight[axis === 1 ? unit * size + k : k * units + unit]!;
    }
    if (bias) rows[unit * length + size] = bias[unit]!;
  }
  return rows;
}

/**
 * A matrix of layer inputs; its diagonal holds mean squares.
 *
 * @throws {Problem} `non-finite` if an entry is not finite, or one of the diagonal negative.
 */
export async function readMatrix(
  context: MergeContext,
  tensor: SolveTensor,
  input: PlannedInput,
): Promise<Float64Array> {
  const values = await readAll(context, input.tensor);
  const { shape } = input.tensor;
  const size = shape.at(-1)!;
  const index = values.findIndex((value, i) => {
    const onDiagonal = Math.floor(i / size) % size === i % size;
    return !Number.isFinite(value) || (onDiagonal && value < 0);
  });
  if (index < 0) return values;
  throw new Problem(
    "non-finite",
    `Cannot merge tensor "${tensor.name}" as the matrix of its layer in source "${input.model}" must be ` +
      `finite, with no negative entry on its diagonal: the first element that is not so is ${index}`,
    { source: input.model, tensor: tensor.name, index },
  );
}

/**
 * All elements of a tensor.
 *
 * @param index Which model it is of, -1 for the base.
 * @throws {Problem} `non-finite`, naming source, tensor and index.
 */
export async function readDoubles(
  context: MergeContext,
  { name }: SolveTensor,
  input: PlannedInput,
  index: number,
): Promise<Float64Array> {
  const values = await readAll(context, input.tensor);
  const element = values.findIndex((value) => !Number.isFinite(value));
  if (element < 0) return values;
  const found = values.reduce((count, value) => count + Number(!Number.isFinite(value)), 0);
  const at = index < 0 ? { base: input, inputs: [] } : { inputs: [input] };
  const fault = { input: Math.min(index, 0), element, found };
  throw faultProblem(name, at, { start: 0 }, fault);
}

async function readAll({ signal }: MergeContext, tensor: StoredTensor): Promise<Float64Array> {
  const count = elementCount(tensor.shape);
  const values = new Float64Array(count);
  for (let start = 0; start < count; start += PIECE) {
    signal.throwIfAborted();
    const length = Math.min(PIECE, count - start);
    const bytes = await readChunk(tensor, { start, count: length }, signal);
    values.set(doubles(tensor.dtype, bytes, length), start);
  }
  return values;
}

function doubles(dtype: DType, bytes: Bytes, count: number): Float64Array | Float32Array {
  if (dtype === "F64") return new Float64Array(bytes.slice().buffer);
  const singles = new Float32Array(count);
  decodeTo(dtype, bytes, singles);
  return singles;
}
