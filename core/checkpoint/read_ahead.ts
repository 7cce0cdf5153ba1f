/**
 * Reads slow sources ahead of their readers: several requests are under way at once, and what was read is kept for
 * the next pass as long as it fits a budget that all sources share. Where threads share memory, readers on other
 * threads are told where in it the bytes are.
 *
 * @module
 */
import { untilAborted } from "./backoff.ts";
import type { Bytes, ByteSource, HeldBytes, HoldOptions, ReadKind } from "./byte_source.ts";
import type { Segment } from "./segment.ts";
import { createSegmentBudget } from "./segment_budget.ts";
import { createSpill, type SpillOptions } from "./spill.ts";
import { createSpilledSegments } from "./spilled_segments.ts";
import { createSegmentMemory, isShared, type SegmentMemory } from "./segment_memory.ts";
import { createSourceSegments } from "./source_segments.ts";

/** How far and how much. */
export interface ReadAheadOptions {
  /** Where bytes are read to, one segment with each request; memory of its own if absent. */
  readonly memory?: SegmentMemory;
  /** Segments in memory beyond a reader's place at most; 9. */
  readonly ahead?: number;
  /**
   * Requests beyond these, of all readers, that are made before there is memory for what they bring. For sources only
   * that have a connection for each request, as an answer that waits holds up what comes behind it; 0.
   */
  readonly early?: number;
  /** Bytes that are held at most, unless more readers wait at once; 56 MiB. */
  readonly budget?: number;
  /** Reads of fewer bytes go straight to the source until a longer one came: headers are read so; 128 KiB. */
  readonly least?: number;
  /** Where what is asked for again goes that the budget has no room for; it is asked for again if absent. */
  readonly spill?: SpillOptions;
}

/** Sources that share a budget. */
export interface ReadAhead {
  /** A source over another one, which is closed with it and must end its requests then. */
  over(source: ByteSource): ByteSource;
}

/** Bytes that sources read ahead together hold, if nothing else is said. */
export const READ_AHEAD_BYTES = 56 << 20;

/** Twenty megabytes for a reader: what 200 MB a second bring while an answer takes a tenth of one to begin. */
const AHEAD = 9;

/** Requests of one reader that wait for memory at most. */
const EARLY = 6;

/** Some bytes of a segment that somebody waits for. */
interface Part {
  readonly segment: Segment;
  readonly from: number;
  readonly to: number;
}

/** An empty budget. */
export function createReadAhead(options: ReadAheadOptions = {}): ReadAhead {
  const {
    memory = createSegmentMemory(),
    least = 128 << 10,
    budget = READ_AHEAD_BYTES,
    early = 0,
  } = options;
  const { size: segment } = memory;
  const held = createSegmentBudget(budget, memory);
  const spill = options.spill && createSpill(options.spill, segment);
  let sources = 0;
  let readers = 0;
  /** Segments of a reader: what the next pass does not wait for is for where each reader is, and what comes then. */
  const share = () => {
    const room = Math.floor((budget - held.kept()) / segment / readers) - 1;
    return Math.max(1, Math.min(options.ahead ?? AHEAD, room));
  };

  function over(source: ByteSource): ByteSource {
    const { byteLength } = source;
    const segments = createSourceSegments({
      source,
      size: segment,
      budget: held,
      early: early > 0,
      share,
      ahead: () => share() + Math.min(EARLY, Math.floor(early / readers)),
      ...(spill ? { spilled: createSpilledSegments(spill) } : {}),
    });
    let streaming = false;
    let closed = false;
    sources++;

    function startStreaming(): void {
      if (streaming) return;
      streaming = true;
      readers++;
    }

    /** Waits for bytes, which stay where they are until they are released. */
    async function wait(start: number, end: number, options: HoldOptions, counts = true) {
      const { signal, last = false, between = 0 } = options;
      const parts: Part[] = [];
      for (let index = Math.floor(start / segment); index * segment < end; index++) {
        const origin = index * segment;
        const from = Math.max(start, origin) - origin;
        const to = Math.min(end, origin + segment) - origin;
        const goesOn = index === 0 && end - start >= least;
        parts.push({ segment: segments.take(index, goesOn), from, to });
      }
      let taken = false;
      let released = false;
      const release = () => {
        if (released) return;
        released = true;
        for (const { segment, from, to } of parts) {
          segment.readers--;
          if (taken && counts) segment[last ? "used" : "seen"] += to - from;
          segment.large ||= between > held.keeps;
          held.settle(segment);
        }
      };
      try {
        const filled = Promise.all(parts.map(({ segment }) => segment.filled));
        // A reader waits no longer than it wants to; the requests go on for others.
        const memories = await (signal === undefined ? filled : untilAborted(filled, signal));
        taken = true;
        return {
          pieces: memories.map((each, i) => each.subarray(parts[i]!.from, parts[i]!.to)),
          release,
        };
      } catch (error) {
        release();
        throw error;
      }
    }

    const isOutside = (start: number, end: number) => start < 0 || start > end || end > byteLength;

    async function readInto(
      target: Bytes,
      start: number,
      signal?: AbortSignal,
      how?: ReadKind,
    ): Promise<void> {
      signal?.throwIfAborted();
      const alone = how === "alone";
      const end = start + target.length;
      const outside = isOutside(start, end);
      if (target.length >= least && !alone && !outside) startStreaming();
      const isThere = segments.has(Math.floor(start / segment));
      if (outside || target.length === 0 || ((!streaming || alone) && !isThere)) {
        if (source.readInto) return await source.readInto(target, start, signal);
        return target.set(await source.slice(start, end, signal));
      }
      const options = { last: how === "last", ...(signal ? { signal } : {}) };
      const { pieces, release } = await wait(start, end, options, !alone);
      let at = 0;
      for (const piece of pieces) {
        target.set(piece, at);
        at += piece.length;
      }
      release();
    }

    async function hold(start: number, end: number, options: HoldOptions): Promise<HeldBytes> {
      options.signal?.throwIfAborted();
      if (isOutside(start, end)) await source.slice(start, end);
      startStreaming();
      const { pieces, release } = await wait(start, end, options);
      return { pieces: pieces.filter(isShared), release };
    }

    return {
      byteLength,
      async slice(start, end, signal) {
        if (start > end) return await source.slice(start, end, signal);
        const bytes = new Uint8Array(end - start);
        await readInto(bytes, start, signal);
        return bytes;
      },
      readInto,
      ...(memory.shared ? { hold } : {}),
      drop(start, end) {
        const last = Math.floor(end / segment);
        for (let index = Math.ceil(start / segment); index < last; index++) segments.drop(index);
      },
      close() {
        segments.close();
        if (!closed && --sources === 0) spill?.close();
        closed = true;
        if (streaming) readers--;
        streaming = false;
        source.close?.();
      },
    };
  }
  return { over };
}
