/**
 * Histograms of magnitudes and the selections that follow from them, on the kernels' memory.
 *
 * @module
 */
import type { Kernels, ListKeys } from "../tensor/kernels/mod.ts";
import { binOfRank, COARSE_BINS, FINE_BINS, thresholdIn } from "../tensor/order_statistics.ts";
import type { CollectJob, KeyCut, Lane, LaneKind, SampledKeys, WindowTally } from "./chunk_job.ts";

/** Keys that a thread lists for one lane at most. */
export const LISTED = 2 ** 18;

const COARSE_BYTES = COARSE_BINS * 4;
const FINE_BYTES = FINE_BINS * 4;
/** Before a list stand its length and the tally of the last chunk. */
const LIST_START = 64;
/** Large enough for any lane, and for coarse and fine counters or two coarse ones, as scratch needs. */
const SLOT_BYTES = LIST_START + LISTED * 4;

/** Accumulators in the first part of the kernels' memory. */
export interface Accumulators {
  /** Names the thread. */
  readonly thread: string;
  /** First byte behind all slots. */
  end(): number;
  /** Offset of scratch space for two tables of coarse bins. */
  scratch(): number;
  /** Offset of space that stays as it is, a megabyte of it; `fill` is called once. */
  lasting(id: string, fill: (offset: number) => void): number;
  /** Offset of a lane's slot under an id; cleared when it is taken. */
  slot(id: string, lane: number, kind: LaneKind["kind"]): number;
  /** Copies out what a job asks for, and frees the slots. */
  collect(job: CollectJob): (Uint32Array | undefined)[];
}

/** A lane's place. */
interface Slot {
  readonly index: number;
  readonly kind: LaneKind["kind"];
}

/** Starts with no slots. */
export function createAccumulators(kernels: Kernels): Accumulators {
  const owners: (string | undefined)[] = [];
  const ids = new Map<string, Map<number, Slot>>();
  const words = (offset: number, count: number) =>
    new Uint32Array(kernels.memory.buffer, offset, count);
  /** The counters of a slot, or its list. */
  const contents = ({ index, kind }: Slot) => {
    const at = index * SLOT_BYTES;
    if (kind === "coarse") return words(at, COARSE_BINS);
    return kind === "fine" ? words(at, FINE_BINS) : words(at + LIST_START, words(at, 1)[0]!);
  };
  const take = (id: string, lane: number, kind: LaneKind["kind"]) => {
    let slots = ids.get(id);
    if (!slots) ids.set(id, slots = new Map());
    const known = slots.get(lane);
    if (known) return known.index * SLOT_BYTES;
    const free = owners.indexOf(undefined);
    const index = free >= 0 ? free : owners.length;
    owners[index] = id;
    slots.set(lane, { index, kind });
    kernels.reserve((index + 1) * SLOT_BYTES);
    // What a lane does not use is never touched, so that it takes no memory.
    if (kind === "window") words(index * SLOT_BYTES, 1)[0] = 0;
    else contents({ index, kind }).fill(0);
    return index * SLOT_BYTES;
  };

  return {
    thread: crypto.randomUUID(),
    end: () => owners.length * SLOT_BYTES,
    scratch: () => take("scratch", 0, "coarse"),
    lasting(id, fill) {
      const known = ids.get(id)?.get(0);
      if (known) return known.index * SLOT_BYTES;
      const offset = take(id, 0, "window");
      fill(offset);
      return offset;
    },
    slot: take,
    collect({ id, wanted }) {
      const slots = ids.get(id);
      const results = wanted.map((wanted, lane) => {
        const slot = slots?.get(lane);
        return wanted && slot ? contents(slot).slice() : undefined;
      });
      ids.delete(id);
      for (const { index } of slots?.values() ?? []) owners[index] = undefined;
      while (owners.length > 0 && owners.at(-1) === undefined) owners.pop();
      return results;
    },
  };
}

/** Counts one row's keys into a slot; answers what a window holds. */
export function countMagnitudes(
  kernels: Kernels,
  x: number,
  base: number,
  count: number,
  slot: number,
  lane: Lane,
): WindowTally | undefined {
  const { call } = kernels;
  if (lane.kind === "coarse") call.histogram(x, base, count, slot);
  if (lane.kind === "fine") call.fineHistogram(x, base, count, lane.bin, slot);
  if (lane.kind !== "window") return undefined;
  const lister = keyLister(kernels, call.listWindow, slot, lane);
  lister.take(x, base, count);
  return lister.tally();
}

/** A lane that lists keys. */
export type WindowLane = Extract<Lane, { readonly kind: "window" }>;

/** Lists keys of a row, piece by piece, and adds up what was found. */
export interface KeyLister {
  /** Takes the next elements. */
  take(x: number, base: number, count: number): void;
  /** The largest key so far. */
  largest(): number;
  tally(): WindowTally;
  /** Takes out of the list what was put there. */
  undo(): void;
}

/** A lister into a slot; nothing may grow the memory while it is used. */
export function keyLister(
  { memory }: Kernels,
  list: ListKeys,
  slot: number,
  { low, high, guess }: WindowLane,
): KeyLister {
  const words = new Uint32Array(memory.buffer, slot, LIST_START / 4);
  const before = words[0]!;
  let [above, zeros, equal, found, largest] = [0, 0, 0, 0, 0];
  return {
    take(x, base, count) {
      const length = words[0]!;
      const end = slot + LIST_START + length * 4;
      list(x, base, count, low, high, guess, end, LISTED - length, slot + 4);
      above += words[1]!;
      zeros += words[2]!;
      equal += words[3]!;
      found += words[4]!;
      largest = Math.max(largest, words[5]!);
      words[0] = Math.min(length + words[4]!, LISTED);
    },
    largest: () => largest,
    tally() {
      const after = before + found;
      return { above, zeros, equal, ...(after <= LISTED ? { listed: [before, after] } : {}) };
    },
    undo: () => void (words[0] = before),
  };
}

/** Counts the keys of a sample, using scratch space. */
export function sampleMagnitudes(
  { call, memory }: Kernels,
  x: number,
  base: number,
  count: number,
  scratch: number,
): SampledKeys {
  const counts = new Uint32Array(memory.buffer, scratch, COARSE_BINS).fill(0);
  call.sampleKeys(x, base, count, scratch, scratch + COARSE_BYTES);
  const keys = new Uint32Array(memory.buffer, scratch + COARSE_BYTES, COARSE_BINS);
  let used = 0;
  for (let bin = 0; bin < COARSE_BINS; bin++) used += Math.sign(counts[bin]!);
  const sampled = {
    bins: new Uint32Array(used),
    counts: new Uint32Array(used),
    keys: new Uint32Array(used),
  };
  for (let bin = 0, at = 0; at < used; bin++) {
    if (counts[bin] === 0) continue;
    sampled.bins[at] = bin;
    sampled.counts[at] = counts[bin]!;
    sampled.keys[at++] = keys[bin]!;
  }
  return sampled;
}

/** The cut above the `rank`-th largest magnitude of a chunk that is a whole tensor, using scratch space. */
export function cutAtRank(
  { call, memory }: Kernels,
  x: number,
  base: number,
  count: number,
  rank: number,
  scratch: number,
): KeyCut {
  const coarse = new Uint32Array(memory.buffer, scratch, COARSE_BINS).fill(0);
  call.histogram(x, base, count, scratch);
  const { bin, remaining } = binOfRank(coarse, rank);
  const place = scratch + COARSE_BYTES;
  const counts = new Uint32Array(memory.buffer, place, FINE_BYTES / 4).fill(0);
  call.fineHistogram(x, base, count, bin, place);
  const { key, equal, keepEqual } = thresholdIn(bin, remaining, counts);
  return { key, quota: keepEqual === equal ? Infinity : keepEqual };
}
