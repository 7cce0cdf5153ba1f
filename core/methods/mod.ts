/**
 * The table of merge methods. Adding one is writing its file and naming it here.
 *
 * @module
 */
import { linear, passthrough } from "./linear.ts";
import type { MergeMethod } from "./method.ts";
import { modelStock } from "./model_stock.ts";
import { slerp } from "./slerp.ts";
import { dareLinear, dareTies, taskArithmetic, ties } from "./task_arithmetic.ts";

export type { MergeMethod } from "./method.ts";

/** Every merge method by its name in recipes. */
export const METHODS: ReadonlyMap<string, MergeMethod> = new Map(
  [linear, taskArithmetic, slerp, ties, dareLinear, dareTies, modelStock, passthrough]
    .map((method) => [method.name, method]),
);
