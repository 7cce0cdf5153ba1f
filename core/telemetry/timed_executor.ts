/**
 * Measures how long chunks take.
 *
 * @module
 */
import type { ChunkExecutor, ChunkResult } from "../engine/chunk_job.ts";
import { chunkSeconds } from "./instruments.ts";

/** The same executor; every chunk's time is told. */
export function timedExecutor(executor: ChunkExecutor): ChunkExecutor {
  const { small } = executor;
  return {
    ...executor,
    ...(small ? { small: { ...small, run: (job) => timed(() => small.run(job)) } } : {}),
    run: (job, size) => timed(() => executor.run(job, size)),
  };
}

/** What nobody ran has no time. */
async function timed<Result extends ChunkResult | undefined>(
  run: () => Promise<Result>,
): Promise<Result> {
  const began = performance.now();
  const result = await run();
  if (result) chunkSeconds((performance.now() - began) / 1000);
  return result;
}
