/**
 * How a task is tuned: the `local` object of a document (API.md, section 4; ATM.md, section 3).
 *
 * @module
 */
import * as v from "valibot";
import { OptimizerSchema, parseOptimizer } from "../gradient/optimizer_options.ts";
import { joinPath, mustBe } from "../merge/faults.ts";
import type { Fault } from "../problem.ts";
import type { LocalSettings } from "./tune.ts";

const POSITIVE = "an integer from 1 to 2^31";
const Count = v.pipe(
  v.number(POSITIVE),
  v.safeInteger(POSITIVE),
  v.minValue(1, POSITIVE),
  v.maxValue(2 ** 31, POSITIVE),
);
const NOT_NEGATIVE = "a finite number of at least 0";
const Weight = v.pipe(
  v.number(NOT_NEGATIVE),
  v.finite(NOT_NEGATIVE),
  v.minValue(0, NOT_NEGATIVE),
);
const FLAG = "true or false";
const SHUFFLED = true;
const SCHEDULES = ["constant", "cosine"] as const;

/** The object as documents have it. */
export const LocalSchema = v.strictObject({
  epochs: v.optional(Count),
  steps: v.optional(Count),
  batch_size: v.optional(Count, 32),
  shuffle: v.optional(v.boolean(FLAG), SHUFFLED),
  optimizer: OptimizerSchema,
  schedule: v.optional(v.picklist(SCHEDULES, '"constant" or "cosine"'), "constant"),
  clip_norm: v.optional(Weight, 0),
  proximal: v.optional(Weight, 0),
  first_epoch: v.optional(Count, 1),
}, "a map { epochs or steps, batch_size, optimizer, ... }");

/**
 * The settings of a document.
 *
 * @param path Where the object stands, for faults.
 * @param faults Receives what does not go together.
 */
export function parseLocal(
  local: v.InferOutput<typeof LocalSchema>,
  path: string,
  faults: Fault[],
): LocalSettings {
  if (local.epochs !== undefined && local.steps !== undefined) {
    faults.push({
      path: joinPath(path, "steps"),
      message: mustBe("steps", "left out where epochs stands", local.steps),
    });
  }
  const optimizer = parseOptimizer(local.optimizer, joinPath(path, "optimizer"), faults);
  return {
    ...(local.steps === undefined ? { epochs: local.epochs ?? 1 } : { steps: local.steps }),
    batchSize: local.batch_size,
    shuffle: local.shuffle,
    optimizer,
    learningRate: local.optimizer.learning_rate,
    schedule: local.schedule,
    clipNorm: local.clip_norm,
    proximal: local.proximal,
    firstEpoch: local.first_epoch,
  };
}
