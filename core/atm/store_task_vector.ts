/**
 * Stores the task vector of a tuned checkpoint: result minus start, by the code of `POST /task-vectors`.
 *
 * @module
 */
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { makePlan } from "../merge/plan.ts";
import { parseRecipe } from "../merge/recipe.ts";
import { INTERNAL_METHODS, METHODS } from "../methods/mod.ts";
import { storeCheckpoint, type StoredCheckpoint } from "../store/checkpoints.ts";
import { mergeStream } from "../stream/merge_stream.ts";
import { VERSION } from "../version.ts";
import type { TuningPorts } from "./tuning_ports.ts";

/**
 * @param start The base.
 * @param tuned A checkpoint of the same tensors.
 * @param metadata Is added to the file's.
 * @returns What was stored: float32, kind `task_vector`.
 */
export async function storeTaskVector(
  ports: TuningPorts,
  start: Checkpoint,
  tuned: Checkpoint,
  metadata: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<StoredCheckpoint> {
  const recipe = parseRecipe({
    merge_method: "difference",
    base_model: "start",
    models: [{ model: "tuned" }],
    out_dtype: "float32",
  }, INTERNAL_METHODS);
  const plan = makePlan({
    recipe,
    methods: new Map([...METHODS, ...INTERNAL_METHODS]),
    checkpoints: new Map([["start", start], ["tuned", tuned]]),
    version: VERSION,
  });
  const kind = "task_vector" as const;
  const pieces = mergeStream(
    { ...plan, kind, metadata: { ...plan.metadata, ...metadata, kind } },
    { executor: ports.executor, chunkElements: ports.chunkElements, signal },
  );
  return await storeCheckpoint(ports, pieces, { signal });
}
