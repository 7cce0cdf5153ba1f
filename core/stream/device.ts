/**
 * Which passes of a tensor run on a GPU.
 *
 * What is decided here hangs on the tensor alone, never on how it is cut into chunks: processor and GPU may round
 * differently.
 *
 * @module
 */
import type { EngineChoice } from "../engine/engine_name.ts";
import type { Measure, SumMeasure } from "../methods/measure.ts";
import type { MergeTensor } from "./chunks.ts";

/** Sums that are taken on a GPU at most: it holds a row of terms for each. */
const MOST_SUMS = 64;

/** What runs on a GPU. */
export interface OnDevice {
  readonly map: boolean;
  /** Sums that only coefficients hang on. */
  readonly sums: boolean;
}

/** All on the processor. */
export const NOTHING: OnDevice = { map: false, sums: false };

/** Decides for a tensor. */
export function onDevice(
  engine: EngineChoice | undefined,
  { elements, work }: MergeTensor,
): OnDevice {
  const { decision, statistics, base, inputs } = work;
  if (engine?.name !== "webgpu" || decision.double) return NOTHING;
  const { from = { map: 1, sums: 1, selected: 1 } } = engine;
  const reaches = (job: keyof typeof from) => elements >= (from[job] ?? Infinity);
  const { measures = [], selections, vectors } = decision;
  const isPlain = !vectors && !statistics && !selections?.some(Boolean) &&
    measures.every(({ kind }) => kind !== "keep");
  if (!isPlain) return { map: reaches("selected"), sums: false };
  const types = new Set([...inputs, ...base ? [base] : []].map(({ tensor }) => tensor.dtype));
  const sums = types.size === 1 && measures.some(isTolerant) && reaches("sums");
  return { map: sums || reaches("map"), sums };
}

/** Whether a measure's sums may be taken in float32. */
export function isTolerant(
  measure: Measure,
): measure is SumMeasure & Required<Pick<SumMeasure, "settled">> {
  return measure.kind === "sums" && measure.settled !== undefined &&
    measure.scope === undefined && measure.sums <= MOST_SUMS;
}
