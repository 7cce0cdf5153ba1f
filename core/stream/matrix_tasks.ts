/**
 * Reads the weighted task vectors of a matrix, one at a time.
 *
 * @module
 */
import type { MatrixWork, PlannedInput, PlannedTensor } from "../merge/plan_types.ts";
import type { MatrixTasks } from "../methods/method.ts";
import { decodeTo } from "../tensor/codec.ts";
import { readChunk } from "./chunks.ts";
import { faultProblem, type MergeContext } from "./context.ts";

/** A matrix to merge. */
export type MatrixTensor = PlannedTensor & { readonly work: MatrixWork };

/** The inputs of a matrix. */
export interface MatrixInputs extends MatrixTasks {
  /** Of the base, which stays in memory; absent without one. */
  readonly base?: Float32Array;
}

/** What is thrown by {@linkcode MatrixTasks.delta} where NaN and infinity may pass but are there. */
export const NOT_FINITE: Error = new Error("A task vector is not finite");

/** Elements decoded at once. */
const PIECE = 1 << 16;

/**
 * Opens the inputs; the base is read at once.
 *
 * @throws {Problem} `non-finite`, also later from `delta`, unless the plan lets NaN pass.
 * @throws What sources throw, and the signal's reason.
 */
export async function matrixInputs(
  context: MergeContext,
  tensor: MatrixTensor,
): Promise<MatrixInputs> {
  const { work, elements } = tensor;
  const base = work.base && new Float32Array(elements);
  if (base) {
    await read(context, tensor, work.base!, -1, (start, values) => base.set(values, start));
  }
  return {
    ...(base ? { base } : {}),
    count: work.inputs.length,
    async delta(task) {
      const input = work.inputs[task]!;
      const weight = work.decision.weights[task]!;
      const isWhole = input.kind === "task_vector" || !base;
      const delta = new Float64Array(elements);
      await read(context, tensor, input, task, (start, values) => {
        for (let i = 0; i < values.length; i++) {
          const at = start + i;
          delta[at] = weight * (isWhole ? values[i]! : values[i]! - base[at]!);
        }
      });
      return delta;
    },
  };
}

async function read(
  { plan, signal }: MergeContext,
  { name, work, elements }: MatrixTensor,
  input: PlannedInput,
  index: number,
  take: (start: number, values: Float32Array) => void,
): Promise<void> {
  const piece = new Float32Array(Math.min(PIECE, elements));
  for (let start = 0; start < elements; start += PIECE) {
    signal.throwIfAborted();
    const count = Math.min(PIECE, elements - start);
    const values = piece.subarray(0, count);
    const bytes = await readChunk(input.tensor, { start, count }, signal);
    decodeTo(input.tensor.dtype, bytes, values);
    const element = values.findIndex((value) => !Number.isFinite(value));
    if (element >= 0) {
      if (plan.nonFinite === "propagate") throw NOT_FINITE;
      const found = values.reduce((sum, value) => sum + Number(!Number.isFinite(value)), 0);
      throw faultProblem(name, work, { start }, { input: index, element, found });
    }
    take(start, values);
  }
}
