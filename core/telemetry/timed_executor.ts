/**
 * Measures how long chunks take.
 *
 * @module
 */
import type { ChunkExecutor } from "../engine/chunk_job.ts";
import { chunkSeconds } from "./instruments.ts";

/** The same executor; every chunk's time is told. */
export function timedExecutor(executor: ChunkExecutor): ChunkExecutor {
  return {
    ...executor,
    async run(job) {
      const began = performance.now();
      const result = await executor.run(job);
      chunkSeconds((performance.now() - began) / 1000);
      return result;
    },
  };
}
