/**
 * Jobs on tensors as they are stored: each tile is copied in, decoded, worked on and encoded in one loop.
 *
 * @module
 */
import { DTYPES } from "../../tensor/dtype.ts";
import type { ChunkInput, ChunkResult, MapJob, ReduceJob } from "../chunk_job.ts";
import type { Kernels } from "../../tensor/kernels/mod.ts";
import type { InputReader } from "../placed_inputs.ts";
import { BLOCK } from "../segments.ts";
import type { Stored } from "./formats.ts";
import { type Compiled, placeVector } from "./fused.ts";

/** Elements of a tile: a multiple of the blocks that sums are taken of; the tiles of some models fit the cache. */
export const TILE = 4 * BLOCK;
/** Bytes from row to row. */
const STRIDE = 4 * TILE;
/** Elements that a program may read beyond the end. */
const SLACK = 8;

/** Whether programs read and write this element type themselves. */
export function isStored(dtype: string): dtype is Stored {
  return dtype === "F32" || dtype === "BF16";
}

/** What a chunk is run with. */
export interface RawRun {
  readonly kernels: Kernels;
  readonly compiled: Compiled;
  /** First free byte of the kernels' memory. */
  readonly start: number;
  /** Fetches inputs that are not there yet straight into the tiles. */
  readonly reader: InputReader;
}

const UNREAD: ChunkResult = { unread: true };

/**
 * Maps a chunk.
 *
 * @returns Undefined if something is not finite or does not fit: the way over decoded rows knows what.
 */
export function mapRaw(run: RawRun, job: MapJob): ChunkResult | undefined {
  const place = placeTiles(run, job);
  const { kernels } = run;
  const { count } = job.inputs;
  const width = DTYPES[job.out].bytes;
  const bytes = new Uint8Array(count * width);
  for (let from = 0; from < count; from += TILE) {
    const size = Math.min(TILE, count - from);
    if (!place.fill(from, size)) return UNREAD;
    if (place.run(0, size) !== 0) return undefined;
    bytes.set(new Uint8Array(kernels.memory.buffer, place.y, size * width), from * width);
  }
  return { bytes };
}

/** Sums a chunk block by block; see {@linkcode mapRaw}. */
export function reduceRaw(run: RawRun, job: ReduceJob): ChunkResult | undefined {
  const place = placeTiles(run, job);
  const { kernels } = run;
  const { count, kinds, base } = job.inputs;
  const sums = new Float64Array(Math.ceil(count / BLOCK) * job.sums);
  let agreed = true;
  let agreedWithBase = base !== undefined;
  for (let from = 0, block = 0; from < count; from += TILE) {
    const size = Math.min(TILE, count - from);
    if (!place.fill(from, size)) return UNREAD;
    for (let row = 1; agreed && row < kinds.length; row++) agreed = place.same(0, row, size);
    agreedWithBase &&= agreed && place.same(0, place.baseRow, size);
    for (let at = 0; at < size; at += BLOCK, block++) {
      if (place.run(at, Math.min(BLOCK, size - at)) !== 0) return undefined;
      const found = new Float64Array(kernels.memory.buffer, place.y, job.sums);
      if (!found.every(Number.isFinite)) return undefined;
      sums.set(found, block * job.sums);
    }
  }
  return { sums, agreed, agreedWithBase: agreed && agreedWithBase };
}

/** The tiles' place in memory. */
interface Place {
  readonly y: number;
  readonly baseRow: number;
  /** Copies or reads the elements from `from` on into the rows; answers whether it could. */
  fill(from: number, size: number): boolean;
  /** Whether two rows hold the same bits. */
  same(a: number, b: number, size: number): boolean;
  /** Runs the program on elements of the tile. */
  run(at: number, size: number): number;
}

function placeTiles(
  { kernels, compiled: { program, run }, start, reader }: RawRun,
  job: MapJob | ReduceJob,
): Place {
  const { models, base } = job.inputs;
  const x = Math.ceil(start / 16) * 16;
  const inputs: ChunkInput[] = base ? [...models, base] : [...models];
  const y = x + inputs.length * STRIDE;
  const coefficients = y + STRIDE;
  const readers = inputs.map(({ at }) => at && reader.open(at));
  const widths = inputs.map(({ dtype }) => DTYPES[dtype].bytes);
  kernels.reserve(coefficients + 8 * program.coefficients.length + 16 * SLACK);
  placeVector(kernels, program, job, 0, coefficients);
  const heap = new Uint8Array(kernels.memory.buffer as ArrayBuffer);
  const words = new Int32Array(kernels.memory.buffer);
  const baseRow = models.length;
  return {
    y,
    baseRow,
    fill(from, size) {
      return inputs.every((input, row) => {
        const width = widths[row]!;
        const at = x + row * STRIDE;
        const end = at + size * width;
        if (size < TILE) heap.fill(0, end, end + SLACK * width);
        if (input.at) return readers[row]?.(heap.subarray(at, end), from * width) ?? false;
        heap.set(input.bytes.subarray(from * width, (from + size) * width), at);
        return true;
      });
    },
    same(a, b, size) {
      const [left, right] = [(x + a * STRIDE) / 4, (x + b * STRIDE) / 4];
      const end = Math.ceil(size * widths[a]! / 4);
      for (let i = 0; i < end; i++) if (words[left + i] !== words[right + i]) return false;
      return true;
    },
    run(at, size) {
      const offset = (row: number) => x + row * STRIDE + at * widths[row]!;
      return run(
        size,
        offset(0),
        STRIDE,
        offset(0),
        base ? offset(baseRow) : 0,
        coefficients,
        0,
        y,
        STRIDE,
      );
    },
  };
}
