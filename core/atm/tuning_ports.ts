/**
 * What tuning and evaluation stand on.
 *
 * @module
 */
import type { ChunkExecutor } from "../engine/chunk_job.ts";
import type { OpenWorkspace } from "../engine/workspace.ts";
import type { SourcePorts } from "../sources/open_sources.ts";
import type { CheckpointStore } from "../store/checkpoints.ts";

/** Store, sources and engines. */
export interface TuningPorts extends CheckpointStore {
  readonly sources: SourcePorts;
  /** Runs merges, here of a tuned model and its start. */
  readonly executor: ChunkExecutor;
  /** Elements per chunk, a multiple of 4096. */
  readonly chunkElements: number;
  readonly openWorkspace: OpenWorkspace;
}
