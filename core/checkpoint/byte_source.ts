/**
 * The port through which checkpoints are read: a length, and slices on demand.
 *
 * @module
 */

import type { SegmentBytes, SharedBytes } from "./segment_memory.ts";

/** Bytes of an own (not shared) buffer, which can be transferred to a worker. */
export type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Where a source's bytes are, as plain data that another thread of this process can be told. Only the host that
 * made it knows what it means.
 */
export type BytePlace = Readonly<Record<string, unknown>>;

/** "alone": the bytes around them are not worth reading as well. "last": nobody will ask for these bytes again. */
export type ReadKind = "alone" | "last";

/** How bytes are held. */
export interface HoldOptions {
  /** Ends the wait. */
  readonly signal?: AbortSignal;
  /** Whether nobody will ask for these bytes again. */
  readonly last?: boolean;
  /** If somebody will: how many bytes of all sources are read before. */
  readonly between?: number;
}

/** Bytes of a source in memory that other threads see. */
export interface HeldBytes {
  /** One behind the other. */
  readonly pieces: readonly SharedBytes[];
  /** Must be called once no thread looks at them any more; calling it again does nothing. */
  readonly release: () => void;
}

/** Random access to immutable bytes: memory, a file, a stored blob, an HTTP resource. */
export interface ByteSource {
  /** Total number of bytes. */
  readonly byteLength: number;
  /**
   * Reads the bytes `[start, end)`.
   *
   * The result owns its buffer from its first byte on (`byteOffset` 0 and `buffer.byteLength` equal
   * to `end - start`), so a caller may transfer it. Several calls may be under way at once.
   *
   * @throws {RangeError} If `0 <= start <= end <= byteLength` does not hold.
   * @throws {Problem} `upstream` if a remote server fails, `invalid-checkpoint` if bytes are gone.
   */
  slice(start: number, end: number, signal?: AbortSignal): Promise<Bytes>;
  /**
   * Reads `target.length` bytes from `start` into memory of the caller; sources that can do so without
   * a buffer of their own offer it, so that a stream of reads needs no new memory.
   *
   * @param how What is going to be asked for next, where that is known.
   */
  readInto?(target: Bytes, start: number, signal?: AbortSignal, how?: ReadKind): Promise<void>;
  /**
   * The same without a turn of the event loop, for what is likely to be in memory: a file blocks the thread where it is
   * not.
   *
   * @returns Whether it could; if not, nothing is known of the target's bytes.
   */
  readNow?(target: Bytes, start: number): boolean;
  /**
   * Reads the bytes `[start, end)` into memory of any kind that is asked for, once, when they are about to come: what
   * they wait for until then costs none.
   */
  readLate?(
    start: number,
    end: number,
    memory: () => Promise<SegmentBytes>,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Waits for the bytes `[start, end)` in memory that other threads see; absent where threads share none. */
  hold?(start: number, end: number, options: HoldOptions): Promise<HeldBytes>;
  /** Tells that nobody will ask for the bytes `[start, end)` again; who does nevertheless gets them. */
  drop?(start: number, end: number): void;
  /** Where another thread finds the same bytes; absent if it cannot. */
  readonly place?: BytePlace;
  /** Releases what the source holds open; further slices fail. Calling it again does nothing. */
  close?(): void;
}
