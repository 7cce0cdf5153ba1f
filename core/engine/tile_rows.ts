/**
 * The inputs of a chunk as they are stored, tile by tile, in the kernels' memory.
 *
 * @module
 */
import type { Kernels } from "../tensor/kernels/mod.ts";
import { type DType, DTYPES } from "../tensor/dtype.ts";
import type { ChunkInput, ChunkInputs } from "./chunk_job.ts";
import type { InputReader } from "./placed_inputs.ts";
import { BLOCK } from "./segments.ts";

/** Elements of a tile: a multiple of the blocks that sums are taken of; the tiles of some models fit the cache. */
export const TILE = 4 * BLOCK;
/** Bytes from row to row. */
export const STRIDE = 4 * TILE;
/** Elements that may be read beyond the end; there are zeros. */
export const SLACK = 8;

/** The rows of a tile: the models', then the base. */
export interface TileRows {
  /** First byte of the first row. */
  readonly x: number;
  readonly baseRow: number;
  /** Types of the rows, and bytes of their elements. */
  readonly types: readonly DType[];
  readonly widths: readonly number[];
  /** First byte behind the rows. */
  readonly end: number;
  /** First byte of what a row's task vector is the difference to: the base, or zeros, if these were asked for. */
  origin(row: number): number;
  /** Copies or reads the elements from `from` on into the rows; answers whether it could. */
  fill(from: number, size: number): boolean;
}

/** Where rows are placed, and what beside them. */
export interface RowOptions {
  readonly start: number;
  /** Bytes that are needed behind the rows. */
  readonly extra?: number;
  /** Whether a row of zeros is needed. */
  readonly zeros?: boolean;
}

/** Places the rows of a chunk from `start` on; nothing may grow the memory while they are used. */
export function placeRows(
  kernels: Kernels,
  reader: InputReader,
  { models, base, kinds }: ChunkInputs,
  { start, extra = 0, zeros = false }: RowOptions,
): TileRows {
  const x = Math.ceil(start / 16) * 16;
  const inputs: ChunkInput[] = base ? [...models, base] : [...models];
  const rowAt = (row: number) => x + row * STRIDE;
  const none = rowAt(inputs.length);
  const end = zeros ? none + STRIDE : none;
  const readers = inputs.map(({ at }) => at && reader.open(at));
  const types = inputs.map(({ dtype }) => dtype);
  const widths = types.map((dtype) => DTYPES[dtype].bytes);
  kernels.reserve(end + extra);
  const heap = new Uint8Array(kernels.memory.buffer as ArrayBuffer);
  heap.fill(0, none, end);
  // Views are made once a chunk: one for every row of every tile would be most of a thread's garbage.
  const whole = inputs.map((_, row) => heap.subarray(rowAt(row), rowAt(row) + TILE * widths[row]!));
  return {
    x,
    baseRow: models.length,
    types,
    widths,
    end,
    origin: (row) => base && kinds[row] === "weights" ? rowAt(models.length) : none,
    fill: (from, size) =>
      inputs.every((input, row) => {
        const width = widths[row]!;
        const at = rowAt(row);
        const end = at + size * width;
        if (size < TILE) heap.fill(0, end, end + SLACK * width);
        if (input.at) {
          const target = size === TILE ? whole[row]! : heap.subarray(at, end);
          return readers[row]?.(target, from * width) ?? false;
        }
        heap.set(input.bytes.subarray(from * width, (from + size) * width), at);
        return true;
      }),
  };
}
