/**
 * Maps on the GPU of this thread, until it is lost.
 *
 * @module
 */
import type { MapJob } from "../chunk_job.ts";
import type { Engine } from "../engine.ts";
import { webgpuRuntime } from "./webgpu_runtime.ts";

/** The GPU as the jobs of one thread see it. */
export interface GpuMaps {
  /** Whether a map is done here: in float32, while there is a device. */
  takes(job: MapJob): boolean;
  /**
   * Lets `run` use the engine.
   *
   * @returns Why it could not; nothing is tried here again then.
   */
  attempt(run: (engine: Engine) => Promise<void>): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Nothing is loaded before the first map. */
export function createGpuMaps(engine: Engine = webgpuRuntime()): GpuMaps {
  let lost = false;
  return {
    takes: ({ double }) => !lost && !double,
    async attempt(run) {
      try {
        await run(engine);
        return undefined;
      } catch (error) {
        lost = true;
        await engine.close();
        return `device-failed: ${error instanceof Error ? error.message : String(error)}`;
      }
    },
    close: () => engine.close(),
  };
}
