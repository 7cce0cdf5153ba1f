/**
 * The tasks of a run: their models, their rows, and learners for them on every slot.
 *
 * @module
 */
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { Workspace } from "../../engine/workspace.ts";
import type { ParametricModel } from "../../gradient/parameters.ts";
import { findLabelRun } from "../check_rows.ts";
import type { LabelRun } from "../label_runs.ts";
import type { OnnxModel } from "../../onnx/model.ts";
import { Problem } from "../../problem.ts";
import { evaluateAll, type Score } from "../evaluate.ts";
import { type Learner, openLearner, type SharedGraphs, sharedGraphs } from "../learner.ts";
import { type OpenedRows, openRows, openTaskModel, type TaskSources } from "../open_task.ts";
import type { TaskDocument } from "../task_document.ts";
import type { TaskData } from "../task_data.ts";
import { trainableParameters } from "../trainable.ts";
import type { AtmDocument } from "./atm_document.ts";
import type { LedgerShard } from "./ledger.ts";
import { type AllowedOverlap, checkOverlap } from "./overlap.ts";

/** A task of the run. */
export interface RoundTask {
  readonly document: TaskDocument;
  readonly model: ParametricModel;
  readonly trainable: ReadonlySet<string>;
  /** The rows that this service holds; a participant holds its own. */
  readonly tune?: OpenedRows;
  readonly select?: OpenedRows;
  readonly test?: OpenedRows;
  /** How the labels of its tune shard are mixed, where they are classes and here. */
  readonly labels?: LabelRun;
  /** The learner of a slot; made on first use, with its graphs kept from then on. */
  learner(workspace: Workspace, slot: number): Learner;
}

/** Something the caller should know. */
export interface Warning {
  readonly code: string;
  readonly task?: string;
  readonly message: string;
}

/** The opened tasks and what was noticed. */
export interface OpenedTasks {
  readonly tasks: readonly RoundTask[];
  readonly warnings: readonly Warning[];
  readonly overlaps: readonly AllowedOverlap[];
}

/** Below this many rows a task's gradient is mostly noise. */
const FEW_ROWS = 32;

/**
 * Opens every task, and refuses those that share rows between their shards.
 *
 * @param start θ^(0), if it does not come from the graph.
 * @throws {Problem} Whatever is wrong with sources, model or data; `split-overlap`.
 */
export async function openTasks(
  document: AtmDocument,
  sources: TaskSources,
  graph: OnnxModel,
  start: Checkpoint | undefined,
  exported: Checkpoint | undefined,
): Promise<OpenedTasks> {
  const tasks: RoundTask[] = [];
  const warnings: Warning[] = [];
  const overlaps: AllowedOverlap[] = [];
  const graphs: GraphsBySlot = new Map();
  for (const task of document.tasks) {
    const model = await openTaskModel(sources, graph, task, start, exported);
    const open = (name: string | undefined) =>
      name === undefined ? Promise.resolve(undefined) : openRows(sources, model, task, name);
    const tune = await open(task.participant ? undefined : task.shard);
    const select = await open(task.select);
    const test = await open(task.test);
    const shards = { ...(tune && { tune }), ...(select && { select }), ...(test && { test }) };
    overlaps.push(
      ...await checkOverlap(task.name, shards, document.overlap === "allow", sources.signal),
    );
    const labels = tune && await findLabelRun(tune.data, sources.signal);
    if (tune) warnings.push(...tuneWarnings(task, tune, labels));
    const opened = { document: task, model, ...shards, ...(labels ? { labels } : {}) };
    const trainable = trainableParameters(model, document.trainable);
    tasks.push({ ...opened, trainable, learner: learners(opened, trainable, graphs) });
  }
  warnings.push(...modelWarnings(document, tasks));
  return { tasks, warnings, overlaps };
}

/** How the ledger names a shard of a task. */
export function ledgerShard(
  task: RoundTask,
  name: string,
  rows: number,
  sources: TaskSources,
): LedgerShard {
  const { participant } = task.document;
  const away = participant !== undefined && name === task.document.shard;
  const spec = sources.specs.get(name);
  const digest = spec?.type === "checkpoint"
    ? spec.id
    : spec?.type === "upload"
    ? sources.uploads.get(spec.part)?.id ?? null
    : null;
  return {
    shard: name,
    digest: away ? participant.shard : digest,
    rows,
    task: task.document.name,
    holder: away ? new URL(participant.url).origin : "this service",
  };
}

/** Loss and accuracy of weights on some rows of a task. */
export async function scoreOn(
  task: RoundTask,
  data: TaskData,
  weights: Checkpoint,
  workspace: Workspace,
  slot: number,
  signal: AbortSignal,
): Promise<Score> {
  const learner = task.learner(workspace, slot);
  await learner.place(signal, weights);
  return await evaluateAll(learner, data, task.document.loss.name !== "mse", signal);
}

/** The graphs of every slot, by what makes them: tasks of one form share them. */
type GraphsBySlot = Map<string, SharedGraphs>;

function learners(
  { document, model, tune, select, test }: Omit<RoundTask, "learner" | "trainable">,
  trainable: ReadonlySet<string>,
  graphs: GraphsBySlot,
): RoundTask["learner"] {
  const known = new Map<number, Learner>();
  const form = (data: TaskData) =>
    JSON.stringify([
      model.output,
      [...data.inputs],
      data.target,
      document.loss,
      [...trainable],
      [...model.parameters.values()].map(({ input, shape, frozen }) => [input, shape, frozen]),
    ]);
  return (workspace, slot) => {
    const held = known.get(slot);
    if (held) return held;
    const data = (tune ?? select ?? test)?.data;
    if (!data) {
      throw new Problem(
        "mismatch",
        `Cannot work on the task ${
          JSON.stringify(document.name)
        } as this service holds no rows of it`,
      );
    }
    const prefix = `${form(data)} `;
    const key = `${slot} ${prefix}`;
    const shared = graphs.get(key) ?? sharedGraphs();
    graphs.set(key, shared);
    const made = openLearner({
      workspace,
      model,
      data,
      loss: document.loss,
      trainable,
      prefix,
      graphs: shared,
    });
    known.set(slot, made);
    return made;
  };
}

function tuneWarnings(
  { name }: TaskDocument,
  { data }: OpenedRows,
  run: LabelRun | undefined,
): Warning[] {
  const warnings: Warning[] = [];
  if (data.rows < FEW_ROWS) {
    warnings.push({
      code: "few-rows",
      task: name,
      message:
        `A shard of fewer than ${FEW_ROWS} rows gives noisy steps: current value is ${data.rows}`,
    });
  }
  if (run?.sorted) {
    warnings.push({
      code: "sorted-by-class",
      task: name,
      message: `The shard is sorted by class (longest run ${run.longest}, ${
        run.expected.toFixed(1)
      } expected of a mixed one); its rows are shuffled unless local.shuffle is false`,
    });
  }
  return warnings;
}

function modelWarnings(document: AtmDocument, tasks: readonly RoundTask[]): Warning[] {
  const warnings: Warning[] = [];
  const { merge } = document;
  const method = merge.kind === "recipe" ? String(merge.recipe["merge_method"] ?? "") : "";
  if (/^(dare|della)/.test(method)) {
    warnings.push({
      code: "dare-in-loop",
      message:
        `Random drop and rescale inside the loop adds up over rounds; at density 0.1 published runs ` +
        `fell to chance by round 4: current value is ${method}`,
    });
  }
  const statistics = [...tasks[0]?.model.parameters.values() ?? []]
    .filter(({ frozen }) => frozen === "statistics").map(({ name }) => name);
  if (statistics.length > 0) {
    warnings.push({
      code: "batch-normalization",
      message:
        `The model has running statistics of batch normalization, which stay as they are at the start: ` +
        `current value is ${statistics.slice(0, 3).join(", ")}`,
    });
  }
  return warnings;
}
