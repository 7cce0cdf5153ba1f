/**
 * Jobs on a GPU that read tensors as they are stored, as those on tiles do on the processor.
 *
 * @module
 */
import { mapGraph, PARTIAL, partialGraph } from "./chunk_graph.ts";
import type { ChunkInput, ChunkResult, MapJob, ReduceJob } from "./chunk_job.ts";
import { loadChunk } from "./chunk_memory.ts";
import { chunkSums, graphKey, graphOf, layoutOf, type Thread } from "./graph_jobs.ts";
import { BLOCK, type Segments, segmentsOf } from "./segments.ts";
import { formatNumber } from "./webgpu/codec_shader.ts";
import { areUploadable } from "./webgpu/gpu_chunks.ts";

/** Partial sums of a block. */
const PARTIALS = BLOCK / PARTIAL;

/**
 * A block's sum below this may have lost terms under the range of float32, which devices flush to zero: 2^20 times what
 * a block's terms can lose (METHODS.md 2.3). Sums that are 0 are among them.
 */
const LEAST_SUM = 2 ** 20 * BLOCK * 2 ** -126;

/** Whether neither selections nor vectors need the chunk in the processor's memory. */
function isPlain(job: MapJob | ReduceJob): boolean {
  return job.selections === undefined && job.scored === undefined && job.vectors === undefined &&
    areUploadable(job.inputs);
}

/**
 * Maps a chunk.
 *
 * @returns Undefined if the job is none for this way, or has a fault, which is found on decoded rows; with a fallback
 *   alone if the device failed.
 */
export async function mapOnDevice(
  { gpu }: Thread,
  job: MapJob,
): Promise<ChunkResult | undefined> {
  if (!gpu || job.double || !isPlain(job) || formatNumber(job.out) === undefined) return undefined;
  const layout = layoutOf(job.inputs, job.inputs.kinds, job, false);
  const key = graphKey("map", job, layout);
  const build = () => mapGraph(layout, graphOf(job), "device").serialize();
  const done = await gpu.attempt((_, chunks) => chunks.map(job, { key, build }));
  if ("fallback" in done) return done;
  return done.result === undefined || done.result === "missing"
    ? undefined
    : { bytes: done.result };
}

/** Sums a chunk; see {@linkcode mapOnDevice}. Blocks whose terms leave the range of float32 are summed here. */
export async function reduceOnDevice(
  thread: Thread,
  job: ReduceJob,
): Promise<ChunkResult | undefined> {
  const { gpu, kernels, accumulators } = thread;
  const { base, models, count, kinds } = job.inputs;
  const inputs = base ? [...models, base] : models;
  if (!gpu || !isPlain(job) || inputs.some(({ dtype }) => dtype !== models[0]!.dtype)) {
    return undefined;
  }
  const layout = layoutOf(job.inputs, kinds, job, false);
  const key = graphKey("partial", job, layout);
  const build = () => partialGraph(layout, graphOf(job), job.sums).serialize();
  const done = await gpu.attempt((_, chunks) => chunks.sums(job, { key, build }));
  if ("fallback" in done) return done;
  if (!done.result) return undefined;
  const { partials, stays } = done.result;
  const segments = segmentsOf(count, undefined);
  const sums = blockSums(partials, segments.count, job.sums);
  const doubtful = [...segmentIndices(segments)].filter((block) =>
    sums.subarray(block * job.sums, (block + 1) * job.sums).some(isDoubtful)
  );
  if (doubtful.length > 0) {
    const memory = loadChunk(kernels, accumulators.end(), job.inputs, 8);
    if ("element" in memory) return { fault: memory };
    const some = {
      ...segments,
      count: doubtful.length,
      at: (i: number) => segments.at(doubtful[i]!),
    };
    const exact = await chunkSums(thread, memory, job, kinds, some, undefined);
    doubtful.forEach((block, i) =>
      sums.set(exact.subarray(i * job.sums, (i + 1) * job.sums), block * job.sums)
    );
  }
  const agreed = models.every((model) => sameBytes(model, models[0]!));
  return {
    sums,
    agreed,
    agreedWithBase: agreed && base !== undefined && sameBytes(base, models[0]!),
    ...(stays ? { kept: { thread: accumulators.thread, id: job.keep! } } : {}),
  };
}

function* segmentIndices({ count }: Segments): Generator<number> {
  for (let i = 0; i < count; i++) yield i;
}

function isDoubtful(sum: number): boolean {
  return !(Math.abs(sum) >= LEAST_SUM && Math.abs(sum) < Infinity);
}

/** Adds up the partial sums of each block, in order. */
function blockSums(partials: Float32Array, blocks: number, width: number): Float64Array {
  const sums = new Float64Array(blocks * width);
  for (let at = 0; at < partials.length; at++) {
    const block = Math.floor(at / (width * PARTIALS));
    sums[block * width + at % width]! += partials[at]!;
  }
  return sums;
}

/** Whether two inputs of one element type hold the same bits. */
function sameBytes({ bytes: a }: ChunkInput, { bytes: b }: ChunkInput): boolean {
  if (a === b) return true;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
