/**
 * Memory of the segments that sources are read ahead in, used again and again: fresh memory costs more than to fill it.
 *
 * @module
 */

/** Memory of one segment. */
export type SegmentBytes = Uint8Array<ArrayBufferLike>;

/** Bytes that other threads of this process see as well. */
export type SharedBytes = Uint8Array<SharedArrayBuffer>;

/** Lends memory. */
export interface SegmentMemory {
  /** Bytes of a segment. */
  readonly size: number;
  /** Whether other threads see it. */
  readonly shared: boolean;
  /** Memory of a segment with any content. */
  take(): SegmentBytes;
  /** Takes it back; undefined for memory that somebody may still write to, which is given up. */
  give(memory: SegmentBytes | undefined): void;
  /** How many are lent. */
  readonly lent: () => number;
}

/** How memory is made. */
export interface SegmentMemoryOptions {
  /** Bytes of a segment; 2 MiB. */
  readonly size?: number;
  /** Bytes of idle memory that are kept at most: more than is lent of a budget, as what is given up is collected late; 96 MiB. */
  readonly idle?: number;
  /** Whether other threads are to see it; where the host has such memory, if nothing is said. */
  readonly shared?: boolean;
}

/** Lends nothing yet. */
export function createSegmentMemory(options: SegmentMemoryOptions = {}): SegmentMemory {
  const { size = 2 << 20, idle = 96 << 20 } = options;
  // Pages that are not isolated from other origins have none.
  const { shared = "SharedArrayBuffer" in globalThis } = options;
  const free: SegmentBytes[] = [];
  let lent = 0;
  return {
    size,
    shared,
    lent: () => lent,
    take() {
      lent++;
      return free.pop() ??
        (shared ? new Uint8Array(new SharedArrayBuffer(size)) : new Uint8Array(size));
    },
    give(memory) {
      lent--;
      if (memory && (free.length + 1) * size <= idle) free.push(memory);
    },
  };
}

/** Whether other threads see these bytes. */
export function isShared(bytes: SegmentBytes): bytes is SharedBytes {
  return "SharedArrayBuffer" in globalThis && bytes.buffer instanceof SharedArrayBuffer;
}
