/**
 * Which segments of a source are on the disk.
 *
 * @module
 */
import type { SegmentBytes } from "./segment_memory.ts";
import type { Spill } from "./spill.ts";

/** The segments of one source. */
export interface SpilledSegments {
  /** Whether a segment is there, or on its way. */
  has(index: number): boolean;
  /** Puts a segment there; resolves once its memory may be used for others. Undefined if it is there, or has no room. */
  keep(index: number, bytes: SegmentBytes): Promise<void> | undefined;
  /** Reads a segment; answers whether it could. */
  read(index: number, target: SegmentBytes): Promise<boolean>;
  /** Nobody will ask for it again. */
  free(index: number): void;
}

/** None is there yet. */
export function createSpilledSegments(spill: Spill): SpilledSegments {
  const places = new Map<number, Promise<number | undefined>>();
  return {
    has: (index) => places.has(index),
    keep(index, bytes) {
      const spilling = places.has(index) ? undefined : spill.keep(bytes);
      if (spilling) places.set(index, spilling.place);
      return spilling?.copied;
    },
    async read(index, target) {
      const place = await places.get(index);
      return place !== undefined && await spill.read(place, target);
    },
    free(index) {
      const place = places.get(index);
      places.delete(index);
      // It may still be written: only then may another segment take it.
      place?.then((known) => known === undefined ? undefined : spill.free(known));
    },
  };
}
