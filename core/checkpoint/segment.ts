/**
 * A piece of a remote source, as long as the others, that is read with one request.
 *
 * @module
 */
import type { SegmentBytes } from "./segment_memory.ts";

/** A segment of a source, there or under way. */
export interface Segment {
  /** Its bytes once they are there; rejects as the source does. */
  readonly filled: Promise<SegmentBytes>;
  readonly size: number;
  /** Who waits for it or looks at it. */
  readers: number;
  /** Bytes that were taken by readers who may come again, and by those who do not. */
  seen: number;
  used: number;
  /** Whether more is read again with it than is kept for that. */
  large: boolean;
  /** Whether a reader is at it. */
  readonly isNear: () => boolean;
  /** Whether all readers have come further. */
  readonly isPassed: () => boolean;
  /** Whether a reader comes to it so soon that it may have memory before it is waited for. */
  readonly isNext: () => boolean;
  /** Takes it out of its source. */
  readonly leave: () => void;
  /** Puts its bytes where they are found again; they must stay until then, where something is to be waited for. */
  readonly spill?: (bytes: SegmentBytes) => Promise<void> | undefined;
}
