/**
 * Gives dropped elements the value of the base, on the kernels' memory.
 *
 * @module
 */
import type { Kernels } from "../tensor/kernels/mod.ts";
import { maskThreshold } from "../tensor/random.ts";
import type { ChunkInputs, ChunkSelection, ChunkSelections, KeyCut } from "./chunk_job.ts";
import { type ChunkMemory, floats, stagingEnd } from "./chunk_memory.ts";
import { cutAtRank } from "./magnitudes.ts";
import { leastKept, TOP_KEY } from "./row_cuts.ts";
import { BLOCK } from "./segments.ts";

/** Bytes that ranking needs beside 24 for each element of a vector. */
const RANK_TABLES = 131072;

/** Words that may be written behind the random ones. */
const SPARE_WORDS = 16;

/** Where one model's chunk and the values of dropped elements lie. */
interface Place {
  readonly x: number;
  readonly base: number;
}

/**
 * Applies selections.
 *
 * @param scratch Offset of an accumulator for order statistics.
 * @returns What each model's chunk holds now: a selection that divides leaves a task vector.
 */
export function select(
  kernels: Kernels,
  memory: ChunkMemory,
  kinds: ChunkInputs["kinds"],
  selections: ChunkSelections,
  scratch: number,
): ChunkInputs["kinds"] {
  return kinds.map((kind, i) => {
    const selection = selections[i];
    if (!selection) return kind;
    const place = { x: memory.x + i * memory.padded * 4, base: memory.origins[i]! };
    apply(kernels, memory, selection, place, scratch);
    return selection.kind === "ranked" && selection.vectors.divide ? "task_vector" : kind;
  });
}

function apply(
  kernels: Kernels,
  memory: ChunkMemory,
  selection: ChunkSelection,
  { x, base }: Place,
  scratch: number,
): void {
  const { count, padded } = memory;
  const { call } = kernels;
  switch (selection.kind) {
    case "largest": {
      const { keep, skip } = selection;
      const cutAt = (rank: number) => cutAtRank(kernels, x, base, count, rank, scratch);
      const without = skip > 0 ? cutAt(skip) : undefined;
      keepInside(kernels, memory, { x, base }, keep > 0 ? cutAt(skip + keep) : undefined);
      if (without) dropInside(kernels, memory, { x, base }, without);
      break;
    }
    case "threshold":
      keepInside(kernels, memory, { x, base }, selection.cut);
      if (selection.without) dropInside(kernels, memory, { x, base }, selection.without);
      break;
    case "random": {
      const [k0, k1] = selection.key;
      const limit = maskThreshold(selection.probability);
      const words = stagingEnd(memory);
      kernels.reserve(words + 4 * (BLOCK + SPARE_WORDS));
      // One block at a time, so that the words stay in the cache.
      for (let at = 0; at < padded; at += BLOCK) {
        const size = Math.min(BLOCK, padded - at);
        const first = selection.first + at;
        call.keepRandom(x + at * 4, base + at * 4, size, k0, k1, first, limit, words);
      }
      break;
    }
    case "ranked": {
      const { vectors: { density, epsilon, divide, length, stride }, first, stream } = selection;
      const work = stagingEnd(memory);
      const draws = work + 24 * length + RANK_TABLES;
      const drawn = "draws" in stream;
      kernels.reserve(draws + (drawn ? 4 * count : 0));
      if (drawn) new Uint32Array(kernels.memory.buffer, draws, count).set(stream.draws);
      const [k0, k1] = drawn ? [0, 0] : stream.key;
      call.keepRanked(
        x,
        base,
        count,
        length,
        stride,
        density,
        epsilon,
        Number(divide),
        drawn ? draws : 0,
        k0,
        k1,
        first,
        work,
      );
      break;
    }
    case "mask": {
      const values = floats(kernels, x, count);
      const replacement = floats(kernels, base, count);
      for (let e = 0; e < count; e++) {
        if (selection.keep[e] === 0) values[e] = replacement[e]!;
      }
    }
  }
}

/** All models keep the elements whose score is inside the cut. */
export function selectScored(
  kernels: Kernels,
  { x, padded, count, origins }: ChunkMemory,
  scores: number,
  { key, quota }: KeyCut,
): void {
  const from = leastKept({ key, quota }, count);
  origins.forEach((base, i) => {
    const row = x + i * padded * 4;
    if (from !== undefined) kernels.call.keepScoredFrom(row, base, scores, padded, from);
    else kernels.call.keepScored(row, base, scores, count, key, quota);
  });
}

function keepInside(
  { call }: Kernels,
  { count, padded }: ChunkMemory,
  { x, base }: Place,
  cut: KeyCut = { key: TOP_KEY, quota: 0 },
): void {
  const from = leastKept(cut, count);
  if (from !== undefined) call.keepFrom(x, base, padded, from);
  else call.keepWithQuota(x, base, count, cut.key, cut.quota);
}

function dropInside(
  { call }: Kernels,
  { count, padded }: ChunkMemory,
  { x, base }: Place,
  cut: KeyCut,
): void {
  const from = leastKept(cut, count);
  if (from !== undefined) call.dropFrom(x, base, padded, from);
  else call.dropWithQuota(x, base, count, cut.key, cut.quota);
}
