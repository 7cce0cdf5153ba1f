/**
 * The table of merge methods. Adding one is writing its file and naming it here.
 *
 * @module
 */
import { ace } from "./ace.ts";
import { analysis } from "./analysis.ts";
import { arceeFusion } from "./arcee_fusion.ts";
import { breadcrumbs, breadcrumbsTies } from "./breadcrumbs.ts";
import { consensus } from "./consensus.ts";
import { dareLinear, dareTies } from "./dare.ts";
import { della, dellaLinear } from "./della.ts";
import { difference } from "./difference.ts";
import { emr } from "./emr.ts";
import { fisher } from "./fisher.ts";
import { isoC } from "./iso_c.ts";
import { isoCts } from "./iso_cts.ts";
import { karcher } from "./karcher.ts";
import { linear, passthrough } from "./linear.ts";
import { loraCat, loraSvd } from "./lora.ts";
import { magmax } from "./magmax.ts";
import type { MergeMethod } from "./method.ts";
import { modelStock } from "./model_stock.ts";
import { multislerp } from "./multislerp.ts";
import { nearswap } from "./nearswap.ts";
import { analogy, negation } from "./negation.ts";
import { nuslerp } from "./nuslerp.ts";
import { pcb } from "./pcb.ts";
import { ram, ramplusTl } from "./ram.ts";
import { regmean, regmeanPlusPlus } from "./regmean.ts";
import { sce } from "./sce.ts";
import { slerp } from "./slerp.ts";
import { taskArithmetic } from "./task_arithmetic.ts";
import { ties } from "./ties.ts";
import { tsvM } from "./tsv_m.ts";
import { wudi } from "./wudi.ts";

export type { MergeMethod } from "./method.ts";

const byName = (methods: readonly MergeMethod[]): ReadonlyMap<string, MergeMethod> =>
  new Map(methods.map((method) => [method.name, method]));

/** Every merge method by its name in recipes. */
export const METHODS: ReadonlyMap<string, MergeMethod> = byName([
  linear,
  taskArithmetic,
  negation,
  analogy,
  slerp,
  nuslerp,
  multislerp,
  karcher,
  ties,
  dareLinear,
  dareTies,
  breadcrumbs,
  breadcrumbsTies,
  dellaLinear,
  della,
  modelStock,
  sce,
  magmax,
  consensus,
  emr,
  pcb,
  tsvM,
  isoC,
  isoCts,
  wudi,
  ace,
  ram,
  ramplusTl,
  fisher,
  regmean,
  regmeanPlusPlus,
  nearswap,
  arceeFusion,
  passthrough,
  loraCat,
  loraSvd,
]);

/** Methods that the service uses itself; no recipe can name them. */
export const INTERNAL_METHODS: ReadonlyMap<string, MergeMethod> = byName([difference, analysis]);

/** A method of either table. */
export function methodNamed(name: string): MergeMethod | undefined {
  return METHODS.get(name) ?? INTERNAL_METHODS.get(name);
}
