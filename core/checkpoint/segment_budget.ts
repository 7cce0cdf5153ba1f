/**
 * Which of the segments that were read ahead stay in memory: all sources of a merge share a budget.
 *
 * @module
 */
import type { SegmentBytes, SegmentMemory } from "./segment_memory.ts";

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
  /** Whether a reader is at it. */
  readonly isNear: () => boolean;
  /** Takes it out of its source. */
  readonly leave: () => void;
  /** Puts its bytes where they are found again; they are copied before it returns. */
  readonly spill?: (bytes: SegmentBytes) => void;
}

interface State {
  settled: boolean;
  memory: SegmentBytes | undefined;
  /** Whether it was read to its end and waits for the next pass. */
  kept: boolean;
  gone: boolean;
}

/** Share of the budget for what the next pass asks for again. */
const KEPT = 0.6;

/** The segments of some sources. */
export interface SegmentBudget {
  /** Bytes that wait for the next pass. */
  kept(): number;
  /** Makes room for one more; if it cannot, whoever waits for it gets it all the same. */
  makeRoom(waiting: boolean): boolean;
  /** Takes a segment in. */
  add(segment: Segment): void;
  /** It is the one that was used last. */
  touch(segment: Segment): void;
  /** Looks at a segment anew whose readers or counts have changed. */
  settle(segment: Segment): void;
  /** Gives a segment up; its memory is used again once nobody looks at it. */
  forget(segment: Segment): void;
}

/**
 * An empty budget.
 *
 * What was read to its end for the last time goes at once. What may be asked for again is kept as long as that is not
 * too much of the budget, the earlier before the later, as the next pass begins at the beginning.
 *
 * @param limit In bytes; those under way count.
 */
export function createSegmentBudget(limit: number, memory: SegmentMemory): SegmentBudget {
  /** The least recently used first. */
  const states = new Map<Segment, State>();
  let held = 0;
  let kept = 0;

  function forget(segment: Segment): void {
    const state = states.get(segment);
    if (!state || state.gone) return;
    state.gone = true;
    if (state.kept) kept -= memory.size;
    segment.leave();
    release(segment, state);
  }

  function release(segment: Segment, { gone, settled, memory: own }: State): void {
    if (!gone || !settled || segment.readers > 0) return;
    states.delete(segment);
    held -= memory.size;
    memory.give(own);
  }

  function settle(segment: Segment): void {
    const state = states.get(segment);
    if (!state || !state.settled || segment.readers > 0) return;
    const { size, seen, used } = segment;
    if (state.gone) release(segment, state);
    else if (used >= size) forget(segment);
    else if (seen >= size && !state.kept) {
      if (kept + memory.size > KEPT * limit) {
        segment.spill?.(state.memory!);
        return forget(segment);
      }
      state.kept = true;
      kept += memory.size;
    }
  }

  const isFree = (segment: Segment, { settled, gone }: State) =>
    settled && !gone && segment.readers === 0;
  const hasRoom = () => held + memory.size <= limit;

  return {
    kept: () => kept,
    makeRoom(waiting) {
      if (hasRoom()) return true;
      const drop = (from: Iterable<[Segment, State]>, choose: typeof isFree) => {
        for (const [segment, state] of from) {
          if (hasRoom()) return;
          if (!isFree(segment, state) || !choose(segment, state)) continue;
          if (segment.seen > 0 && state.memory) segment.spill?.(state.memory);
          forget(segment);
        }
      };
      // What readers have left behind.
      drop(states, (each, { kept }) => !kept && each.seen + each.used > 0 && !each.isNear());
      if (waiting) {
        drop([...states].reverse(), (_, { kept }) => kept);
        drop(states, () => true);
      }
      return hasRoom();
    },
    add(segment) {
      const state: State = { settled: false, memory: undefined, kept: false, gone: false };
      states.set(segment, state);
      held += memory.size;
      segment.filled.then((bytes) => {
        state.settled = true;
        state.memory = bytes;
        settle(segment);
      }, () => {
        // Who waits for it is told; who comes later tries anew. A late answer might still be written to its memory.
        state.settled = true;
        if (state.gone) release(segment, state);
        else forget(segment);
      });
    },
    touch(segment) {
      const state = states.get(segment);
      if (!state) return;
      states.delete(segment);
      states.set(segment, state);
    },
    settle,
    forget,
  };
}
