/**
 * Jobs in tiles: a chunk is decoded, worked on and encoded piece by piece, so that the pieces stay in the
 * processor's cache. Only where neither selections nor vectors need the chunk as a whole.
 *
 * @module
 */
import type { Bytes } from "../checkpoint/byte_source.ts";
import { DTYPES } from "../tensor/dtype.ts";
import type { ChunkInput, ChunkInputs, ChunkResult, MapJob, ReduceJob } from "./chunk_job.ts";
import { loadChunk } from "./chunk_memory.ts";
import { mapChunk, reduceChunk, type Thread } from "./graph_jobs.ts";
import { BLOCK } from "./segments.ts";

/** Elements of a tile: a multiple of the blocks that sums are taken of. */
const TILE = 4 * BLOCK;

/**
 * Runs a job tile by tile.
 *
 * @param start First free byte of the kernels' memory.
 * @param group Elements that rows are padded to a multiple of.
 * @returns Undefined if the job is none for tiles, or has a fault, which is told of the chunk as a whole.
 */
export async function runTiles(
  thread: Thread,
  job: MapJob | ReduceJob,
  start: number,
  group: number,
): Promise<ChunkResult | undefined> {
  const { count } = job.inputs;
  const whole = job.selections !== undefined || job.scored !== undefined ||
    job.vectors !== undefined;
  if (!thread.fused || whole || count <= TILE) return undefined;
  const width = job.stage === "map" ? DTYPES[job.out].bytes : 0;
  const bytes = new Uint8Array(count * width);
  const sums: Float64Array[] = [];
  let agreed = true;
  let agreedWithBase = true;
  for (let from = 0; from < count; from += TILE) {
    const to = Math.min(from + TILE, count);
    const inputs = sliceInputs(job.inputs, from, to);
    const loaded = loadChunk(thread.kernels, start, inputs, group);
    if ("element" in loaded) return undefined;
    if (job.stage === "map") {
      const into = bytes.subarray(from * width, to * width);
      const { fault } = await mapChunk(thread, loaded, { ...job, inputs }, start, into);
      if (fault) return undefined;
    } else {
      const done = await reduceChunk(thread, loaded, { ...job, inputs }, start);
      sums.push(done.sums!);
      agreed &&= done.agreed === true;
      agreedWithBase &&= done.agreedWithBase === true;
    }
  }
  return job.stage === "map" ? { bytes } : { sums: joined(sums), agreed, agreedWithBase };
}

function sliceInputs(inputs: ChunkInputs, from: number, to: number): ChunkInputs {
  const slice = ({ dtype, bytes }: ChunkInput): ChunkInput => {
    const width = DTYPES[dtype].bytes;
    const part: Bytes = bytes.subarray(from * width, to * width);
    return { dtype, bytes: part };
  };
  return {
    ...inputs,
    count: to - from,
    models: inputs.models.map(slice),
    ...(inputs.base ? { base: slice(inputs.base) } : {}),
  };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
