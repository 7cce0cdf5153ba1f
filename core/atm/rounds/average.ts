/**
 * The average of the weights over accepted rounds, as a further result (Izmailov et al. 2018, arXiv 1803.05407).
 *
 * @module
 */
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { mapChunks } from "./chunk_math.ts";
import type { HeldWeights, Run } from "./run.ts";
import type { Setting } from "./run_rounds.ts";
import { writeScratch } from "./scratch.ts";

/** How much the new weights count: `1/(n + 1)` of the plain average, `1 − d` of the exponential one. */
export function averageShare(
  spec: "swa" | { readonly ema: number },
  averaged: number,
): number {
  if (averaged === 0) return 1;
  return spec === "swa" ? 1 / (averaged + 1) : 1 - spec.ema;
}

/**
 * The average with the weights of one more accepted round.
 *
 * @returns Undefined if no average was asked for.
 */
export async function nextAverage(
  { document, ports, slots, tensors, signal }: Setting,
  run: Run,
  accepted: Checkpoint,
): Promise<HeldWeights | undefined> {
  const { averageRounds } = document;
  if (!averageRounds) return undefined;
  const { average } = run.state;
  if (!average) return await run.hold(accepted);
  const before = await run.open(average.id);
  const share = averageShare(averageRounds, average.rounds);
  const [next] = await slots.each([0], async (_, workspace) => {
    const pieces = mapChunks(
      {
        workspace,
        key: "average",
        graph: (graph, operand, scalar) => {
          const change = graph.node("Sub", [operand("accepted"), operand("average")]);
          const step = graph.node("Mul", [scalar("share"), change]);
          return { result: graph.node("Add", [operand("average"), step]) };
        },
        operands: { average: before.checkpoint, accepted },
        scalars: { share },
        tensors,
        signal,
      },
      accepted,
      { format: "pt", kind: "weights" },
    );
    const written = await writeScratch(ports.blobs, pieces, signal);
    try {
      return await run.hold(written.checkpoint);
    } finally {
      await written.release();
    }
  });
  return next;
}
