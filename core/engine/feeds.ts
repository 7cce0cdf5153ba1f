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
interface Operands {
  readonly models: Float32Array;
  readonly unselected: Float32Array;
  readonly base: Float32Array;
}

/**
 * Operands cut into segments that never cross a row: `[models, segments · width]` with zeros behind the
 * end of each row, and the shape to view them in.
 */
export function segmentFeeds(
  operands: Operands,
  memory: ChunkMemory,
  rows: RowLayout | undefined,
  block: number,
): Record<string, EngineTensor> {
  const { padded, count, models } = memory;
  const width = rows ? Math.min(rows.length, block) : block;
  const perRow = rows ? Math.ceil(Math.min(rows.length, count) / width) : padded / block;
  const rowCount = rows ? Math.ceil(count / rows.length) : 1;
  const total = rowCount * perRow * width;
  const cut = (values: Float32Array, vectors: number): EngineTensor => {
    if (!rows) return { type: "float32", shape: [vectors, padded], data: values };
    const framed = new Float32Array(vectors * total);
    for (let v = 0; v < vectors; v++) {
      for (let row = 0; row < rowCount; row++) {
        const start = row * rows.length;
        const end = Math.min(start + rows.length, count);
        framed.set(
          values.subarray(v * padded + start, v * padded + end),
          v * total + row * perRow * width,
        );
      }
    }
    return { type: "float32", shape: [vectors, total], data: framed };
  };
  return {
    [INPUT.models]: cut(operands.models, models),
    [INPUT.unselected]: cut(operands.unselected, models),
    [INPUT.base]: cut(operands.base, 1),
    [INPUT.segments]: {
      type: "int64",
      shape: [2],
      data: BigInt64Array.of(BigInt(rowCount * perRow), BigInt(width)),
    },
  };
}

/** Whether all models, and all models with the base, hold the same bits. */
export function allAgree(
  kernels: Kernels,
  { count, padded, models, x, base }: ChunkMemory,
  hasBase: boolean,
): { agreed: boolean; agreedWithBase: boolean } {
  const words = (offset: number) => new Uint32Array(floats(kernels, offset, count).buffer, offset, count);
  const first = words(x);
  const same = (other: Uint32Array) => {
    for (let i = 0; i < count; i++) if (first[i] !== other[i]) return false;
    return true;
  };
  let agreed = true;
  for (let i = 1; agreed && i < models; i++) agreed = same(words(x + i * padded * 4));
  return { agreed, agreedWithBase: agreed && hasBase && same(words(base)) };
}
