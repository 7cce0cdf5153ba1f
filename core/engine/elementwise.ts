/**
 * Runs graphs whose result belongs to the elements of a chunk: maps and scores.
 *
 * @module
 */
import type { Kernels } from "../tensor/kernels/mod.ts";
import type { GraphCall } from "./chunk_job.ts";
import { type ChunkMemory, floats } from "./chunk_memory.ts";
import type { Engine } from "./engine.ts";
import { type Feeds, type Numbers, pieceFeeds, release, wholeFeeds } from "./feeds.ts";
import { BLOCK } from "./segments.ts";

/** Elements that a graph in float64 is given at once, to bound its memory. */
const PIECE = 8 * BLOCK;

/** A graph and where its result goes. */
export interface ElementwiseRun {
  readonly key: string;
  readonly build: () => Uint8Array;
  /** Name and rows of the graph's output, `[rows, N]`. */
  readonly output: string;
  readonly rows: number;
  /** Offset of the result, float32 `[rows, padded]`. */
  readonly target: number;
  readonly call: GraphCall;
  /** Whether the graph works in float64; its result is rounded to float32. */
  readonly double: boolean;
}

/** Runs the graph over the chunk; every element must depend on its own inputs alone. */
export async function runElementwise(
  engine: Engine,
  kernels: Kernels,
  memory: ChunkMemory,
  { key, build, output, rows, target, call, double }: ElementwiseRun,
): Promise<void> {
  const { padded } = memory;
  const run = async (feeds: Feeds, from: number, to: number) => {
    const outputs = await engine.run(key, build, feeds.inputs);
    feeds.release();
    const result = outputs[output]!.data as Numbers;
    const place = floats(kernels, target, rows * padded);
    for (let row = 0; row < rows; row++) {
      const part = result.subarray(row * (to - from), (row + 1) * (to - from));
      place.set(part, row * padded + from);
    }
    release(result);
  };
  if (!double) return await run(wholeFeeds(kernels, memory, call), 0, padded);
  const maker = pieceFeeds(kernels, memory, call, double);
  for (let from = 0; from < padded; from += PIECE) {
    const to = Math.min(from + PIECE, padded);
    await run(maker.make(from, to), from, to);
  }
  maker.release();
}
