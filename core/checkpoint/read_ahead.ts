/**
 * Reads a slow source ahead of its reader: several requests are under way at once, and what was read is kept for
 * the next pass as long as it fits the budget.
 *
 * @module
 */
import type { Bytes, ByteSource } from "./byte_source.ts";

/** How far and how much. */
export interface ReadAheadOptions {
  /** Bytes of one request; 2 MiB. */
  readonly segment?: number;
  /** Requests beyond the reader's place; 6. */
  readonly ahead?: number;
  /** Bytes that are held at most, those under way counted; 24 MiB, and at least what is read ahead. */
  readonly budget?: number;
  /** Reads of fewer bytes go straight to the source until a longer one came: headers are read so; 128 KiB. */
  readonly least?: number;
}

interface Segment {
  readonly bytes: Promise<Bytes>;
  readonly size: number;
  /** Whether it is there; what is under way is not given up. */
  done: boolean;
}

/**
 * A source over another one.
 *
 * @param source Is closed with it; a source that is closed ends its requests itself.
 */
export function readAhead(source: ByteSource, options: ReadAheadOptions = {}): ByteSource {
  const { segment = 2 << 20, ahead = 6, least = 128 << 10 } = options;
  const budget = Math.max(options.budget ?? 24 << 20, (ahead + 2) * segment);
  const { byteLength } = source;
  const count = Math.ceil(byteLength / segment);
  /** By index, the least recently used first. */
  const segments = new Map<number, Segment>();
  let held = 0;
  let streaming = false;
  let last = -1;

  function load(index: number): Segment {
    const start = index * segment;
    const size = Math.min(segment, byteLength - start);
    const loading: Segment = { bytes: source.slice(start, start + size), size, done: false };
    segments.set(index, loading);
    held += size;
    loading.bytes.then(
      () => loading.done = true,
      // Whoever waits for it is told; who comes later tries anew.
      () => forget(index, loading),
    );
    return loading;
  }

  function forget(index: number, which: Segment): void {
    if (segments.get(index) !== which) return;
    segments.delete(index);
    held -= which.size;
  }

  function makeRoom(): void {
    for (const [index, each] of segments) {
      if (held <= budget) return;
      if (each.done) forget(index, each);
    }
  }

  function take(index: number): Promise<Bytes> {
    const known = segments.get(index);
    if (known) {
      segments.delete(index);
      segments.set(index, known);
    }
    const { bytes } = known ?? load(index);
    // Only a reader that goes on is read ahead of; one that jumps may need nothing more here.
    if (index === last || index === last + 1) {
      for (let next = index + 1; next <= index + ahead && next < count; next++) {
        if (!segments.has(next)) load(next);
      }
    }
    last = index;
    makeRoom();
    return bytes;
  }

  async function readInto(target: Bytes, start: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const end = start + target.length;
    const first = Math.floor(start / segment);
    if (target.length >= least) streaming = true;
    const outside = start < 0 || end > byteLength;
    if (outside || target.length === 0 || (!streaming && !segments.has(first))) {
      if (source.readInto) return await source.readInto(target, start, signal);
      return target.set(await source.slice(start, end, signal));
    }
    const parts: Promise<void>[] = [];
    for (let index = first; index * segment < end; index++) {
      const origin = index * segment;
      parts.push(take(index).then((bytes) => {
        const from = Math.max(start, origin);
        const to = Math.min(end, origin + segment);
        target.set(bytes.subarray(from - origin, to - origin), from - start);
      }));
    }
    await untilAborted(Promise.all(parts), signal);
  }

  return {
    byteLength,
    async slice(start, end, signal) {
      const bytes = new Uint8Array(Math.max(end - start, 0));
      await readInto(bytes, start, signal);
      return bytes;
    },
    readInto,
    close() {
      segments.clear();
      held = 0;
      source.close?.();
    },
  };
}

/** Waits, but no longer than the reader does; the requests go on for others. */
async function untilAborted(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
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
