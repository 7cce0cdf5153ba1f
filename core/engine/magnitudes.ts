/**
 * Histograms of magnitudes and the selections that follow from them, on the kernels' memory.
 *
 * @module
 */
import type { Kernels } from "../tensor/kernels/mod.ts";
import { binOfRank, COARSE_BINS, FINE_BINS, thresholdIn } from "../tensor/order_statistics.ts";
import type { CollectJob, KeyCut, Lane } from "./chunk_job.ts";

/** How many coarse bins an accumulator can count finely at once. */
export const WINDOW_BINS = 8;

const COARSE_BYTES = COARSE_BINS * 4;
const SLOT_BYTES = COARSE_BYTES + WINDOW_BINS * FINE_BINS * 4;

/** Accumulators in the first part of the kernels' memory. */
export interface Accumulators {
  /** First byte behind all slots. */
  end(): number;
  /** Offset of a lane's slot under an id; cleared when it is taken. */
  slot(id: string, lane: number): number;
  /** Copies out what a job asks for, and frees the slots if it says so. */
  collect(job: CollectJob): (Uint32Array | undefined)[];
}

/** Starts with no slots. */
export function createAccumulators(kernels: Kernels): Accumulators {
  const owners: (string | undefined)[] = [];
  const ids = new Map<string, Map<number, number>>();
  const words = (offset: number, count: number) =>
    new Uint32Array(kernels.memory.buffer, offset, count);

  return {
    end: () => owners.length * SLOT_BYTES,
    slot(id, lane) {
      let slots = ids.get(id);
      if (!slots) ids.set(id, slots = new Map());
      const known = slots.get(lane);
      if (known !== undefined) return known * SLOT_BYTES;
      const free = owners.indexOf(undefined);
      const index = free >= 0 ? free : owners.length;
      owners[index] = id;
      slots.set(lane, index);
      kernels.reserve((index + 1) * SLOT_BYTES);
      words(index * SLOT_BYTES, SLOT_BYTES / 4).fill(0);
      return index * SLOT_BYTES;
    },
    collect({ id, parts, clear }) {
      const slots = ids.get(id);
      const results = parts.map((part, lane) => {
        const index = slots?.get(lane);
        if (part === undefined || index === undefined) return undefined;
        const at = index * SLOT_BYTES;
        if (part === "coarse") return words(at, COARSE_BINS).slice();
        return words(at + COARSE_BYTES + part.place * FINE_BINS * 4, FINE_BINS).slice();
      });
      if (!clear) return results;
      ids.delete(id);
      for (const index of slots?.values() ?? []) owners[index] = undefined;
      while (owners.length > 0 && owners.at(-1) === undefined) owners.pop();
      return results;
    },
  };
}

/** Counts one row's keys into a slot. */
export function countMagnitudes(
  kernels: Kernels,
  x: number,
  base: number,
  count: number,
  slot: number,
  { coarse, fine }: Lane,
): void {
  const finePlace = slot + COARSE_BYTES;
  if (coarse && fine) {
    kernels.call.bothHistograms(x, base, count, slot, fine.first, fine.bins, finePlace);
  } else if (coarse) kernels.call.histogram(x, base, count, slot);
  else if (fine) kernels.call.fineHistogram(x, base, count, fine.first, fine.bins, finePlace);
}

/** The cut above the `rank`-th largest magnitude of a chunk that is a whole tensor, using a scratch slot. */
export function cutAtRank(
  kernels: Kernels,
  x: number,
  base: number,
  count: number,
  rank: number,
  slot: number,
): KeyCut {
  const coarse = new Uint32Array(kernels.memory.buffer, slot, COARSE_BINS);
  coarse.fill(0);
  kernels.call.histogram(x, base, count, slot);
  const { bin, remaining } = binOfRank(coarse, rank);
  const place = slot + COARSE_BYTES;
  const counts = new Uint32Array(kernels.memory.buffer, place, FINE_BINS);
  counts.fill(0);
  kernels.call.fineHistogram(x, base, count, bin, 1, place);
  const { key, equal, keepEqual } = thresholdIn(bin, remaining, counts);
  return { key, quota: keepEqual === equal ? Infinity : keepEqual };
}
