/**
 * Cuts tensors into chunks and reads them.
 *
 * @module
 */
import type { StoredTensor } from "../checkpoint/checkpoint.ts";
import type { Bytes } from "../checkpoint/byte_source.ts";
import type { ChunkInput, ChunkInputs, RowLayout } from "../engine/chunk_job.ts";
import { BLOCK } from "../engine/run_chunk.ts";
import type { MergeWork } from "../merge/plan_types.ts";
import { DTYPES } from "../tensor/dtype.ts";
import type { BufferPool } from "./buffers.ts";

/** A run of elements of one tensor. */
export interface Chunk {
  readonly index: number;
  /** First element. */
  readonly start: number;
  /** Number of elements. */
  readonly count: number;
}

/**
 * The chunks of a tensor: about `size` elements each (even; whole blocks where sums are taken). With a row length a chunk is
 * made of whole rows, or of whole blocks of one long row, so that block sums never depend on `size`.
 */
export function chunksOf(elements: number, size: number, rowLength?: number): Chunk[] {
  const chunks: Chunk[] = [];
  const add = (start: number, count: number) => chunks.push({ index: chunks.length, start, count });
  if (rowLength === undefined) {
    for (let at = 0; at < elements; at += size) add(at, Math.min(size, elements - at));
  } else if (rowLength <= size) {
    const step = Math.floor(size / rowLength) * rowLength;
    for (let at = 0; at < elements; at += step) add(at, Math.min(step, elements - at));
  } else {
    const step = Math.max(Math.floor(size / BLOCK), 1) * BLOCK;
    for (let row = 0; row < elements; row += rowLength) {
      for (let at = 0; at < rowLength; at += step) add(row + at, Math.min(step, rowLength - at));
    }
  }
  return chunks;
}

/** How a chunk lies in rows. */
export function rowLayout(chunk: Chunk, rowLength: number): RowLayout {
  return { length: rowLength, offset: chunk.start % rowLength };
}

/** The bytes of a chunk of one tensor. */
export function readChunk(
  tensor: StoredTensor,
  { start, count }: Pick<Chunk, "start" | "count">,
  signal: AbortSignal,
): Promise<Bytes> {
  const { bytes } = DTYPES[tensor.dtype];
  const from = tensor.start + start * bytes;
  return tensor.source.slice(from, from + count * bytes, signal);
}

/** The same chunk of every input of a merge, read at once into lent buffers where the source can. */
export async function readInputs(
  work: MergeWork,
  chunk: Chunk,
  finite: boolean,
  buffers: BufferPool,
  signal: AbortSignal,
): Promise<ChunkInputs> {
  const read = async (tensor: StoredTensor): Promise<ChunkInput> => {
    const { source, dtype } = tensor;
    if (!source.readInto) return { dtype, bytes: await readChunk(tensor, chunk, signal) };
    const bytes = buffers.take(chunk.count * DTYPES[dtype].bytes);
    await source.readInto(bytes, tensor.start + chunk.start * DTYPES[dtype].bytes, signal);
    return { dtype, bytes };
  };
  const [base, models] = await Promise.all([
    work.base && read(work.base.tensor),
    Promise.all(work.inputs.map((input) => read(input.tensor))),
  ]);
  return {
    count: chunk.count,
    ...(base ? { base } : {}),
    models,
    kinds: work.inputs.map((input) => input.kind),
    finite,
  };
}
