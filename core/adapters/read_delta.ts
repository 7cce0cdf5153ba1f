/**
 * Reads a task vector's tensor, or the difference of a model's to its base's, in double precision.
 *
 * @module
 */
import type { Checkpoint, StoredTensor } from "../checkpoint/checkpoint.ts";
import { invalidRecipe, show } from "../merge/faults.ts";
import { fits } from "../merge/tensor_planning.ts";
import { Problem } from "../problem.ts";
import { decodeTo } from "../tensor/codec.ts";
import { type DType, DTYPES, elementCount } from "../tensor/dtype.ts";
import type { ExtractionDocument } from "./extraction_document.ts";

/** What an adapter is extracted from. */
export interface Deltas {
  /** Names, types and shapes; of a difference, the base's. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /**
   * All elements of a floating-point tensor in pieces, in order.
   *
   * @throws {Problem} `non-finite`, naming source, tensor and index.
   */
  pieces(name: string, signal: AbortSignal): AsyncGenerator<Float64Array>;
}

/** Elements that are read at once. */
const PIECE = 1 << 16;

/**
 * Binds the sources.
 *
 * @throws {Problem} `invalid-recipe` if a source is of the wrong kind, `mismatch` if base and model do not
 * have the same tensors, `unsupported-dtype` for 8-bit floats.
 */
export function openDeltas(
  { from }: ExtractionDocument,
  checkpoints: ReadonlyMap<string, Checkpoint>,
): Deltas {
  const held = "vector" in from
    ? [demand(checkpoints, from.vector, "task_vector", "task_vector")]
    : [
      demand(checkpoints, from.base, "weights", "base"),
      demand(checkpoints, from.model, "weights", "model"),
    ];
  const names = "vector" in from ? [from.vector] : [from.base, from.model];
  const [first, second] = held as [Checkpoint, Checkpoint?];
  if (second) compare(first, second, names);
  held.forEach(({ tensors }, i) => {
    for (const { name, dtype } of tensors.values()) checkType(names[i]!, name, dtype);
  });
  return {
    tensors: first.tensors,
    async *pieces(name, signal) {
      const tensors = held.map(({ tensors }) => tensors.get(name)!);
      const count = elementCount(tensors[0]!.shape);
      for (let start = 0; start < count; start += PIECE) {
        signal.throwIfAborted();
        const end = Math.min(start + PIECE, count);
        const [base, model] = await Promise.all(
          tensors.map((tensor, i) => read(tensor, names[i]!, start, end, signal)),
        );
        const values = Float64Array.from(model ?? base!);
        if (model) { for (let j = 0; j < values.length; j++) values[j]! -= base![j]!; }
        yield values;
      }
    },
  };
}

function demand(
  checkpoints: ReadonlyMap<string, Checkpoint>,
  name: string,
  kind: "weights" | "task_vector",
  path: string,
): Checkpoint {
  const checkpoint = checkpoints.get(name)!;
  if (checkpoint.kind === kind) return checkpoint;
  const noun = kind === "weights" ? "weights" : "a task vector, as POST /task-vectors makes one";
  throw invalidRecipe([{
    path,
    message: `Cannot extract an adapter as ${path} must hold ${noun}: current value is ` +
      `${show(name)} of kind ${checkpoint.kind}`,
  }]);
}

function compare(base: Checkpoint, model: Checkpoint, [from, to]: readonly string[]): void {
  for (const name of new Set([...base.tensors.keys(), ...model.tensors.keys()])) {
    const [left, right] = [base.tensors.get(name), model.tensors.get(name)];
    if (left && right && fits(left, right)) continue;
    const told = (tensor: StoredTensor | undefined) =>
      tensor ? `${tensor.dtype} [${tensor.shape.join(", ")}]` : "missing";
    throw new Problem(
      "mismatch",
      `Cannot extract an adapter as both models must have the tensor ${show(name)} in one shape: ` +
        `current value is ${told(left)} in ${from} and ${told(right)} in ${to}`,
      { tensor: name },
    );
  }
}

function checkType(source: string, tensor: string, dtype: DType): void {
  if (DTYPES[dtype].kind !== "float" || DTYPES[dtype].bytes > 1) return;
  throw new Problem(
    "unsupported-dtype",
    `Cannot extract an adapter from 8-bit floats, which usually need scales that stand apart: ` +
      `current value of ${show(tensor)} in "${source}" is ${dtype}`,
    { source, tensor, dtype },
  );
}

async function read(
  tensor: StoredTensor,
  source: string,
  start: number,
  end: number,
  signal: AbortSignal,
): Promise<Float32Array> {
  const width = DTYPES[tensor.dtype].bytes;
  const values = new Float32Array(end - start);
  const from = tensor.start + start * width;
  const bytes = await tensor.source.slice(from, from + values.length * width, signal);
  decodeTo(tensor.dtype, bytes, values);
  const strange = values.findIndex((value) => !Number.isFinite(value));
  if (strange < 0) return values;
  throw new Problem(
    "non-finite",
    `Cannot extract an adapter from tensor "${tensor.name}" as source "${source}" holds NaN or ` +
      `infinity there: the first such element is ${start + strange}`,
    { source, tensor: tensor.name, index: start + strange },
  );
}
