/**
 * `GET /engine`: what the next merge runs on, and why.
 *
 * @module
 */
import { Hono } from "hono";
import type { ChunkExecutor } from "../core/engine/chunk_job.ts";
import type { EngineChoice } from "../core/engine/engine_name.ts";

/** What the resource stands on. */
export interface EnginePorts {
  readonly executor: ChunkExecutor;
  /** Threads that merge at once. */
  readonly width: number;
}

/** The resource's routes. */
export function engineRoutes({ executor, width }: EnginePorts) {
  return new Hono().get("/engine", async (context) => {
    const choice: EngineChoice = await executor.engine?.() ?? { name: "fused" };
    return context.json({ ...choice, width });
  });
}
