/**
 * Where the chunk under work lies in the kernels' memory, and how it gets in and out.
 *
 * Layout: accumulators of order statistics first (they outlive a job), then the models' float32 rows
 * one after the other, the base, and a staging area for encoded bytes.
 *
 * @module
 */
import type { Bytes } from "../checkpoint/byte_source.ts";
import { decodeTo, encodeFrom } from "../tensor/codec.ts";
import { type DType, DTYPES } from "../tensor/dtype.ts";
import type { Kernels } from "../tensor/kernels/mod.ts";
import type { ChunkInputs, NonFiniteFault } from "./chunk_job.ts";

/** The chunk's place in memory; offsets in bytes. */
export interface ChunkMemory {
  /** Elements that are valid. */
  readonly count: number;
  /** Elements per row; zeros beyond `count`. */
  readonly padded: number;
  readonly models: number;
  readonly x: number;
  readonly base: number;
  /** Per model, what is subtracted to get its task vector: the base, or zeros. */
  readonly origins: readonly number[];
  /** Zeros, one row of them. */
  readonly zeros: number;
  readonly staging: number;
}

/** Bytes per element of the staging area. */
const STAGED = 16;

/** First byte behind the chunk. */
export function stagingEnd({ staging, padded }: ChunkMemory): number {
  return staging + STAGED * padded;
}

/** Lays out a chunk behind `start` and decodes its inputs. Rows are padded to a multiple of `unit` (8 or more). */
export function loadChunk(
  kernels: Kernels,
  start: number,
  inputs: ChunkInputs,
  unit: number,
): ChunkMemory | NonFiniteFault {
  const { count } = inputs;
  const padded = Math.ceil(count / unit) * unit;
  const models = inputs.models.length;
  const row = padded * 4;
  const x = start;
  const base = x + models * row;
  const zeros = inputs.base ? base + row : base;
  const staging = zeros + row;
  kernels.reserve(staging + STAGED * padded);
  const origins = inputs.kinds.map((kind) => kind === "task_vector" ? zeros : base);
  const memory = { count, padded, models, x, base, origins, zeros, staging };
  floats(kernels, zeros, padded).fill(0);
  for (let i = -1; i < models; i++) {
    const input = i < 0 ? inputs.base : inputs.models[i];
    const target = i < 0 ? base : x + i * row;
    if (!input) continue;
    const bad = decodeInput(kernels, memory, input.dtype, input.bytes, target);
    const isStatistic = i >= inputs.kinds.length;
    if (bad && (inputs.finite || isStatistic)) {
      return { input: i, ...locate(floats(kernels, target, count)) };
    }
    if (!isStatistic) continue;
    const negative = locate(floats(kernels, target, count), (value) => value >= 0);
    if (negative.found > 0) return { input: i, ...negative };
  }
  return memory;
}

/** A view of float32 elements in the kernels' memory; invalid once that memory grows. */
export function floats(kernels: Kernels, offset: number, count: number): Float32Array<ArrayBuffer> {
  return new Float32Array(kernels.memory.buffer as ArrayBuffer, offset, count);
}

/** Decodes to float32; whether any element is NaN or infinite. */
function decodeInput(
  kernels: Kernels,
  { count, padded, staging }: ChunkMemory,
  dtype: DType,
  bytes: Bytes,
  target: number,
): boolean {
  if (dtype === "BF16" || dtype === "F16") {
    const raw = new Uint8Array(kernels.memory.buffer, staging, padded * 2);
    raw.set(bytes);
    raw.fill(0, count * 2);
    const { bf16ToF32, f16ToF32 } = kernels.call;
    return (dtype === "BF16" ? bf16ToF32 : f16ToF32)(staging, target, padded) !== 0;
  }
  const view = floats(kernels, target, padded);
  if (dtype === "F32") new Uint8Array(view.buffer, target, count * 4).set(bytes);
  else decodeTo(dtype, bytes, view.subarray(0, count));
  view.fill(0, count);
  return kernels.call.nonFinite(target, padded) !== 0;
}

/** The first value that is not finite (or not as it should be), and how many there are. */
export function locate(
  values: Float32Array,
  isRight: (value: number) => boolean = Number.isFinite,
): { element: number; found: number } {
  let element = -1;
  let found = 0;
  for (let i = 0; i < values.length; i++) {
    if (isRight(values[i]!)) continue;
    if (element < 0) element = i;
    found++;
  }
  return { element, found };
}

/**
 * Encodes a result. A value that is not finite though all inputs of its element are, and one that
 * overflows the output type without `saturate`, is a fault.
 */
export function encodeResult(
  kernels: Kernels,
  memory: ChunkMemory,
  result: Float32Array,
  hasBase: boolean,
  { out, saturate }: { readonly out: DType; readonly saturate: boolean },
): Bytes | NonFiniteFault {
  const { count, padded, staging } = memory;
  const bytes = new Uint8Array(count * DTYPES[out].bytes);
  const place = staging;
  const y = floats(kernels, place, padded);
  if (result.byteOffset !== place || result.buffer !== kernels.memory.buffer) {
    y.set(result.subarray(0, count));
  }
  y.fill(0, count);
  if (kernels.call.nonFinite(place, padded) !== 0) {
    const fault = resultFault(kernels, memory, y, hasBase);
    if (fault) return fault;
  }
  if (out === "F32") {
    bytes.set(new Uint8Array(kernels.memory.buffer, place, count * 4));
    return bytes;
  }
  if (out === "BF16") {
    const encoded = place + padded * 4;
    kernels.call.f32ToBf16(place, encoded, padded);
    const overflowed = kernels.call.bf16ToF32(encoded, encoded + padded * 2, padded) !== 0;
    if (!overflowed) {
      bytes.set(new Uint8Array(kernels.memory.buffer, encoded, count * 2));
      return bytes;
    }
  }
  if (out === "F16") {
    const encoded = place + padded * 4;
    if (kernels.call.f32ToF16(place, encoded, padded) === 0) {
      bytes.set(new Uint8Array(kernels.memory.buffer, encoded, count * 2));
      return bytes;
    }
  }
  const overflow = encodeFrom(out, y.subarray(0, count), bytes, { saturate });
  return overflow >= 0 && !saturate ? { element: overflow, found: 1 } : bytes;
}

/** The first result that is not finite although its inputs are. */
function resultFault(
  kernels: Kernels,
  { count, padded, models, x, base }: ChunkMemory,
  y: Float32Array,
  hasBase: boolean,
): NonFiniteFault | undefined {
  const rows = Array.from({ length: models }, (_, i) => floats(kernels, x + i * padded * 4, count));
  if (hasBase) rows.push(floats(kernels, base, count));
  for (let element = 0; element < count; element++) {
    if (Number.isFinite(y[element]!)) continue;
    if (rows.every((row) => Number.isFinite(row[element]!))) return { element, found: 1 };
  }
  return undefined;
}
