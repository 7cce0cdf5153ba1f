/**
 * Histograms of magnitudes and the selections that follow from them, on the kernels' memory.
 *
 * @module
 */
import type { Kernels } from "../tensor/kernels/mod.ts";
import {
  binOfRank,
  COARSE_BINS,
  FINE_BINS,
  type FineWindow,
  thresholdOf,
} from "../tensor/order_statistics.ts";
import type { HistogramJob } from "./chunk_job.ts";

/** How many coarse bins an accumulator can count finely at once. */
export const WINDOW_BINS = 8;

const COARSE_BYTES = COARSE_BINS * 4;
const SLOT_BYTES = COARSE_BYTES + WINDOW_BINS * FINE_BINS * 4;

/** Accumulators in the first part of the kernels' memory. */
export interface Accumulators {
  /** First byte behind all slots. */
  end(): number;
  /** Offset of a model's slot under an id; cleared when it is taken. */
  slot(id: string, model: number): number;
  /** Copies out and frees the slots of an id. */
  collect(id: string): ({ coarse: Uint32Array; fine: Uint32Array } | undefined)[];
}

/** Starts with no slots. */
export function createAccumulators(kernels: Kernels): Accumulators {
  const owners: (string | undefined)[] = [];
  const ids = new Map<string, Map<number, number>>();
  const words = (offset: number, count: number) =>
    new Uint32Array(kernels.memory.buffer, offset, count);

  return {
    end: () => owners.length * SLOT_BYTES,
    slot(id, model) {
      let slots = ids.get(id);
      if (!slots) ids.set(id, slots = new Map());
      const known = slots.get(model);
      if (known !== undefined) return known * SLOT_BYTES;
      const free = owners.indexOf(undefined);
      const index = free >= 0 ? free : owners.length;
      owners[index] = id;
      slots.set(model, index);
      kernels.reserve((index + 1) * SLOT_BYTES);
      words(index * SLOT_BYTES, SLOT_BYTES / 4).fill(0);
      return index * SLOT_BYTES;
    },
    collect(id) {
      const slots = ids.get(id);
      ids.delete(id);
      const results: ({ coarse: Uint32Array; fine: Uint32Array } | undefined)[] = [];
      for (const [model, index] of slots ?? []) {
        const at = index * SLOT_BYTES;
        results[model] = {
          coarse: words(at, COARSE_BINS).slice(),
          fine: words(at + COARSE_BYTES, WINDOW_BINS * FINE_BINS).slice(),
        };
        owners[index] = undefined;
      }
      while (owners.length > 0 && owners.at(-1) === undefined) owners.pop();
      return results;
    },
  };
}

/** Counts one model's keys into a slot. */
export function countMagnitudes(
  kernels: Kernels,
  x: number,
  base: number,
  count: number,
  slot: number,
  { coarse, fine }: NonNullable<HistogramJob["windows"][number]>,
): void {
  const finePlace = slot + COARSE_BYTES;
  if (coarse && fine) {
    kernels.call.bothHistograms(x, base, count, slot, fine.first, fine.bins, finePlace);
  } else if (coarse) kernels.call.histogram(x, base, count, slot);
  else if (fine) kernels.call.fineHistogram(x, base, count, fine.first, fine.bins, finePlace);
}

/** Keeps the `keep` largest magnitudes of a chunk that is a whole tensor, using a scratch slot. */
export function keepLargest(
  kernels: Kernels,
  x: number,
  base: number,
  count: number,
  padded: number,
  keep: number,
  slot: number,
): void {
  const coarse = new Uint32Array(kernels.memory.buffer, slot, COARSE_BINS);
  coarse.fill(0);
  kernels.call.histogram(x, base, count, slot);
  const window: FineWindow = { first: binOfRank(coarse, keep).bin, bins: 1 };
  const place = slot + COARSE_BYTES;
  const counts = new Uint32Array(kernels.memory.buffer, place, FINE_BINS);
  counts.fill(0);
  kernels.call.fineHistogram(x, base, count, window.first, 1, place);
  const threshold = thresholdOf(coarse, keep, window, counts);
  if ("missing" in threshold) throw new Error("The fine histogram misses its own bin");
  if (threshold.keepEqual === threshold.equal) {
    kernels.call.keepFrom(x, base, padded, threshold.key);
  } else kernels.call.keepWithQuota(x, base, count, threshold.key, threshold.keepEqual);
}
