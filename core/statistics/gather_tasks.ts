/**
 * Gathers the statistics that a document asks for: of one model over all tasks, or of several along their merge.
 *
 * @module
 */
import { openTaskModel, openWeights, type TaskSources } from "../atm/open_task.ts";
import type { LedgerEntry } from "../atm/rounds/ledger.ts";
import type { TuningPorts } from "../atm/tuning_ports.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { Workspace } from "../engine/workspace.ts";
import type { ParametricModel } from "../gradient/parameters.ts";
import { invalidRecipe, show } from "../merge/faults.ts";
import { didYouMean } from "../merge/nearest.ts";
import { modelNames, type Recipe } from "../merge/recipe.ts";
import { selectTensors } from "../merge/select_tensors.ts";
import type { OnnxModel } from "../onnx/model.ts";
import { type AlongModel, gatherAlong } from "./along.ts";
import { gatherFisher } from "./gather_fisher.ts";
import { gatherGrams } from "./gather_gram.ts";
import { type Gathering, placeParameters } from "./gathering.ts";
import type { StatisticsDocument, StatisticsTask } from "./statistics_document.ts";
import { type Added, sumUp } from "./sum_up.ts";
import { openTaskRows } from "./task_rows.ts";

/** What the statistics are gathered with. */
export interface GatherContext {
  readonly document: StatisticsDocument;
  readonly sources: TaskSources;
  readonly ports: TuningPorts;
  readonly workspace: Workspace;
  readonly graph: OnnxModel;
  /** What the graph was exported with, if not with the start. */
  readonly exported: Checkpoint | undefined;
  readonly onRows: (task: string, done: number, rows: number) => void;
}

/** What was gathered. */
export interface Gathered {
  /** Sums by tensor; under the tasks' names along a merge, else under the empty name. */
  readonly sums: ReadonlyMap<string, ReadonlyMap<string, Added>>;
  readonly ledger: readonly LedgerEntry[];
  /** Selected tensors. */
  readonly wanted: ReadonlySet<string>;
}

/** One model over the rows of all tasks. */
export async function gatherTasks(
  context: GatherContext,
  start: Checkpoint | undefined,
): Promise<Gathered> {
  const { document, workspace, sources: { signal } } = context;
  const ledger: LedgerEntry[] = [];
  const sums = new Map<string, Added>();
  const wanted = new Set<string>();
  for (const task of document.tasks) {
    const { gathering, entry } = await openGathering(context, task, start);
    const { model, rows } = gathering;
    await placeParameters(workspace, model, signal);
    const taken = document.kind === "gram"
      ? await gatherGrams(gathering, document)
      : fisherSums(model, await gatherFisher(gathering, { ...document, task: task.name }));
    sumUp(sums, taken, model, rows.length);
    for (const name of gathering.wanted) wanted.add(name);
    ledger.push(entry);
  }
  return { sums: new Map([["", sums]]), ledger, wanted };
}

/** Several models, each over the rows of its task, along their merge. */
export async function gatherMerging(context: GatherContext, recipe: Recipe): Promise<Gathered> {
  const { document, ports, sources } = context;
  const checkpoints = new Map<string, Checkpoint>();
  for (const name of modelNames(recipe).keys()) {
    checkpoints.set(name, await openWeights(sources, name));
  }
  const models: AlongModel[] = [];
  const ledger: LedgerEntry[] = [];
  for (const { model, statistics } of recipe.models!) {
    const task = document.tasks.find(({ name }) => name === statistics)!;
    const { gathering, entry } = await openGathering(context, task, checkpoints.get(model));
    models.push({ statistics: task.name, gathering });
    ledger.push(entry);
  }
  const { executor, chunkElements } = ports;
  const sums = await gatherAlong({
    recipe,
    checkpoints,
    models,
    augment: document.augment,
    options: { executor, chunkElements, signal: sources.signal },
  });
  const [taken] = sums.values();
  const passes = taken?.size ?? 0;
  return {
    sums,
    ledger: ledger.map((entry) => ({ ...entry, passes })),
    wanted: models[0]!.gathering.wanted,
  };
}

async function openGathering(
  { document, sources, workspace, graph, exported, onRows }: GatherContext,
  task: StatisticsTask,
  start: Checkpoint | undefined,
): Promise<{ readonly gathering: Gathering; readonly entry: LedgerEntry }> {
  const model = await openTaskModel(sources, graph, task, start, exported);
  const wanted = selected(model, document);
  const { data, rows, entry } = await openTaskRows(sources, model, task, {
    wanted: document.rows,
    seed: document.seed,
  });
  const told = (done: number) => onRows(task.name, done, rows.length);
  const { signal } = sources;
  return { gathering: { workspace, model, data, rows, wanted, signal, onRows: told }, entry };
}

/** The parameters that statistics are wanted for; never running statistics and tensors private to a task. */
function selected(model: ParametricModel, { tensors }: StatisticsDocument): ReadonlySet<string> {
  const selection = selectTensors(tensors);
  const names = [...model.parameters.values()].filter(({ name, frozen }) =>
    selection.selects(name) && frozen === undefined
  );
  const idle = new Set(selection.idle());
  const faults = tensors.include.flatMap((glob, i) =>
    idle.has(glob)
      ? [{
        path: `tensors.include[${i}]`,
        message: `Cannot take statistics as the glob must match a tensor of the model${
          didYouMean(glob, model.parameters.keys())
        }: current value is ${show(glob)}`,
      }]
      : []
  );
  if (faults.length > 0) throw invalidRecipe(faults);
  return new Set(names.map(({ name }) => name));
}

function fisherSums(
  { parameters }: ParametricModel,
  { sums }: Awaited<ReturnType<typeof gatherFisher>>,
): ReadonlyMap<string, { shape: readonly number[]; sum: Float64Array }> {
  return new Map(
    [...sums].map(([name, sum]) => [name, { shape: parameters.get(name)!.shape, sum }]),
  );
}
