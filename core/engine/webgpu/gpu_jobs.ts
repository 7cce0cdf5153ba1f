/**
 * The GPU of this thread, until it is lost.
 *
 * @module
 */
import type { MapJob, ReduceJob } from "../chunk_job.ts";
import type { Engine } from "../engine.ts";
import { createGpuChunks, type GpuChunks } from "./gpu_chunks.ts";
import { type GpuEngine, webgpuRuntime } from "./webgpu_runtime.ts";

/** What was done, or why it could not be. */
export type Attempted<Result> = { readonly result: Result } | { readonly fallback: string };

/** The GPU as the jobs of one thread see it. */
export interface GpuJobs {
  /** Whether a job is done here: where it asks for it, while there is a device. */
  takes(job: MapJob | ReduceJob): boolean;
  /** Lets `run` use the device; where it cannot, nothing is tried here again. */
  attempt<Result>(
    run: (engine: Engine, chunks: GpuChunks) => Promise<Result>,
  ): Promise<Attempted<Result>>;
  /** Forgets what was kept under names that begin so. */
  drop(prefix: string): void;
  close(): Promise<void>;
}

/**
 * Nothing is loaded before the first job.
 *
 * @param budget Bytes that are kept on the device from pass to pass.
 */
export function createGpuJobs(budget: number, engine: GpuEngine = webgpuRuntime()): GpuJobs {
  const chunks = createGpuChunks(engine, budget);
  let lost = false;
  return {
    takes: ({ device }) => !lost && device === true,
    async attempt(run) {
      try {
        return { result: await run(engine, chunks) };
      } catch (error) {
        lost = true;
        chunks.close();
        await engine.close();
        const reason = error instanceof Error ? error.message : String(error);
        return { fallback: `device-failed: ${reason}` };
      }
    },
    drop: (prefix) => chunks.drop(prefix),
    close() {
      chunks.close();
      return engine.close();
    },
  };
}
