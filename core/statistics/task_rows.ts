/**
 * Opens the model and the unlabelled rows of a task.
 *
 * @module
 */
import { type BoundInputs, openTaskInputs } from "../atm/batches.ts";
import type { TaskSources } from "../atm/open_task.ts";
import type { LedgerEntry } from "../atm/rounds/ledger.ts";
import { openShard } from "../atm/shard/open_shard.ts";
import { dataInputs, type ParametricModel } from "../gradient/parameters.ts";
import type { SourceSpec } from "../merge/sources.ts";
import { Problem } from "../problem.ts";
import { openBytes } from "../sources/open_sources.ts";
import { chosenRows } from "./chosen_rows.ts";
import type { StatisticsTask } from "./statistics_document.ts";

/** The rows of a task that statistics are taken of. */
export interface TaskRows {
  readonly data: BoundInputs;
  readonly rows: Uint32Array;
  /** What the ledger is told. */
  readonly entry: LedgerEntry;
}

/**
 * Opens a task's shard and chooses rows; the closers of the sources close it.
 *
 * @param wanted Rows to take at most.
 * @throws {Problem} Whatever is wrong with the shard, or does not fit the model.
 */
export async function openTaskRows(
  sources: TaskSources,
  model: ParametricModel,
  task: StatisticsTask,
  { wanted, seed }: { readonly wanted: number; readonly seed: number },
): Promise<TaskRows> {
  const { specs, uploads, ports, signal, closers } = sources;
  const spec = specs.get(task.shard)!;
  const { bytes, known } = await openBytes(task.shard, spec, uploads, ports, signal);
  closers.push(() => bytes.close?.());
  const shard = await openShard(bytes, task.shard, signal);
  const data = openTaskInputs(shard, task, dataInputs(model), { path: task.path });
  const rows = wholeBatches(await chosenRows(seed, task.name, data.rows, wanted), data, task);
  return {
    data,
    rows,
    entry: {
      shard: task.shard,
      digest: known.sha256 === undefined ? null : `sha256:${known.sha256}`,
      rows: rows.length,
      use: "statistics",
      task: task.name,
      holder: "this service",
      passes: 1,
      rounds: [],
    },
  };
}

/** The id of a source's bytes, where it is known. */
export function digestOf(name: string, { specs, uploads }: TaskSources): string | null {
  const spec: SourceSpec | undefined = specs.get(name);
  if (spec?.type === "checkpoint") return spec.id;
  return spec?.type === "upload" ? uploads.get(spec.part)?.id ?? null : null;
}

/** A graph with a fixed number of rows takes no short batch. */
function wholeBatches(
  rows: Uint32Array,
  { batchRows = 1 }: BoundInputs,
  { name, shard }: StatisticsTask,
): Uint32Array {
  const whole = Math.floor(rows.length / batchRows) * batchRows;
  if (whole > 0) return rows.slice(0, whole);
  throw new Problem(
    "mismatch",
    `Cannot take statistics of the task ${
      JSON.stringify(name)
    } as the graph takes ${batchRows} rows at ` +
      `once: current value is ${rows.length}`,
    { source: shard, task: name },
  );
}
