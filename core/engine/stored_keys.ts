/**
 * Counts the magnitudes of task vectors around expected ones, tile by tile, of rows as they are stored.
 *
 * @module
 */
import type { ListKeys } from "../tensor/kernels/mod.ts";
import type { ChunkResult, HistogramJob, WindowTally } from "./chunk_job.ts";
import { isStored } from "./fused/formats.ts";
import type { Thread } from "./graph_jobs.ts";
import { keyLister, type WindowLane } from "./magnitudes.ts";
import { placeRows, STRIDE, TILE } from "./tile_rows.ts";

/** The least key of what is not finite: the difference of finite elements may overflow, of others it is never finite. */
const INFINITE = 0x7f800000;

/** A lane, its place in the job, its list, and what fills it. */
interface CountedLane {
  readonly at: number;
  readonly lane: WindowLane;
  readonly slot: number;
  readonly list: ListKeys;
}

/**
 * Counts the keys of a chunk.
 *
 * @returns Undefined if decoded rows are to be counted: where something is not finite they tell what.
 */
export function countStored(
  { accumulators, kernels, reader }: Thread,
  { id, inputs, lanes, scores }: HistogramJob,
): ChunkResult | undefined {
  const { base, count: total, finite, kinds, models } = inputs;
  if (scores || !finite || models.length > kinds.length) return undefined;
  const origins = kinds.map((kind) => base && kind === "weights" ? base.dtype : undefined);
  const { listWindow, listWindowBf16, listWindowF16 } = kernels.call;
  const lists = { F32: listWindow, BF16: listWindowBf16, F16: listWindowF16 };
  const counted: CountedLane[] = [];
  for (const [i, lane] of lanes.entries()) {
    if (!lane) continue;
    const { dtype } = models[lane.row]!;
    if (lane.kind !== "window" || !isStored(dtype)) return undefined;
    if ((origins[lane.row] ?? dtype) !== dtype) return undefined;
    const slot = accumulators.slot(id, i, "window");
    counted.push({ at: i, lane, slot, list: lists[dtype] });
  }
  const zeros = origins.includes(undefined);
  const rows = placeRows(kernels, reader, inputs, { start: accumulators.end(), zeros });
  const listers = counted.map(({ slot, list, lane }) => keyLister(kernels, list, slot, lane));
  const undo = () => listers.forEach((lister) => lister.undo());
  for (let from = 0; from < total; from += TILE) {
    const size = Math.min(TILE, total - from);
    if (!rows.fill(from, size)) {
      undo();
      return { unread: true };
    }
    counted.forEach(({ lane: { row } }, i) =>
      listers[i]!.take(rows.x + row * STRIDE, rows.origin(row), size)
    );
  }
  if (listers.some((lister) => lister.largest() >= INFINITE)) {
    undo();
    return undefined;
  }
  const tallies: (WindowTally | undefined)[] = lanes.map(() => undefined);
  counted.forEach(({ at }, i) => tallies[at] = listers[i]!.tally());
  return { thread: accumulators.thread, tallies };
}
