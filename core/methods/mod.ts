/**
 * The table of merge methods. Adding one is writing its file and naming it here.
 *
 * @module
 */
import { difference } from "./difference.ts";
import { linear, passthrough } from "./linear.ts";
import type { MergeMethod } from "./method.ts";
import { modelStock } from "./model_stock.ts";
import { slerp } from "./slerp.ts";
import { dareLinear, dareTies, taskArithmetic, ties } from "./task_arithmetic.ts";

export type { MergeMethod } from "./method.ts";

const byName = (methods: readonly MergeMethod[]): ReadonlyMap<string, MergeMethod> =>
  new Map(methods.map((method) => [method.name, method]));

/** Every merge method by its name in recipes. */
export const METHODS: ReadonlyMap<string, MergeMethod> = byName([
  linear,
  taskArithmetic,
  slerp,
  ties,
  dareLinear,
  dareTies,
  modelStock,
  passthrough,
]);

/** Methods that the service uses itself; no recipe can name them. */
export const INTERNAL_METHODS: ReadonlyMap<string, MergeMethod> = byName([difference]);

/** A method of either table. */
export function methodNamed(name: string): MergeMethod | undefined {
  return METHODS.get(name) ?? INTERNAL_METHODS.get(name);
}
