/**
 * Reads slow sources ahead of their readers: several requests are under way at once, and what was read is kept for
 * the next pass as long as it fits a budget that all sources share.
 *
 * @module
 */
import type { Bytes, ByteSource } from "./byte_source.ts";

/** How far and how much. */
export interface ReadAheadOptions {
  /** Bytes of one request; 2 MiB. */
  readonly segment?: number;
  /** Requests beyond a reader's place at most; 6. */
  readonly ahead?: number;
  /** Bytes that are held at most, those under way counted, unless more readers wait at once; 96 MiB. */
  readonly budget?: number;
  /** Reads of fewer bytes go straight to the source until a longer one came: headers are read so; 128 KiB. */
  readonly least?: number;
}

/** Sources that share a budget. */
export interface ReadAhead {
  /** A source over another one, which is closed with it and must end its requests then. */
  over(source: ByteSource): ByteSource;
}

/** Bytes that sources read ahead together hold, if nothing else is said. */
export const READ_AHEAD_BYTES = 96 << 20;

/** Readers of one source that are told apart. */
const PLACES = 4;

interface Segment {
  readonly bytes: Promise<Bytes>;
  readonly size: number;
  /** Readers that wait for it. */
  readers: number;
  /** `gone` once it was given up, `reused` once its memory may be another's. */
  state: "kept" | "gone" | "reused";
  /** Whether it is there; what is under way is not given up. */
  done: boolean;
  /** Bytes that readers have taken. */
  taken: number;
  /** Takes it out of its source. */
  readonly drop: () => void;
}

/** An empty budget. */
export function createReadAhead(options: ReadAheadOptions = {}): ReadAhead {
  const { segment = 2 << 20, least = 128 << 10, budget = READ_AHEAD_BYTES } = options;
  /** Of all sources, the least recently used first. */
  const kept = new Set<Segment>();
  let held = 0;
  let readers = 0;
  /** Memory of segments that are gone, for those to come: fresh memory costs more than to fill it. */
  const free: ArrayBuffer[] = [];
  const forget = (each: Segment) => {
    if (!kept.delete(each)) return;
    held -= each.size;
    each.state = "gone";
    each.drop();
    reuse(each);
  };
  /** Takes the memory of a segment back if nobody looks at it any more. */
  const reuse = (each: Segment) => {
    if (each.state !== "gone" || !each.done || each.readers > 0) return;
    each.state = "reused";
    each.bytes.then(({ buffer }) => {
      const isWhole = buffer.byteLength === segment;
      if (isWhole && held + (free.length + 1) * segment <= budget) free.push(buffer);
    });
  };
  /**
   * Makes room for one more segment. What was read to its end goes first, and only for what a reader waits for
   * anything that is there: else readers would take each other's segments away.
   */
  const makeRoom = (waiting: boolean): boolean => {
    for (const whole of waiting ? [true, false] : [true]) {
      for (const each of kept) {
        if (held + segment <= budget) return true;
        if (each.done && (!whole || each.taken >= each.size)) forget(each);
      }
    }
    return held + segment <= budget;
  };
  /** Half of the budget is for what is to come, so that the other half can hold what was read. */
  const ahead = () =>
    Math.max(1, Math.min(options.ahead ?? 6, Math.floor(budget / 2 / segment / readers)));

  function over(source: ByteSource): ByteSource {
    const { byteLength } = source;
    const count = Math.ceil(byteLength / segment);
    const segments = new Map<number, Segment>();
    let streaming = false;
    /** Where readers have come to lately: several passes may be on their way at once. */
    const places: number[] = [];

    async function fill(start: number, size: number): Promise<Bytes> {
      if (!source.readInto) return await source.slice(start, start + size);
      const bytes = new Uint8Array(free.pop() ?? new ArrayBuffer(segment), 0, size);
      await source.readInto(bytes, start);
      return bytes;
    }

    function load(index: number): Segment {
      const start = index * segment;
      const size = Math.min(segment, byteLength - start);
      const loading: Segment = {
        bytes: fill(start, size),
        size,
        readers: 0,
        state: "kept",
        done: false,
        taken: 0,
        drop: () => segments.delete(index),
      };
      segments.set(index, loading);
      kept.add(loading);
      held += size;
      loading.bytes.then(
        () => loading.done = true,
        // Whoever waits for it is told; who comes later tries anew.
        () => forget(loading),
      );
      return loading;
    }

    function take(index: number): Segment {
      const known = segments.get(index);
      if (known) {
        kept.delete(known);
        kept.add(known);
      }
      if (!known) makeRoom(true);
      const taken = known ?? load(index);
      // Only a reader that goes on is read ahead of; one that jumps may need nothing more here.
      const place = places.findIndex((each) => each === index || each + 1 === index);
      if (place >= 0 || index === 0) {
        const end = Math.min(index + ahead(), count - 1);
        for (let next = index + 1; next <= end; next++) {
          if (segments.has(next)) continue;
          if (!makeRoom(false)) break;
          load(next);
        }
      }
      if (place >= 0) places.splice(place, 1);
      places.unshift(index);
      places.length = Math.min(places.length, PLACES);
      return taken;
    }

    async function readInto(target: Bytes, start: number, signal?: AbortSignal): Promise<void> {
      signal?.throwIfAborted();
      const end = start + target.length;
      const first = Math.floor(start / segment);
      const outside = start < 0 || end > byteLength;
      if (target.length >= least && !streaming && !outside) {
        streaming = true;
        readers++;
      }
      if (outside || target.length === 0 || (!streaming && !segments.has(first))) {
        if (source.readInto) return await source.readInto(target, start, signal);
        return target.set(await source.slice(start, end, signal));
      }
      const parts: Promise<void>[] = [];
      for (let index = first; index * segment < end; index++) {
        const origin = index * segment;
        const from = Math.max(start, origin);
        const to = Math.min(end, origin + segment);
        const each = take(index);
        each.readers++;
        const copied = each.bytes.then((bytes) => {
          each.taken += to - from;
          target.set(bytes.subarray(from - origin, to - origin), from - start);
        });
        parts.push(copied.finally(() => {
          each.readers--;
          reuse(each);
        }));
      }
      await untilAborted(Promise.all(parts), signal);
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
      close() {
        for (const each of [...segments.values()]) forget(each);
        if (streaming) readers--;
        streaming = false;
        source.close?.();
      },
    };
  }
  return { over };
}

/** Waits, but no longer than the reader does; the requests go on for others. */
async function untilAborted(
  work: Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!signal) return void await work;
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
