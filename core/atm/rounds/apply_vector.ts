/**
 * Adds a task vector that came from elsewhere to the weights of the round.
 *
 * @module
 */
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { Workspace } from "../../engine/workspace.ts";
import { firstNonFinite } from "../../tensor/codec.ts";
import { Problem } from "../../problem.ts";
import { chunksOf, mapChunks } from "./chunk_math.ts";
import { type ScratchCheckpoint, writeScratch } from "./scratch.ts";
import type { TuningRound } from "./tune_round.ts";

/**
 * Start plus task vector, float32, for the named tensors; all others are those of the start.
 *
 * @throws {Problem} `non-finite` naming tensor and index.
 */
export async function applyTaskVector(
  { start, blobs, sources: { signal } }: TuningRound,
  vector: Checkpoint,
  tensors: readonly string[],
  workspace: Workspace,
): Promise<ScratchCheckpoint> {
  await checkFinite(vector, tensors, signal);
  const pieces = mapChunks(
    {
      workspace,
      key: "apply",
      graph: (graph, operand) => ({
        result: graph.node("Add", [operand("start"), operand("vector")]),
      }),
      operands: { start, vector },
      tensors,
      signal,
    },
    start,
    { format: "pt", kind: "weights" },
  );
  return await writeScratch(blobs, pieces, signal);
}

async function checkFinite(
  vector: Checkpoint,
  tensors: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for await (const { tensor, first, values } of chunksOf({ vector }, tensors, signal)) {
    const { buffer } = values["vector"]!.bytes;
    const numbers = new Float32Array(buffer as ArrayBuffer);
    const index = firstNonFinite(numbers);
    if (index < 0) continue;
    throw new Problem(
      "non-finite",
      `Cannot use the task vector as ${tensor} must be finite: current value at ${
        first + index
      } is ${numbers[index]}`,
      { tensor, index: first + index },
    );
  }
}
