/**
 * The segments of one source: those that readers are at, and those that are asked for ahead of them.
 *
 * @module
 */
import type { ByteSource } from "./byte_source.ts";
import type { Segment } from "./segment.ts";
import type { SegmentBudget } from "./segment_budget.ts";
import type { SegmentBytes } from "./segment_memory.ts";
import type { SpilledSegments } from "./spilled_segments.ts";

/** What they stand on. */
export interface SourceSegmentsOptions {
  readonly source: ByteSource;
  /** Bytes of a segment. */
  readonly size: number;
  readonly budget: SegmentBudget;
  /** What is on the disk; absent where there is none. */
  readonly spilled?: SpilledSegments;
  /** Whether requests are made before there is memory for what they bring. */
  readonly early: boolean;
  /** Segments beyond a reader's place that may have memory, and that may be asked for. */
  readonly share: () => number;
  readonly ahead: () => number;
}

/** A source's segments, by their number. */
export interface SourceSegments {
  has(index: number): boolean;
  /**
   * A segment for one more reader, who must count itself out.
   *
   * @param goesOn Whether the reader is going to ask for the next ones: they are asked for then.
   */
  take(index: number, goesOn: boolean): Segment;
  /** Nobody will ask for it again. */
  drop(index: number): void;
  close(): void;
}

/** Readers of one source that are told apart. */
const PLACES = 4;

/** None is there yet. */
export function createSourceSegments(options: SourceSegmentsOptions): SourceSegments {
  const { source, size: whole, budget, spilled, early, share, ahead } = options;
  const count = Math.ceil(source.byteLength / whole);
  const segments = new Map<number, Segment>();
  /** Where readers have come to lately: several passes may be on their way at once. */
  const places: number[] = [];

  /** Fills a segment, in memory that is claimed before or, for early requests, once the bytes come. */
  async function fill(
    index: number,
    size: number,
    claim: () => Promise<SegmentBytes>,
  ): Promise<SegmentBytes> {
    const start = index * whole;
    const isSpilled = spilled?.has(index) ?? false;
    let memory = early && source.readLate && !isSpilled ? undefined : await claim();
    if (isSpilled && await spilled!.read(index, memory!.subarray(0, size))) return memory!;
    if (!source.readLate) memory!.set(await source.slice(start, start + size));
    else {
      await source.readLate(start, start + size, async () => {
        memory ??= await claim();
        return memory.subarray(0, size);
      });
    }
    return memory!;
  }

  function load(index: number): Segment {
    const size = Math.min(whole, source.byteLength - index * whole);
    const { promise: filled, resolve, reject } = Promise.withResolvers<SegmentBytes>();
    const segment: Segment = {
      filled,
      size,
      readers: 0,
      seen: 0,
      used: 0,
      large: false,
      isNear: () => places.some((place) => Math.abs(place - index) <= 1),
      isPassed: () => places.every((place) => index < place - 1),
      isNext: () => places.some((place) => index >= place && index - place <= share()),
      leave() {
        segments.delete(index);
        if (segment.used >= size) spilled?.free(index);
      },
      ...(spilled ? { spill: (bytes) => spilled.keep(index, bytes.subarray(0, size)) } : {}),
    };
    segments.set(index, segment);
    budget.add(segment);
    fill(index, size, () => budget.claim(segment)).then(resolve, reject);
    return segment;
  }

  return {
    has: (index) => segments.has(index),
    take(index, goesOn) {
      const taken = segments.get(index) ?? load(index);
      taken.readers++;
      budget.touch(taken);
      // Only a reader that goes on is read ahead of; one that jumps may need nothing more here.
      const place = places.findIndex((each) => each === index || each + 1 === index);
      if (place >= 0) places.splice(place, 1);
      places.unshift(index);
      places.length = Math.min(places.length, PLACES);
      if (place >= 0 || goesOn) {
        const end = Math.min(index + ahead(), count - 1);
        for (let next = index + 1; next <= end; next++) if (!segments.has(next)) load(next);
      }
      budget.serve();
      return taken;
    },
    drop(index) {
      const segment = segments.get(index);
      if (!segment) return spilled?.free(index);
      segment.used = segment.size;
      budget.settle(segment);
    },
    close() {
      for (const segment of [...segments.values()]) budget.forget(segment);
    },
  };
}
