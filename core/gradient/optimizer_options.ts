/**
 * Which optimizer takes the steps (API.md, section 4), with PyTorch's defaults.
 *
 * @module
 */
import * as v from "valibot";
import { joinPath, mustBe } from "../merge/faults.ts";
import type { Fault } from "../problem.ts";

/** A checked optimizer; its learning rate follows the schedule. */
export type OptimizerSpec =
  | {
    readonly name: "sgd";
    readonly momentum: number;
    readonly nesterov: boolean;
    readonly weightDecay: number;
  }
  | {
    /** `adam` adds weight decay to the gradient, `adamw` takes it off the weights. */
    readonly name: "adam" | "adamw";
    readonly betas: readonly [number, number];
    readonly epsilon: number;
    readonly weightDecay: number;
  };

const RATE = "a finite number above 0";
const Rate = v.pipe(v.number(RATE), v.finite(RATE), v.gtValue(0, RATE));
const DECAY = "a finite number of at least 0";
const Decay = v.pipe(v.number(DECAY), v.finite(DECAY), v.minValue(0, DECAY));
// Float32 would round a smaller one to 0, and 0 / 0 is what a gradient of 0 divides.
const EPSILON = "a finite number of at least 1e-37";
const Epsilon = v.pipe(v.number(EPSILON), v.finite(EPSILON), v.minValue(1e-37, EPSILON));
const SHARE = "a number in [0, 1)";
const Share = v.pipe(v.number(SHARE), v.minValue(0, SHARE), v.ltValue(1, SHARE));
const PLAIN = false;
const adaptive = {
  learning_rate: Rate,
  betas: v.optional(v.strictTuple([Share, Share], "a list of two numbers in [0, 1)"), [0.9, 0.999]),
  epsilon: v.optional(Epsilon, 1e-8),
};

/** An optimizer as documents have it. */
export const OptimizerSchema = v.variant("name", [
  v.strictObject({
    name: v.literal("sgd"),
    learning_rate: Rate,
    momentum: v.optional(Share, 0),
    nesterov: v.optional(v.boolean("true or false"), PLAIN),
    weight_decay: v.optional(Decay, 0),
  }),
  v.strictObject({ name: v.literal("adam"), ...adaptive, weight_decay: v.optional(Decay, 0) }),
  v.strictObject({ name: v.literal("adamw"), ...adaptive, weight_decay: v.optional(Decay, 0.01) }),
], 'a map whose name is "sgd", "adam" or "adamw"');

/**
 * The optimizer of a document.
 *
 * @param path Where it stands, for faults.
 * @param faults Receives what does not go together.
 */
export function parseOptimizer(
  given: v.InferOutput<typeof OptimizerSchema>,
  path: string,
  faults: Fault[],
): OptimizerSpec {
  if (given.name !== "sgd") {
    const { name, betas, epsilon, weight_decay } = given;
    return { name, betas, epsilon, weightDecay: weight_decay };
  }
  const { name, momentum, nesterov, weight_decay } = given;
  if (nesterov && momentum === 0) {
    faults.push({
      path: joinPath(path, "nesterov"),
      message: mustBe("nesterov", "false where momentum is 0", nesterov),
    });
  }
  return { name, momentum, nesterov, weightDecay: weight_decay };
}
