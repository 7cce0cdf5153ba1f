/**
 * Merges a matrix whole in memory by dense algebra (METHODS.md 8).
 *
 * @module
 */
import type { Products } from "../algebra/products.ts";
import type { Statistics } from "../methods/method.ts";
import { Problem } from "../problem.ts";
import { encodeFrom } from "../tensor/codec.ts";
import { DTYPES } from "../tensor/dtype.ts";
import { faultProblem, type MergeContext } from "./context.ts";
import { matrixInputs, type MatrixTensor, NOT_FINITE } from "./matrix_tasks.ts";
import type { Solved } from "./solve.ts";

/** A running merge that may hold matrices. */
export interface MatrixContext extends MergeContext {
  readonly products: Products;
}

/**
 * Computes `y = b + λ·M` in double precision, rounded to float32.
 *
 * @throws {Problem} `non-finite` if an input is (later, if the result is), unless the plan lets it pass.
 * @throws The signal's reason.
 */
export async function mergeMatrix(context: MatrixContext, tensor: MatrixTensor): Promise<Solved> {
  const { plan: { nonFinite } } = context;
  const { work } = tensor;
  try {
    const { values, statistics } = await computed(context, tensor);
    return solved(context, tensor, values, statistics);
  } catch (error) {
    if (error === NOT_FINITE) {
      // Every element of a product depends on every element of its factors.
      return solved(context, tensor, new Float32Array(tensor.elements).fill(NaN));
    }
    const passes = nonFinite === "base" && error instanceof Problem && error.kind === "non-finite";
    if (!passes) throw error;
    return { kind: "copy", input: work.base ?? work.inputs[0]!, reason: "non-finite" };
  }
}

async function computed(
  context: MatrixContext,
  tensor: MatrixTensor,
): Promise<{ readonly values: Float32Array; readonly statistics?: Statistics }> {
  const { decision: { lambda, run } } = tensor.work;
  const inputs = await matrixInputs(context, tensor);
  const { merged, statistics } = await run(inputs, context.products);
  const values = inputs.base ?? new Float32Array(tensor.elements);
  for (let at = 0; at < values.length; at++) values[at] = values[at]! + lambda * merged[at]!;
  return { values, ...(statistics ? { statistics } : {}) };
}

function solved(
  { plan }: MergeContext,
  { name, dtype, work }: MatrixTensor,
  values: Float32Array,
  statistics?: Statistics,
): Solved {
  return {
    kind: "solved",
    ...(statistics ? { statistics } : {}),
    bytesOf(chunk) {
      const part = values.slice(chunk.start, chunk.start + chunk.count);
      const bytes = new Uint8Array(chunk.count * DTYPES[dtype].bytes);
      const beyond = plan.nonFinite === "propagate"
        ? -1
        : part.findIndex((value) => !Number.isFinite(value));
      const element = beyond >= 0
        ? beyond
        : encodeFrom(dtype, part, bytes, { saturate: plan.saturate });
      if (element >= 0) throw faultProblem(name, work, chunk, { element, found: 1 });
      return bytes;
    },
  };
}
