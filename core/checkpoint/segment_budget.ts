/**
 * Which of the segments that were read ahead stay in memory: all sources of a merge share a budget.
 *
 * @module
 */
import type { Segment } from "./segment.ts";
import type { SegmentBytes, SegmentMemory } from "./segment_memory.ts";

interface State {
  readonly segment: Segment;
  settled: boolean;
  memory: SegmentBytes | undefined;
  /** Whether memory was given to it, which counts. */
  lent: boolean;
  /** Whether it was read to its end and waits for the next pass. */
  kept: boolean;
  /** Whether its bytes are on their way elsewhere. */
  leaving: boolean;
  gone: boolean;
}

/** A list of states, or a map of them. */
interface Sequence {
  forEach(look: (state: State) => void): void;
}

/** A segment that wants memory. */
interface Claim extends PromiseWithResolvers<SegmentBytes> {
  readonly segment: Segment;
}

/** Share of the budget for what the next pass asks for again. */
const KEPT = 0.85;

/** Share of the budget for readers who wait: what they need would else take the place of what was read ahead. */
const RESERVE = 0.4;

/** The segments of some sources. */
export interface SegmentBudget {
  /** Bytes that wait for the next pass. */
  kept(): number;
  /** Bytes that may. */
  readonly keeps: number;
  /** Takes a segment in, which has no memory yet. */
  add(segment: Segment): void;
  /**
   * Memory for a segment: once there is room, or as soon as a reader waits for it.
   *
   * @throws {RangeError} If it is given up before.
   */
  claim(segment: Segment): Promise<SegmentBytes>;
  /** Readers have moved: gives memory to the segments that may have it by now. */
  serve(): void;
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
 * @param limit In bytes of memory that is given out.
 */
export function createSegmentBudget(limit: number, memory: SegmentMemory): SegmentBudget {
  /** The least recently used first. */
  const states = new Map<Segment, State>();
  /** Those that want memory, in the order of their wish. */
  const claims = new Map<Segment, Claim>();
  let held = 0;
  let kept = 0;
  let leaving = 0;

  function forget(segment: Segment): void {
    const state = states.get(segment);
    if (!state || state.gone) return;
    state.gone = true;
    if (state.kept) kept -= memory.size;
    segment.leave();
    claims.get(segment)?.reject(new RangeError("Cannot read the source as it is closed"));
    claims.delete(segment);
    release(segment, state);
  }

  function release(segment: Segment, { gone, settled, lent, memory: own }: State): void {
    if (!gone || !settled || segment.readers > 0) return;
    states.delete(segment);
    if (!lent) return;
    held -= memory.size;
    memory.give(own);
    serve();
  }

  function settle(segment: Segment): void {
    const state = states.get(segment);
    if (!state || !state.settled || segment.readers > 0) return;
    const { size, seen, used, large, spill } = segment;
    if (state.gone) release(segment, state);
    else if (used >= size) forget(segment);
    else if (seen >= size && !state.kept && !state.leaving) {
      if ((large && spill) || kept + memory.size > KEPT * limit) {
        return spillAndForget(segment, state);
      }
      state.kept = true;
      kept += memory.size;
    }
  }

  /** Gives a segment up that is asked for again, once its bytes are where they are found then. */
  function spillAndForget(segment: Segment, state: State): void {
    const spilling = state.memory && segment.spill?.(state.memory);
    if (!spilling) return forget(segment);
    state.leaving = true;
    leaving++;
    spilling.then(() => {
      leaving--;
      forget(segment);
      serve();
    });
  }

  const isFree = ({ segment, settled, leaving, gone }: State) =>
    settled && !leaving && !gone && segment.readers === 0;

  // What readers have left behind.
  const isLeft = ({ segment, kept }: State) =>
    !kept && (segment.isPassed() || (segment.seen + segment.used > 0 && !segment.isNear()));

  /** Gives up what is needed least, until there is room. */
  function makeRoom(waiting: boolean): boolean {
    const room = waiting ? limit : limit * (1 - RESERVE);
    const hasRoom = (soon = 0) => held + memory.size * (1 - soon) <= room;
    if (hasRoom()) return true;
    // Here and below with `forEach`, which makes nothing: what iterators make was most of this thread's garbage.
    const drop = (from: Sequence, choose: (state: State) => boolean) =>
      from.forEach((state) => {
        if (hasRoom(leaving) || !isFree(state) || !choose(state)) return;
        if (state.segment.seen > 0) spillAndForget(state.segment, state);
        else forget(state.segment);
      });
    drop(states, isLeft);
    if (waiting) {
      if (kept > 0) drop([...states.values()].reverse(), ({ kept }) => kept);
      drop(states, () => true);
    }
    return hasRoom();
  }

  let serving = false;
  function serve(): void {
    // What is dropped to make room calls again.
    if (serving || claims.size === 0) return;
    serving = true;
    giveOut();
    serving = false;
  }

  function giveOut(): void {
    const give = ({ segment, resolve }: Claim) => {
      claims.delete(segment);
      states.get(segment)!.lent = true;
      held += memory.size;
      resolve(memory.take());
    };
    let full = false;
    claims.forEach((claim) => {
      if (full || claim.segment.readers === 0) return;
      // What is on its way to the disk makes room at once; nothing else is waited for.
      full = !makeRoom(true) && leaving > 0;
      if (!full) give(claim);
    });
    claims.forEach((claim) => {
      if (full || !claim.segment.isNext()) return;
      full = !makeRoom(false);
      if (!full) give(claim);
    });
  }

  return {
    kept: () => kept,
    keeps: KEPT * limit,
    add(segment) {
      const state: State = {
        segment,
        settled: false,
        memory: undefined,
        lent: false,
        kept: false,
        leaving: false,
        gone: false,
      };
      states.set(segment, state);
      segment.filled.then((bytes) => {
        state.settled = true;
        state.memory = bytes;
        settle(segment);
      }, () => {
        // Who waits for it is told; who comes later tries anew. A late answer might still be written to its memory.
        state.settled = true;
        claims.delete(segment);
        if (state.gone) release(segment, state);
        else forget(segment);
      });
    },
    claim(segment) {
      const claim: Claim = { segment, ...Promise.withResolvers<SegmentBytes>() };
      const state = states.get(segment);
      claims.set(segment, claim);
      if (state && !state.gone) serve();
      else {
        claims.delete(segment);
        claim.reject(new RangeError("Cannot read the source as it is closed"));
      }
      return claim.promise;
    },
    serve,
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
