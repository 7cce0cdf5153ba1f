/**
 * The passes that must come before a tensor's map.
 *
 * @module
 */
import type { KeptInputs, MapJob } from "../engine/chunk_job.ts";
import type { PlannedInput } from "../merge/plan_types.ts";
import { LINES } from "../methods/lines_factor.ts";
import type { Statistics } from "../methods/method.ts";
import { Problem } from "../problem.ts";
import { type Chunk, mergeChunks } from "./chunks.ts";
import { graphCalls } from "./coefficients.ts";
import { type MergeContext, type MergeTensor, runChunk } from "./context.ts";
import { onDevice } from "./device.ts";
import { inOrder } from "./in_order.ts";
import { measure } from "./measures.ts";

/** What is left to do for a tensor. */
export type Prepared =
  /** Take an input as it is. */
  | { readonly kind: "copy"; readonly input: PlannedInput; readonly reason: string }
  /** Map every chunk; jobs are asked for in order. */
  | {
    readonly kind: "map";
    readonly chunks: readonly Chunk[];
    readonly job: (chunk: Chunk) => Omit<MapJob, "inputs" | "kept">;
    /** By chunk, where a GPU keeps the inputs. */
    readonly kept: ReadonlyMap<number, KeptInputs>;
    /** Whether jobs ask for a GPU. */
    readonly device: boolean;
    readonly statistics?: Statistics;
  };

/** Makes the passes of a tensor and binds what they found to its map. */
export async function prepare(context: MergeContext, tensor: MergeTensor): Promise<Prepared> {
  const { work } = tensor;
  const { decision, method } = work;
  const chunks = mergeChunks(tensor, context.chunkElements);
  if (!await passesPolicy(context, tensor)) {
    return { kind: "copy", input: work.base ?? work.inputs[0]!, reason: "non-finite" };
  }

  const device = onDevice(context.engine, tensor);
  const { found, select, agreed, agreedWithBase, kept } = await measure(
    context,
    tensor,
    chunks,
    device,
  );
  const withBase = method.operand === "weights" && method.base === "required";
  if (work.idempotent && sameKinds(tensor) && (withBase ? agreedWithBase : agreed)) {
    await context.kept?.drop(tensor);
    return { kind: "copy", input: work.inputs[0]!, reason: "inputs-equal" };
  }
  const bind = await select();
  const factor = work.lines &&
    (work.lines.alpha ?? context.linesAlpha!) + work.lines.offset;
  const scaled = factor === undefined ? {} : { [LINES]: [factor] };
  const call = graphCalls(
    tensor,
    decision.graph,
    (...found) => ({ ...decision.coefficients(...found), ...scaled }),
    found,
    factor === undefined ? undefined : "scaled",
  );
  const measured = decision.measures !== undefined && decision.measures.length > 0;
  const taken = measured ? decision.statistics?.(...found) : undefined;
  const statistics = factor === undefined ? taken : { ...taken, lines: factor };
  return {
    kind: "map",
    chunks,
    kept,
    device: device.map,
    job: (chunk) => ({
      stage: "map",
      ...(device.map ? { device: true } : {}),
      ...call(chunk),
      ...bind(chunk),
      double: decision.double ?? false,
      out: tensor.dtype,
      saturate: context.plan.saturate,
      agreed: work.idempotent && !measured && sameKinds(tensor),
    }),
    ...(statistics ? { statistics } : {}),
  };
}

/** Only weights (or, without a base, task vectors) can stand for the result unchanged. */
function sameKinds({ work }: MergeTensor): boolean {
  return work.base === undefined || work.inputs.every((input) => input.kind === "weights");
}

/** Whether a tensor is to be merged under the policy for values that are not finite. */
export async function passesPolicy(context: MergeContext, tensor: MergeTensor): Promise<boolean> {
  if (context.plan.nonFinite !== "base") return true;
  try {
    const scans = inOrder(
      mergeChunks(tensor, context.chunkElements),
      context.executor.width,
      (chunk) => runChunk(context, tensor, chunk, (inputs) => ({ stage: "scan", inputs })),
    );
    for await (const _ of scans);
    return true;
  } catch (error) {
    if (error instanceof Problem && error.kind === "non-finite") {
      // The policy is for weights: by wrong statistics nothing can be merged.
      const { source } = error.members;
      if (!tensor.work.statistics?.some(({ model }) => model === source)) return false;
    }
    throw error;
  }
}
