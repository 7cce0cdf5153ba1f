/**
 * How often the bytes of a tensor are read.
 *
 * @module
 */
import type { CopyWork, MergeWork, PlannedInput } from "./plan_types.ts";

/**
 * Passes over a tensor's inputs: one to map or copy; one more for sums; one more to rank magnitudes.
 */
export function passesOf(work: CopyWork | MergeWork): number {
  if (work.kind === "copy") return 1;
  const { reduction, selections } = work.decision;
  const ranked = selections?.some((selection) => selection?.kind === "magnitude") ?? false;
  return 1 + (reduction ? 1 : 0) + (ranked ? 1 : 0);
}

/** Every input that is read, the base first. */
export function inputsOf(work: CopyWork | MergeWork): PlannedInput[] {
  if (work.kind === "copy") return [work.input, ...work.compare];
  return [...(work.base ? [work.base] : []), ...work.inputs];
}

/** Bytes read over all passes. */
export function bytesRead(work: CopyWork | MergeWork): number {
  const bytes = inputsOf(work).reduce((sum, { tensor }) => sum + tensor.end - tensor.start, 0);
  return bytes * passesOf(work);
}
