/**
 * Cuts tensors into chunks and reads them.
 *
 * @module
 */
import type { StoredTensor } from "../checkpoint/checkpoint.ts";
import type { Bytes } from "../checkpoint/byte_source.ts";
import type { ChunkInput, ChunkInputs, VectorLayout } from "../engine/chunk_job.ts";
import { BLOCK, rowsPerBlock } from "../engine/segments.ts";
import { inputBytes } from "../merge/passes.ts";
import type { MergeWork, PlannedTensor } from "../merge/plan_types.ts";
import type { Vectors } from "../methods/measure.ts";
import { DTYPES } from "../tensor/dtype.ts";
import type { BufferPool } from "./buffers.ts";
import type { Holds } from "./holds.ts";
import type { NearReads } from "./near_reads.ts";

/** A tensor to compute. */
export type MergeTensor = PlannedTensor & { readonly work: MergeWork };

/** A run of elements of one tensor. */
export interface Chunk {
  readonly index: number;
  /** First element. */
  readonly start: number;
  /** Number of elements. */
  readonly count: number;
}

/** The chunks of a tensor in flat order: `size` elements each. */
export function chunksOf(elements: number, size: number): Chunk[] {
  return cut(0, elements, size, []);
}

/**
 * The chunks in which a tensor is merged: about `size` elements each (an even number), but made of whole
 * blocks or vectors where sums or ranks are taken, so that these never depend on `size`.
 */
export function mergeChunks(
  { elements, work: { decision } }: MergeTensor,
  chunkElements: number,
): Chunk[] {
  const { vectors, measures, selections } = decision;
  const size = isTiled(decision) ? chunkElements : halved(chunkElements);
  const whole = selections?.find((selection) => selection?.kind === "ranked");
  if (whole) {
    const length = whole.length * whole.stride;
    return cut(0, elements, Math.max(Math.floor(size / length), 1) * length, []);
  }
  const sums = measures?.some(({ kind }) => kind === "sums") ?? false;
  const blocks = sums ? Math.max(size, BLOCK) : size;
  if (!vectors) return chunksOf(elements, blocks);
  const { along, rowLength } = vectors;
  const unit = along === "rows" ? rowLength : rowLength * rowsPerBlock(rowLength);
  if (rowLength <= blocks || (along === "columns" && rowsPerBlock(rowLength) > 1)) {
    return cut(0, elements, Math.max(Math.floor(blocks / unit), 1) * unit, []);
  }
  const step = Math.max(Math.floor(blocks / BLOCK), 1) * BLOCK;
  const chunks: Chunk[] = [];
  for (let row = 0; row < elements; row += rowLength) cut(row, rowLength, step, chunks);
  return chunks;
}

/** Whether all passes go through small tiles: chunks of others lie in memory as a whole, decoded. */
function isTiled({ vectors, measures, selections }: MergeWork["decision"]): boolean {
  const whole = selections?.some((each) => each?.kind === "random" || each?.kind === "ranked");
  return !vectors && !whole &&
    (measures?.every(({ kind }) => kind === "sums") ?? true);
}

/** Half a chunk, of whole blocks where it has some. */
function halved(size: number): number {
  return Math.max(Math.floor(size / 2 / BLOCK) * BLOCK, Math.min(size, BLOCK));
}

/** Adds the pieces of `length` elements from `start` on. */
function cut(start: number, length: number, step: number, chunks: Chunk[]): Chunk[] {
  for (let at = 0; at < length; at += step) {
    chunks.push({ index: chunks.length, start: start + at, count: Math.min(step, length - at) });
  }
  return chunks;
}

/** How a chunk lies in the vectors of its tensor. */
export function vectorLayout(
  chunk: Chunk,
  elements: number,
  { along, rowLength }: Vectors,
): VectorLayout {
  return {
    along,
    length: rowLength,
    offset: chunk.start % rowLength,
    rows: elements / rowLength,
  };
}

/** The vectors `[from, to)` that a chunk touches; of columns those are all. */
export function vectorsOf(
  { start, count }: Chunk,
  { along, rowLength }: Vectors,
): [number, number] {
  return along === "columns"
    ? [0, rowLength]
    : [Math.floor(start / rowLength), Math.ceil((start + count) / rowLength)];
}

/** First byte and number of bytes of pieces of a tensor. */
function placesOf(
  { dtype, start }: StoredTensor,
  pieces: readonly Pick<Chunk, "start" | "count">[],
): [number, number][] {
  const { bytes } = DTYPES[dtype];
  return pieces.map((piece) => [start + piece.start * bytes, piece.count * bytes]);
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

/** The inputs of a chunk without their bytes. */
export function emptyInputs({ base, inputs }: MergeWork, count: number): ChunkInputs {
  const empty = ({ tensor: { dtype } }: { readonly tensor: StoredTensor }): ChunkInput => ({
    dtype,
    bytes: new Uint8Array(0),
  });
  return {
    count,
    ...(base ? { base: empty(base) } : {}),
    models: inputs.map(empty),
    kinds: inputs.map(({ kind }) => kind),
    finite: true,
  };
}

/** The bytes of an input that is not read yet. */
const NOTHING = new Uint8Array(0);

/** Samples of inputs with more bytes than this are read alone: what lies around them would be gone before its turn. */
const SAMPLED_WHOLE = 32 << 20;

/** Each of these may be a request of its own. */
const ALONE_AT_ONCE = 8;

/** How the inputs of a job are read. */
export interface PieceOptions {
  /** Whether NaN and infinity are a fault. */
  readonly finite: boolean;
  /** Whether no other pass comes. */
  readonly last: boolean;
  readonly buffers: BufferPool;
  readonly signal: AbortSignal;
  /** Whether inputs that other threads can read are left to the one that works on them. */
  readonly placed: boolean;
  /** Keeps inputs where they are that other threads can see. */
  readonly holds: Holds;
}

/**
 * Some pieces of every input of a merge, one behind the other, read at once: where the thread that works on them finds
 * them, or into lent buffers where the source can.
 */
export async function readPieces(
  work: MergeWork,
  pieces: readonly Pick<Chunk, "start" | "count">[],
  { finite, last, buffers, signal, placed, holds }: PieceOptions,
): Promise<ChunkInputs> {
  const count = pieces.reduce((sum, piece) => sum + piece.count, 0);
  const others = [...work.inputs, ...work.statistics ?? []];
  const between = inputBytes(work);
  const alone = pieces.length > 1 && between > SAMPLED_WHOLE;
  const read = async (tensor: StoredTensor): Promise<ChunkInput> => {
    const { source, dtype } = tensor;
    if (placed && source.place) {
      return {
        dtype,
        bytes: NOTHING,
        at: { place: source.place, pieces: placesOf(tensor, pieces) },
      };
    }
    const [[start, length]] = placesOf(tensor, pieces) as [[number, number]];
    if (source.hold && pieces.length === 1) {
      const held = await source.hold(start, start + length, { signal, last, between });
      holds.add(held);
      return { dtype, bytes: NOTHING, at: { shared: held.pieces } };
    }
    if (!source.readInto && pieces.length === 1) {
      return { dtype, bytes: await readChunk(tensor, pieces[0]!, signal) };
    }
    const width = DTYPES[dtype].bytes;
    const bytes = buffers.take(count * width);
    let end = 0;
    const fill = async (piece: Pick<Chunk, "start" | "count">) => {
      const from = end;
      end += piece.count * width;
      const target = bytes.subarray(from, end);
      if (source.readInto) {
        const how = alone ? "alone" as const : undefined;
        await source.readInto(target, tensor.start + piece.start * width, signal, how);
      } else target.set(await readChunk(tensor, piece, signal));
    };
    const step = alone ? ALONE_AT_ONCE : pieces.length;
    for (let at = 0; at < pieces.length; at += step) {
      await Promise.all(pieces.slice(at, at + step).map(fill));
    }
    return { dtype, bytes };
  };
  const [base, models] = await Promise.all([
    work.base && read(work.base.tensor),
    Promise.all(others.map((input) => read(input.tensor))),
  ]);
  return {
    count,
    ...(base ? { base } : {}),
    models,
    kinds: work.inputs.map((input) => input.kind),
    finite,
  };
}

/** All inputs of a small tensor, lent while `run` is under way. */
export function withInputs<T>(
  { base, inputs, statistics = [] }: MergeWork,
  { count, finite, near }: {
    readonly count: number;
    readonly finite: boolean;
    readonly near: NearReads;
  },
  run: (inputs: ChunkInputs) => Promise<T>,
): Promise<T> {
  const tensors = [...inputs, ...statistics, ...(base ? [base] : [])].map(({ tensor }) => tensor);
  return near.lend(tensors, (all) => {
    const read = all.map((bytes, i): ChunkInput => ({ dtype: tensors[i]!.dtype, bytes }));
    return run({
      count,
      ...(base ? { base: read.pop()! } : {}),
      models: read,
      kinds: inputs.map(({ kind }) => kind),
      finite,
    });
  });
}
