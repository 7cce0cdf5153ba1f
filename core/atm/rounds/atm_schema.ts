/**
 * The schema of `POST /atm` (API.md, section 5; ATM.md, section 3).
 *
 * @module
 */
import * as v from "valibot";
import { SourceEntrySchema } from "../../merge/sources.ts";
import { LocalSchema } from "../local_options.ts";
import { TaskSchema } from "../task_document.ts";
import { TrainableSchema } from "../tune_document.ts";

/** A number between bounds; the message says which. */
export function bounded(
  expected: string,
  { least = -Infinity, above = -Infinity, most = Infinity, below = Infinity },
) {
  return v.pipe(
    v.number(expected),
    v.finite(expected),
    v.minValue(least, expected),
    v.gtValue(above, expected),
    v.maxValue(most, expected),
    v.ltValue(below, expected),
  );
}

/** An integer between bounds. */
export function whole(least: number, most: number) {
  const expected = `an integer from ${least} to ${most}`;
  return v.pipe(
    v.number(expected),
    v.safeInteger(expected),
    v.minValue(least, expected),
    v.maxValue(most, expected),
  );
}

const FLAG = "true or false";
const ON = true;
const OFF = false;
const NAME = "a source's name without control characters";
const Name = v.pipe(v.string(NAME), v.regex(/^[^\p{Cc}]{1,1000}$/u, NAME));
const Seed = whole(0, 2 ** 53 - 1);
const NOT_NEGATIVE = "a number of at least 0";
const POSITIVE = "a number above 0";

/** The reference rows, in the order of tables (ATM.md, section 8). */
export const REFERENCES = [
  "base",
  "experts",
  "mean",
  "task_arithmetic",
  "regmean",
  "joint",
] as const;

const Betas = v.strictTuple([
  bounded("a number in [0, 1)", { least: 0, below: 1 }),
  bounded("a number in [0, 1)", { least: 0, below: 1 }),
], "a list of two numbers in [0, 1)");
const Rate = bounded(POSITIVE, { above: 0 });

const Outer = v.variant("name", [
  v.strictObject({
    name: v.literal("sgd"),
    learning_rate: v.optional(Rate, 1),
    momentum: v.optional(bounded("a number in [0, 1)", { least: 0, below: 1 }), 0),
    nesterov: v.optional(v.boolean(FLAG), OFF),
  }),
  v.strictObject({
    name: v.literal("adagrad"),
    learning_rate: v.optional(Rate, 0.1),
    tau: v.optional(Rate, 1e-3),
  }),
  v.strictObject({
    name: v.literal("adam"),
    learning_rate: v.optional(Rate, 0.1),
    betas: v.optional(Betas, [0.9, 0.99]),
    tau: v.optional(Rate, 1e-3),
    bias_correction: v.optional(v.boolean(FLAG), ON),
  }),
  v.strictObject({
    name: v.literal("yogi"),
    learning_rate: v.optional(Rate, 0.01),
    betas: v.optional(Betas, [0.9, 0.99]),
    tau: v.optional(Rate, 1e-3),
  }),
  v.strictObject({
    name: v.literal("qfedavg"),
    q: v.optional(bounded(NOT_NEGATIVE, { least: 0 }), 0.1),
  }),
], 'a map whose name is "sgd", "adagrad", "adam", "yogi" or "qfedavg"');

const CLIP = "one of { norm: a number above 0 }, { mad: a number above 0 }, { average: true }";
const Clip = v.union([
  v.strictObject({ norm: Rate }),
  v.strictObject({ mad: Rate }),
  v.strictObject({ average: v.literal(ON) }),
], CLIP);

const Start = v.union(
  [Name, v.strictObject({ recipe: v.record(v.string(), v.unknown()) })],
  "a source's name or { recipe }",
);

const Merge = v.looseObject({
  merge_method: v.optional(v.string("the name of a method"), "linear"),
}, "a map { merge_method, parameters }");

const Stop = v.strictObject({
  metric: v.optional(v.picklist(["loss", "accuracy"], '"loss" or "accuracy"'), "loss"),
  patience: v.optional(whole(1, 1000), 3),
  min_delta: v.optional(bounded(NOT_NEGATIVE, { least: 0 }), 0),
  backtrack: v.optional(v.boolean(FLAG), ON),
  max_backtracks: v.optional(whole(0, 20), 4),
}, "a map { metric, patience, min_delta, backtrack, max_backtracks }");

const Privacy = v.strictObject({
  clip_norm: Rate,
  noise_multiplier: bounded(NOT_NEGATIVE, { least: 0 }),
  delta: v.optional(bounded("a number in (0, 1)", { above: 0, below: 1 }), 1e-5),
}, "a map { clip_norm, noise_multiplier, delta }");

const AVERAGE = '"swa" or { ema: a number in [0.5, 1) }';
const Average = v.union([
  v.literal("swa"),
  v.strictObject({ ema: bounded(AVERAGE, { least: 0.5, below: 1 }) }),
], AVERAGE);

const Globs = v.array(v.pipe(v.string("a glob"), v.nonEmpty("a glob")), "a list of globs");

/** The document of `POST /atm`. */
export const AtmSchema = v.strictObject({
  model: Name,
  start: v.optional(Start),
  exported_with: v.optional(Name),
  tasks: v.pipe(
    v.array(TaskSchema, "a list of tasks"),
    v.nonEmpty("a list of at least one task"),
    v.maxLength(64, "a list of at most 64 tasks"),
  ),
  rounds: v.optional(whole(1, 1000), 10),
  local: LocalSchema,
  merge: v.optional(Merge, {}),
  alpha: v.optional(bounded(POSITIVE, { above: 0 }), 1),
  outer: v.optional(Outer, { name: "sgd" }),
  normalize_steps: v.optional(v.boolean(FLAG), OFF),
  weights: v.optional(
    v.picklist(["uniform", "examples", "tasks"], '"uniform", "examples" or "tasks"'),
    "uniform",
  ),
  trainable: TrainableSchema,
  private: v.optional(Globs, []),
  stop: v.optional(Stop, {}),
  references: v.optional(
    v.array(
      v.picklist(REFERENCES, REFERENCES.map((name) => `"${name}"`).join(", ")),
      "a list of reference rows",
    ),
    [...REFERENCES],
  ),
  clip: v.nullish(Clip),
  privacy: v.nullish(Privacy),
  average_rounds: v.nullish(Average),
  keep_rounds: v.optional(v.boolean(FLAG), OFF),
  mode: v.optional(v.picklist(["guarded", "published"], '"guarded" or "published"'), "guarded"),
  overlap: v.optional(v.picklist(["refuse", "allow"], '"refuse" or "allow"'), "refuse"),
  seed: v.optional(Seed, 0),
  resume: v.optional(v.string("the id of a run")),
  sources: v.optional(v.record(v.string(), SourceEntrySchema, "a map of sources"), {}),
}, "a map { model, tasks, local, ... }");

/** The document as callers write it. */
export type AtmInput = v.InferInput<typeof AtmSchema>;

/** The document as its schema gives it. */
export type AtmOutput = v.InferOutput<typeof AtmSchema>;
