/**
 * The documents of `POST /tune`, `/training-graph` and `/evaluate` (API.md, section 4).
 *
 * @module
 */
import * as v from "valibot";
import { checkDocument } from "../merge/document_form.ts";
import { invalidRecipe, joinPath, mustBe } from "../merge/faults.ts";
import { checkSources, SourceEntrySchema, type Sources, type UsedNames } from "../merge/sources.ts";
import type { Fault } from "../problem.ts";
import { LocalSchema, parseLocal } from "./local_options.ts";
import { parseTask, type TaskDocument, type TaskForm, TaskSchema } from "./task_document.ts";
import type { LocalSettings } from "./tune.ts";

/** A checked document of `POST /tune`. */
export interface TuneDocument {
  readonly model: string;
  readonly start?: string;
  readonly exportedWith?: string;
  readonly task: TaskDocument;
  readonly local: LocalSettings;
  readonly trainable: { readonly include: readonly string[]; readonly exclude: readonly string[] };
  readonly seed: number;
  readonly sources: Sources;
}

/** A checked document of `POST /evaluate`. */
export interface EvaluateDocument {
  readonly model: string;
  readonly exportedWith?: string;
  /** Names of checkpoints; empty: the graph's own weights, under the model's name. */
  readonly checkpoints: readonly string[];
  readonly tasks: readonly TaskDocument[];
  readonly batchSize: number;
  readonly sources: Sources;
}

const NAME = "a source's name without control characters";
const Name = v.pipe(v.string(NAME), v.regex(/^[^\p{Cc}]{1,1000}$/u, NAME));
const Globs = v.array(
  v.pipe(v.string("a glob"), v.nonEmpty("a glob")),
  "a list of globs",
);
const SEED = "an integer in [0, 2^53)";
const Seed = v.pipe(v.number(SEED), v.safeInteger(SEED), v.minValue(0, SEED));
const Sources = v.optional(v.record(v.string(), SourceEntrySchema, "a map of sources"), {});
const ROWS = "an integer from 1 to 65536";
const Rows = v.pipe(
  v.number(ROWS),
  v.safeInteger(ROWS),
  v.minValue(1, ROWS),
  v.maxValue(65536, ROWS),
);

/** `trainable`: which tensors are trained. */
export const TrainableSchema = v.optional(
  v.strictObject({
    include: v.optional(Globs, ["*"]),
    exclude: v.optional(Globs, []),
  }, "a map { include, exclude }"),
  {},
);

/** The document of `POST /tune`. */
export const TuneSchema = v.strictObject({
  model: Name,
  start: v.optional(Name),
  exported_with: v.optional(Name),
  task: TaskSchema,
  local: LocalSchema,
  trainable: TrainableSchema,
  seed: v.optional(Seed, 0),
  sources: Sources,
}, "a map { model, start, task, local, ... }");

/** The document of `POST /training-graph`: that of `/tune`, whose task needs no name, shard and target. */
export const TrainingGraphSchema = v.strictObject({
  ...TuneSchema.entries,
  task: v.strictObject({
    ...TaskSchema.entries,
    name: v.optional(TaskSchema.entries.name, "task"),
    shard: v.optional(TaskSchema.entries.shard, "none"),
    target: v.optional(TaskSchema.entries.target, "target"),
  }, "a map"),
}, "a map { model, start, task, local, ... }");

/** The document of `POST /evaluate`. */
export const EvaluateSchema = v.strictObject({
  model: Name,
  exported_with: v.optional(Name),
  checkpoints: v.optional(v.array(Name, "a list of source names"), []),
  tasks: v.pipe(
    v.array(TaskSchema, "a list of tasks"),
    v.nonEmpty("a list of at least one task"),
  ),
  batch_size: v.optional(Rows, 64),
  sources: Sources,
}, "a map { model, checkpoints, tasks }");

/** The document of `POST /tune` as callers write it. */
export type TuneInput = v.InferInput<typeof TuneSchema>;
/** The document of `POST /training-graph` as callers write it. */
export type TrainingGraphInput = v.InferInput<typeof TrainingGraphSchema>;
/** The document of `POST /evaluate` as callers write it. */
export type EvaluateInput = v.InferInput<typeof EvaluateSchema>;

/** @throws {Problem} `invalid-recipe` with every fault. */
export function parseTuneDocument(document: unknown): TuneDocument {
  return parseTuning(TuneSchema, document);
}

/** @throws {Problem} `invalid-recipe` with every fault. */
export function parseTrainingGraphDocument(document: unknown): TuneDocument {
  return parseTuning(TrainingGraphSchema, document);
}

function parseTuning(
  schema: typeof TuneSchema | typeof TrainingGraphSchema,
  document: unknown,
): TuneDocument {
  const { output, faults } = checkDocument({ schema, noun: "the request" }, document);
  const all = [...faults];
  if (output) {
    all.push(...checkSources(output.sources));
    const task = parseTask(output.task, "task", all);
    const local = parseLocal(output.local, "local", all);
    if (all.length === 0) {
      const { model, start, exported_with, trainable, seed, sources } = output;
      return {
        model,
        ...(start === undefined ? {} : { start }),
        ...(exported_with === undefined ? {} : { exportedWith: exported_with }),
        task,
        local,
        trainable,
        seed,
        sources,
      };
    }
  }
  throw invalidRecipe(all);
}

/** @throws {Problem} `invalid-recipe` with every fault. */
export function parseEvaluateDocument(document: unknown): EvaluateDocument {
  const { output, faults } = checkDocument(
    { schema: EvaluateSchema, noun: "the request" },
    document,
  );
  const all = [...faults];
  if (output) {
    all.push(...checkSources(output.sources));
    const tasks = parseTasks(output.tasks, all);
    if (all.length === 0) {
      const { model, exported_with, checkpoints, batch_size, sources } = output;
      return {
        model,
        ...(exported_with === undefined ? {} : { exportedWith: exported_with }),
        checkpoints,
        tasks,
        batchSize: batch_size,
        sources,
      };
    }
  }
  throw invalidRecipe(all);
}

/**
 * The tasks of a document.
 *
 * @param faults Receives what is wrong with them.
 */
export function parseTasks(tasks: readonly TaskForm[], faults: Fault[]): TaskDocument[] {
  const parsed = tasks.map((task, i) => parseTask(task, joinPath("tasks", i), faults));
  faults.push(...repeatedNames(parsed));
  return parsed;
}

/** Faults of tasks that share a name, under which their results would stand. */
function repeatedNames(tasks: readonly TaskDocument[]): Fault[] {
  const seen = new Set<string>();
  return tasks.flatMap(({ name }, i) => {
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    const path = joinPath(joinPath("tasks", i), "name");
    return [{ path, message: mustBe("name", "different from those of the other tasks", name) }];
  });
}

/** The names of the sources that the document uses. */
export function tuneNames(document: TuneDocument): UsedNames {
  return new Map([...graphNames(document), [document.task.shard, "task.shard"]]);
}

/** The names of the sources that make the training graph. */
export function graphNames({ model, start, exportedWith, task }: TuneDocument): UsedNames {
  const names = new Map<string, string>([[model, "model"]]);
  if (start !== undefined) names.set(start, "start");
  if (exportedWith !== undefined) names.set(exportedWith, "exported_with");
  if (task.parameters !== undefined) names.set(task.parameters, "task.parameters");
  return names;
}

/** The names of the sources that the document uses. */
export function evaluateNames(document: EvaluateDocument): UsedNames {
  const names = new Map<string, string>([[document.model, "model"]]);
  if (document.exportedWith !== undefined) names.set(document.exportedWith, "exported_with");
  document.checkpoints.forEach((name, i) => names.set(name, joinPath("checkpoints", i)));
  document.tasks.forEach((task, i) => taskNames(task, joinPath("tasks", i), names));
  return names;
}

function taskNames(task: TaskDocument, path: string, names: Map<string, string>): void {
  names.set(task.shard, joinPath(path, "shard"));
  if (task.parameters !== undefined) names.set(task.parameters, joinPath(path, "parameters"));
}
