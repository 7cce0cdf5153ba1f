/**
 * Takes over tensors unchanged, or in another element type.
 *
 * @module
 */
import type { Bytes } from "../checkpoint/byte_source.ts";
import type { ChunkResult, ConvertJob } from "../engine/chunk_job.ts";
import type { PlannedInput, PlannedTensor } from "../merge/plan_types.ts";
import { Problem } from "../problem.ts";
import { type Chunk, chunksOf, readChunk } from "./chunks.ts";
import { faultProblem, type MergeContext } from "./context.ts";

/** Compares an input with others that must hold the same bytes; answers the names of those that differ. */
export async function differing(
  context: MergeContext,
  tensor: PlannedTensor,
  input: PlannedInput,
  others: readonly PlannedInput[],
): Promise<string[]> {
  const different = new Set<string>();
  for (const chunk of chunksOf(tensor.elements, context.chunkElements)) {
    const rest = others.filter((other) => !different.has(other.model));
    if (rest.length === 0) break;
    const expected = await readChunk(input.tensor, chunk, context.signal);
    for (const other of rest) {
      const bytes = await readChunk(other.tensor, chunk, context.signal);
      if (other.tensor.dtype !== input.tensor.dtype || !equal(expected, bytes)) {
        different.add(other.model);
      }
    }
  }
  if (different.size > 0 && context.plan.strictIntegers) {
    throw new Problem(
      "mismatch",
      `Cannot copy tensor "${tensor.name}" as its integers differ from those of "${input.model}" ` +
        `(strict_integers is set): they differ in ${[...different].join(", ")}`,
      { tensor: tensor.name, models: [...different] },
    );
  }
  return [...different];
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}

/** One chunk of a copy, converted if the output type differs. */
export async function copyChunk(
  context: MergeContext,
  tensor: PlannedTensor,
  input: PlannedInput,
  chunk: Chunk,
): Promise<Bytes> {
  const { executor: { small, run }, near, plan, signal } = context;
  const isCopy = input.tensor.dtype === tensor.dtype;
  const job = (bytes: Bytes): ConvertJob => ({
    stage: "convert",
    inputs: {
      count: chunk.count,
      models: [{ dtype: input.tensor.dtype, bytes }],
      kinds: [input.kind],
      finite: plan.nonFinite === "error",
    },
    out: tensor.dtype,
    saturate: plan.saturate,
  });
  let result: ChunkResult | undefined;
  const isWhole = chunk.count === tensor.elements;
  if (small && near && isWhole && input.tensor.end - input.tensor.start <= small.limit) {
    result = await near.lend(
      [input.tensor],
      ([bytes]) => isCopy ? Promise.resolve({ bytes: bytes!.slice() }) : small.run(job(bytes!)),
    );
  }
  if (!result) {
    const bytes = await readChunk(input.tensor, chunk, signal);
    result = isCopy ? { bytes } : await run(job(bytes), plan.bytesIn);
  }
  if (result.fault) throw faultProblem(tensor.name, { inputs: [input] }, chunk, result.fault);
  return result.bytes!;
}
