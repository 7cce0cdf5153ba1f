/**
 * The document of `POST /statistics` (API.md, section 4).
 *
 * @module
 */
import * as v from "valibot";
import { TrainableSchema } from "../atm/tune_document.ts";
import { parseTask, type TaskDocument, TaskSchema } from "../atm/task_document.ts";
import { checkDocument } from "../merge/document_form.ts";
import { invalidRecipe, joinPath, mustBe, show } from "../merge/faults.ts";
import { didYouMean } from "../merge/nearest.ts";
import { modelNames, parseRecipe, type Recipe, statisticsNames } from "../merge/recipe.ts";
import { checkSources, SourceEntrySchema, type Sources, type UsedNames } from "../merge/sources.ts";
import { METHODS } from "../methods/mod.ts";
import { type Fault, Problem } from "../problem.ts";

/** A task whose rows statistics are taken of; labels are never read. */
export interface StatisticsTask extends TaskDocument {
  /** Where it stands in the document. */
  readonly path: string;
}

/** A checked document. */
export interface StatisticsDocument {
  readonly model: string;
  readonly start?: string;
  readonly exportedWith?: string;
  readonly tasks: readonly StatisticsTask[];
  readonly kind: "gram" | "fisher";
  /** Rows of each task, at most. */
  readonly rows: number;
  /** Which tensors statistics are taken for. */
  readonly tensors: { readonly include: readonly string[]; readonly exclude: readonly string[] };
  /** Whether biases get a column of ones (`gram`). */
  readonly augment: boolean;
  /** All classes, or one drawn for each output (`fisher`). */
  readonly outcomes: "all" | "sample";
  readonly seed: number;
  /** The merge along which layer inputs are taken; its models' statistics name tasks. */
  readonly merge?: Recipe;
  readonly sources: Sources;
}

const NAME = "a source's name without control characters";
const Name = v.pipe(v.string(NAME), v.regex(/^[^\p{Cc}]{1,1000}$/u, NAME));
const SEED = "an integer in [0, 2^53)";
const ROWS = "an integer from 1 to 2^31";

/** The schema of the document. */
export const StatisticsSchema = v.strictObject({
  model: Name,
  start: v.optional(Name),
  exported_with: v.optional(Name),
  tasks: v.pipe(
    v.array(
      v.strictObject({
        ...TaskSchema.entries,
        target: v.optional(TaskSchema.entries.target, "target"),
        loss: v.optional(TaskSchema.entries.loss),
      }, "a map"),
      "a list of tasks",
    ),
    v.nonEmpty("a list of at least one task"),
  ),
  kind: v.picklist(["gram", "fisher"], '"gram" or "fisher"'),
  rows: v.optional(
    v.pipe(v.number(ROWS), v.safeInteger(ROWS), v.minValue(1, ROWS), v.maxValue(2 ** 31, ROWS)),
    256,
  ),
  tensors: TrainableSchema,
  augment: v.optional(v.boolean("true or false")),
  outcomes: v.optional(v.picklist(["all", "sample"], '"all" or "sample"')),
  seed: v.optional(v.pipe(v.number(SEED), v.safeInteger(SEED), v.minValue(0, SEED)), 0),
  merge: v.optional(v.record(v.string(), v.unknown(), "a recipe")),
  sources: v.optional(v.record(v.string(), SourceEntrySchema, "a map of sources"), {}),
}, "a map { model, tasks, kind, rows, ... }");

/** The document as callers write it. */
export type StatisticsInput = v.InferInput<typeof StatisticsSchema>;

/** @throws {Problem} `invalid-recipe` with every fault. */
export function parseStatisticsDocument(document: unknown): StatisticsDocument {
  const { output, faults } = checkDocument(
    { schema: StatisticsSchema, noun: "the request" },
    document,
  );
  const all = [...faults];
  if (output) {
    const { model, start, exported_with, kind, rows, augment, outcomes, seed, sources } = output;
    all.push(...checkSources(sources), ...strangeOptions(kind, { augment, outcomes }));
    const tasks = output.tasks.map((task, i): StatisticsTask => {
      const path = joinPath("tasks", i);
      all.push(...taskFaults(kind, task.loss, path));
      const { loss = "mse" } = task;
      return { ...parseTask({ ...task, loss }, path, all), path };
    });
    all.push(...repeated(tasks));
    const merge = output.merge && parseMerge(output.merge, output, all);
    if (all.length === 0) {
      return {
        model,
        ...(start === undefined ? {} : { start }),
        ...(exported_with === undefined ? {} : { exportedWith: exported_with }),
        tasks,
        kind,
        rows,
        tensors: output.tensors,
        augment: augment ?? true,
        outcomes: outcomes ?? "all",
        seed,
        ...(merge ? { merge } : {}),
        sources,
      };
    }
  }
  throw invalidRecipe(all);
}

/** The names of the sources that the document uses. */
export function statisticsSources(
  { model, start, exportedWith, tasks, merge }: StatisticsDocument,
): UsedNames {
  const names = new Map<string, string>([[model, "model"]]);
  if (start !== undefined) names.set(start, "start");
  if (exportedWith !== undefined) names.set(exportedWith, "exported_with");
  for (const [name, path] of merge ? modelNames(merge) : []) names.set(name, `merge.${path}`);
  for (const { shard, parameters, path } of tasks) {
    names.set(shard, joinPath(path, "shard"));
    if (parameters !== undefined) names.set(parameters, joinPath(path, "parameters"));
  }
  return names;
}

/** The recipe of a merge that layer inputs are taken along. */
function parseMerge(
  merge: Readonly<Record<string, unknown>>,
  { kind, start, tasks, sources }: {
    kind: string;
    start?: string | undefined;
    tasks: readonly { name: string }[];
    sources: Sources;
  },
  faults: Fault[],
): Recipe | undefined {
  if (kind !== "gram") {
    faults.push({ path: "merge", message: `${optionOf("merge", "gram")}a recipe` });
  }
  if (start !== undefined) {
    faults.push({
      path: "start",
      message: `Cannot use start as the models of merge say where to start: current value is ${
        show(start)
      }`,
    });
  }
  let recipe: Recipe;
  try {
    recipe = parseRecipe({ ...merge, sources }, METHODS);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const inner = (error.members.errors ?? []) as readonly Fault[];
    faults.push(...inner.map(({ path, message }) => ({ path: `merge.${path}`, message })));
    return undefined;
  }
  if (METHODS.get(recipe.merge_method)?.statistics !== "gram_along") {
    faults.push({
      path: "merge.merge_method",
      message: mustBe(
        "merge_method",
        `"regmean_plus_plus", which takes layer inputs along the merge`,
        recipe.merge_method,
      ),
    });
    return undefined;
  }
  const names = tasks.map(({ name }) => name);
  for (const [name, path] of statisticsNames(recipe)) {
    if (names.includes(name)) continue;
    faults.push({
      path: `merge.${path}`,
      message: `Cannot take statistics as there is no task of this name${
        didYouMean(name, names)
      }: current value is ${show(name)}`,
    });
  }
  return recipe;
}

function strangeOptions(
  kind: "gram" | "fisher",
  { augment, outcomes }: { augment: boolean | undefined; outcomes: string | undefined },
): Fault[] {
  const faults: Fault[] = [];
  if (kind === "fisher" && augment !== undefined) {
    faults.push({ path: "augment", message: `${optionOf("augment", "gram")}${augment}` });
  }
  if (kind === "gram" && outcomes !== undefined) {
    faults.push({ path: "outcomes", message: `${optionOf("outcomes", "fisher")}"${outcomes}"` });
  }
  return faults;
}

const optionOf = (option: string, kind: string) =>
  `Cannot use ${option} as only the kind "${kind}" takes it: current value is `;

/** The Fisher information is that of a distribution over classes. */
function taskFaults(kind: "gram" | "fisher", loss: unknown, path: string): Fault[] {
  const name = typeof loss === "object" && loss !== null && "name" in loss ? loss.name : loss;
  if (kind === "gram" || name === "cross_entropy") return [];
  return [{
    path: joinPath(path, "loss"),
    message: mustBe(
      "loss",
      `"cross_entropy", as the Fisher information is taken of class probabilities`,
      name,
    ),
  }];
}

function repeated(tasks: readonly StatisticsTask[]): Fault[] {
  const seen = new Set<string>();
  return tasks.flatMap(({ name, path, participant }) => {
    const faults: Fault[] = [];
    if (participant) {
      faults.push({
        path: joinPath(path, "participant"),
        message: mustBe("participant", "left out, ask that service for its statistics", name),
      });
    }
    if (seen.has(name)) {
      faults.push({
        path: joinPath(path, "name"),
        message: mustBe("name", "different from those of the other tasks", name),
      });
    }
    seen.add(name);
    return faults;
  });
}
