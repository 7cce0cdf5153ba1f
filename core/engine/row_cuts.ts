/**
 * Selections that programs make as they read a row, element by element.
 *
 * @module
 */
import type { ChunkSelections, KeyCut, MapJob, ReduceJob } from "./chunk_job.ts";
import type { RowCut } from "./fused/formats.ts";

/** A key above all others: nothing lies above the cut. */
export const TOP_KEY = 0x7fffffff;

/** How the rows of a job are cut. */
export interface RowCuts {
  readonly rows: readonly (RowCut | undefined)[];
  /** Two a row: the cut inside of which elements are kept, and the one inside of which they are not. */
  readonly bounds: readonly (KeyCut | undefined)[];
}

/**
 * The cuts of a job's selections.
 *
 * @returns Undefined if one is none, if the job works in float64, or if a tile would fall into pieces though its rows are
 * of several element types.
 */
export function rowCuts(
  job: MapJob | ReduceJob,
  selections: ChunkSelections,
): RowCuts | undefined {
  if (job.stage === "reduce" || job.double || job.vectors) return undefined;
  const { kinds, count, base, models } = job.inputs;
  const alike = new Set([...models, ...(base ? [base] : [])].map(({ dtype }) => dtype)).size === 1;
  const rows: (RowCut | undefined)[] = [];
  const bounds: (KeyCut | undefined)[] = [];
  for (const [row, kind] of kinds.entries()) {
    const selection = selections[row];
    if (selection && selection.kind !== "threshold") return undefined;
    const origin = kind === "weights" ? base : undefined;
    const cuts = [selection?.cut, selection?.without];
    const inOrder = cuts.some((cut) => cut && leastKept(cut, count) === undefined);
    if (inOrder && !alike) return undefined;
    bounds.push(...cuts);
    const extent = selection?.without ? "band" : "from";
    rows.push(selection && `${origin ? "base" : "zero"} ${extent}`);
  }
  return { rows, bounds };
}

/**
 * The least key inside a cut; undefined if not all or none of the equal ones are.
 *
 * @param count Number of elements that may equal it.
 */
export function leastKept({ key, quota }: KeyCut, count: number): number | undefined {
  if (quota >= count) return key;
  return quota === 0 ? Math.min(key + 1, TOP_KEY) : undefined;
}
