/**
 * The graph inputs of a chunk beside its data: coefficients, and segments for reductions.
 *
 * @module
 */
import type { Coefficients } from "../methods/method.ts";
import type { Kernels } from "../tensor/kernels/mod.ts";
import { INPUT, perModelInput, singleInput } from "./chunk_graph.ts";
import type { RowLayout } from "./chunk_job.ts";
import { type ChunkMemory, floats } from "./chunk_memory.ts";
import type { EngineTensor } from "./engine.ts";

/** Coefficients as graph inputs; for rows each value is repeated over the elements of its row. */
export function coefficientFeeds(
  coefficients: readonly Coefficients[],
  padded: number,
  count: number,
  rows: RowLayout | undefined,
): Record<string, EngineTensor> {
  const feeds: Record<string, EngineTensor> = {};
  for (const [name, first] of Object.entries(coefficients[0] ?? {})) {
    const size = first.length;
    const width = rows ? padded : 1;
    const data = new Float32Array(size * width);
    if (!rows) data.set(first);
    else {
      coefficients.forEach((set, row) => {
        const start = Math.max(row * rows.length - rows.offset, 0);
        const end = Math.min((row + 1) * rows.length - rows.offset, count);
        set[name]!.forEach((value, i) => data.fill(value, i * width + start, i * width + end));
      });
    }
    feeds[perModelInput(name)] = {
      type: "float32",
      shape: rows ? [size, width] : [1, size],
      data,
    };
    feeds[singleInput(name)] = { type: "float32", shape: [1, width], data };
  }
  return feeds;
}

/** The operands of a reduction, float32 rows of `padded` elements each. */
export interface Operands {
  readonly models: Float32Array;
  /** The models before selection; absent where nothing was selected. */
  readonly unselected?: Float32Array;
  readonly base: Float32Array;
}

/** How a chunk falls into segments of one width, none of which crosses a row. */
export interface Segments {
  readonly count: number;
  readonly width: number;
  readonly perRow: number;
  /** Elements per row; the whole chunk where it is one vector. */
  readonly rowLength: number;
}

/** The segments of a chunk: blocks of `block` elements, or shorter ones where rows are. */
export function segmentsOf(
  { padded, count }: ChunkMemory,
  rows: RowLayout | undefined,
  block: number,
): Segments {
  if (!rows) {
    return { count: padded / block, width: block, perRow: padded / block, rowLength: padded };
  }
  const rowLength = Math.min(rows.length, count);
  const width = Math.min(rowLength, block);
  const perRow = Math.ceil(rowLength / width);
  return { count: Math.ceil(count / rowLength) * perRow, width, perRow, rowLength };
}

/** Operands cut to the segments `[from, to)`, `[models, segments · width]` with zeros behind a row's end. */
export function segmentFeeds(
  operands: Operands,
  { padded, count, models }: ChunkMemory,
  segments: Segments,
  from: number,
  to: number,
): Record<string, EngineTensor> {
  const { width, perRow, rowLength } = segments;
  const total = (to - from) * width;
  const cut = (values: Float32Array, vectors: number): EngineTensor => {
    const framed = new Float32Array(vectors * total);
    for (let v = 0; v < vectors; v++) {
      for (let segment = from; segment < to; segment++) {
        const row = Math.floor(segment / perRow);
        const start = row * rowLength + (segment % perRow) * width;
        const end = Math.min(start + width, (row + 1) * rowLength, count);
        if (start >= end) continue;
        const piece = values.subarray(v * padded + start, v * padded + end);
        framed.set(piece, v * total + (segment - from) * width);
      }
    }
    return { type: "float32", shape: [vectors, total], data: framed };
  };
  return {
    [INPUT.models]: cut(operands.models, models),
    ...(operands.unselected ? { [INPUT.unselected]: cut(operands.unselected, models) } : {}),
    [INPUT.base]: cut(operands.base, 1),
    [INPUT.segments]: {
      type: "int64",
      shape: [2],
      data: BigInt64Array.of(BigInt(to - from), BigInt(width)),
    },
  };
}

/** Whether all models, and all models with the base, hold the same bits. */
export function allAgree(
  kernels: Kernels,
  { count, padded, models, x, base }: ChunkMemory,
  hasBase: boolean,
): { agreed: boolean; agreedWithBase: boolean } {
  const words = (offset: number) =>
    new Uint32Array(floats(kernels, offset, count).buffer, offset, count);
  const first = words(x);
  const same = (other: Uint32Array) => {
    for (let i = 0; i < count; i++) if (first[i] !== other[i]) return false;
    return true;
  };
  let agreed = true;
  for (let i = 1; agreed && i < models; i++) agreed = same(words(x + i * padded * 4));
  return { agreed, agreedWithBase: agreed && hasBase && same(words(base)) };
}
