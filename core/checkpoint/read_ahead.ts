/**
 * Reads slow sources ahead of their readers: several requests are under way at once, and what was read is kept for
 * the next pass as long as it fits a budget that all sources share. Where threads share memory, readers on other
 * threads are told where in it the bytes are.
 *
 * @module
 */
import { untilAborted } from "./backoff.ts";
import type { Bytes, ByteSource, HeldBytes, HoldOptions } from "./byte_source.ts";
import { createSegmentBudget, type Segment } from "./segment_budget.ts";
import { createSpill, type SpillOptions } from "./spill.ts";
import { createSpilledSegments } from "./spilled_segments.ts";
import {
  createSegmentMemory,
  isShared,
  type SegmentBytes,
  type SegmentMemory,
} from "./segment_memory.ts";

/** How far and how much. */
export interface ReadAheadOptions {
  /** Where bytes are read to, one segment with each request; memory of its own if absent. */
  readonly memory?: SegmentMemory;
  /** Requests beyond a reader's place at most; 9. */
  readonly ahead?: number;
  /** Bytes that are held at most, those under way counted, unless more readers wait at once; 56 MiB. */
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

/** Readers of one source that are told apart. */
const PLACES = 4;

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
  } = options;
  const { size: segment } = memory;
  const held = createSegmentBudget(budget, memory);
  const spill = options.spill && createSpill(options.spill, segment);
  let sources = 0;
  let readers = 0;
  /** What the next pass does not wait for is for where each reader is, and what comes then. */
  const ahead = () => {
    const room = Math.floor((budget - held.kept()) / segment / readers) - 1;
    return Math.max(1, Math.min(options.ahead ?? AHEAD, room));
  };

  function over(source: ByteSource): ByteSource {
    const { byteLength } = source;
    const count = Math.ceil(byteLength / segment);
    const segments = new Map<number, Segment>();
    const spilled = spill && createSpilledSegments(spill);
    let streaming = false;
    let closed = false;
    sources++;
    /** Where readers have come to lately: several passes may be on their way at once. */
    const places: number[] = [];

    async function fill(index: number, start: number, size: number): Promise<SegmentBytes> {
      const whole = memory.take();
      const bytes = whole.subarray(0, size);
      if (spilled?.has(index) && await spilled.read(index, bytes)) return whole;
      if (!isShared(bytes) && source.readInto) await source.readInto(bytes as Bytes, start);
      else if (isShared(bytes) && source.readShared) await source.readShared(bytes, start);
      else bytes.set(await source.slice(start, start + size));
      return whole;
    }

    function load(index: number): Segment {
      const start = index * segment;
      const size = Math.min(segment, byteLength - start);
      const loading: Segment = {
        filled: fill(index, start, size),
        size,
        readers: 0,
        seen: 0,
        used: 0,
        isNear: () => places.some((place) => Math.abs(place - index) <= 1),
        leave() {
          segments.delete(index);
          if (loading.used >= size) spilled?.free(index);
        },
        ...(spilled ? { spill: (bytes) => spilled.keep(index, bytes.subarray(0, size)) } : {}),
      };
      segments.set(index, loading);
      held.add(loading);
      return loading;
    }

    /** The segment, for a reader that wants so many bytes. */
    function take(index: number, wanted: number): Segment {
      const known = segments.get(index);
      if (known) held.touch(known);
      else held.makeRoom(true);
      const taken = known ?? load(index);
      taken.readers++;
      // Only a reader that goes on is read ahead of; one that jumps may need nothing more here.
      const place = places.findIndex((each) => each === index || each + 1 === index);
      if (place >= 0 || (index === 0 && wanted >= least)) {
        const end = Math.min(index + ahead(), count - 1);
        for (let next = index + 1; next <= end; next++) {
          if (segments.has(next)) continue;
          if (!held.makeRoom(false)) break;
          load(next);
        }
      }
      if (place >= 0) places.splice(place, 1);
      places.unshift(index);
      places.length = Math.min(places.length, PLACES);
      return taken;
    }

    function startStreaming(): void {
      if (streaming) return;
      streaming = true;
      readers++;
    }

    /** Waits for bytes, which stay where they are until they are released. */
    async function wait(start: number, end: number, { signal, last = false }: HoldOptions) {
      const parts: Part[] = [];
      for (let index = Math.floor(start / segment); index * segment < end; index++) {
        const origin = index * segment;
        const from = Math.max(start, origin) - origin;
        const to = Math.min(end, origin + segment) - origin;
        parts.push({ segment: take(index, end - start), from, to });
      }
      let taken = false;
      let released = false;
      const release = () => {
        if (released) return;
        released = true;
        for (const { segment, from, to } of parts) {
          segment.readers--;
          if (taken) segment[last ? "used" : "seen"] += to - from;
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
      alone = false,
    ): Promise<void> {
      signal?.throwIfAborted();
      const end = start + target.length;
      const outside = isOutside(start, end);
      if (target.length >= least && !alone && !outside) startStreaming();
      const isThere = segments.has(Math.floor(start / segment));
      if (outside || target.length === 0 || ((!streaming || alone) && !isThere)) {
        if (source.readInto) return await source.readInto(target, start, signal);
        return target.set(await source.slice(start, end, signal));
      }
      const { pieces, release } = await wait(start, end, { ...(signal ? { signal } : {}) });
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
        for (let index = Math.ceil(start / segment); index < last; index++) {
          const each = segments.get(index);
          if (each) {
            each.used = each.size;
            held.settle(each);
          } else spilled?.free(index);
        }
      },
      close() {
        for (const each of [...segments.values()]) held.forget(each);
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
