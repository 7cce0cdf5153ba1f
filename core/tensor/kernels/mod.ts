/**
 * The WebAssembly SIMD kernels that convert, select and mask: what TypeScript does too slowly and
 * ONNX Runtime does in too many passes. No merging arithmetic is done here.
 *
 * @module
 */
import { KERNELS_WASM } from "./kernels_wasm.ts";

/** Lists the keys of a row around an expected one, and tallies them. */
export type ListKeys = (
  x: number,
  b: number,
  count: number,
  low: number,
  high: number,
  guess: number,
  list: number,
  room: number,
  tally: number,
) => void;

/** Finds the place behind the `quota`-th key that equals the threshold; if there are fewer, `~` their number. */
export type FindEqual = (
  x: number,
  b: number,
  count: number,
  threshold: number,
  quota: number,
) => number;

/** The kernels' functions; pointers are byte offsets into {@linkcode Kernels.memory}. */
export interface KernelFunctions {
  bf16ToF32(source: number, target: number, count: number): number;
  f32ToBf16(source: number, target: number, count: number): void;
  f16ToF32(source: number, target: number, count: number): number;
  f32ToF16(source: number, target: number, count: number): number;
  nonFinite(source: number, count: number): number;
  keepRandom(
    x: number,
    b: number,
    count: number,
    k0: number,
    k1: number,
    first: number,
    threshold: number,
    work: number,
  ): void;
  histogram(x: number, b: number, count: number, coarse: number): void;
  sampleKeys(x: number, b: number, count: number, coarse: number, last: number): void;
  fineHistogram(x: number, b: number, count: number, bin: number, fine: number): void;
  readonly listWindow: ListKeys;
  readonly listWindowBf16: ListKeys;
  readonly listWindowF16: ListKeys;
  countEqual(x: number, b: number, count: number, threshold: number): number;
  readonly findEqual: FindEqual;
  readonly findEqualBf16: FindEqual;
  readonly findEqualF16: FindEqual;
  keepFrom(x: number, b: number, count: number, threshold: number): void;
  keepWithQuota(x: number, b: number, count: number, threshold: number, quota: number): void;
  dropFrom(x: number, b: number, count: number, threshold: number): void;
  dropWithQuota(x: number, b: number, count: number, threshold: number, quota: number): void;
  keepScored(
    x: number,
    b: number,
    scores: number,
    count: number,
    threshold: number,
    quota: number,
  ): void;
  keepScoredFrom(x: number, b: number, scores: number, count: number, threshold: number): void;
  keepRanked(
    x: number,
    b: number,
    count: number,
    length: number,
    stride: number,
    density: number,
    epsilon: number,
    divide: number,
    draws: number,
    k0: number,
    k1: number,
    first: number,
    work: number,
  ): void;
  takeAgreed(y: number, x: number, models: number, stride: number, count: number): void;
}

/** One instance of the kernels with a memory of its own. */
export interface Kernels {
  readonly call: KernelFunctions;
  /** The memory; its buffer is replaced when it grows. */
  readonly memory: WebAssembly.Memory;
  /** Makes at least `bytes` bytes addressable. */
  reserve(bytes: number): void;
}

const PAGE = 65536;

let compiled: WebAssembly.Module | undefined;

/** Instantiates the kernels; the module is compiled once per thread. */
export function createKernels(): Kernels {
  compiled ??= new WebAssembly.Module(
    Uint8Array.from(atob(KERNELS_WASM), (character) => character.charCodeAt(0)),
  );
  const memory = new WebAssembly.Memory({ initial: 1 });
  const abort = () => {
    throw new Error("A kernel aborted");
  };
  const instance = new WebAssembly.Instance(compiled, { env: { memory, abort } });
  return {
    call: instance.exports as unknown as KernelFunctions,
    memory,
    reserve(bytes) {
      const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE);
      if (missing > 0) memory.grow(missing);
    },
  };
}
