// AssemblyScript, compiled by `deno task kernels` into ../kernels_wasm.ts. All pointers are byte offsets;
// every count is padded by the caller to a multiple of 8 elements of readable memory.

// Dropping what lies outside of a cut.

import { key } from "./histograms";

/** Keeps keys ≥ threshold; every other element of x takes the value of b. */
export function keepFrom(x: usize, b: usize, count: i32, threshold: u32): void {
  const magnitude = i32x4.splat(0x7fffffff), limit = i32x4.splat(threshold);
  for (let i = 0; i < count; i += 4) {
    const at = x + (<usize>i << 2);
    const value = v128.load(at), base = v128.load(b + (<usize>i << 2));
    const keep = i32x4.ge_s(v128.and(f32x4.sub(value, base), magnitude), limit);
    v128.store(at, v128.bitselect(value, base, keep));
  }
}

/** Keeps keys > threshold and the first `quota` keys equal to it, in order. */
export function keepWithQuota(
  x: usize, b: usize, count: i32, threshold: u32, quota: i32,
): void {
  for (let i = 0; i < count; i++) {
    const p = key(x, b, i);
    if (p > threshold) continue;
    if (p == threshold && quota > 0) {
      quota--;
      continue;
    }
    const at = <usize>i << 2;
    store<u32>(x + at, load<u32>(b + at));
  }
}

/** Keys ≥ threshold take the value of b. */
export function dropFrom(x: usize, b: usize, count: i32, threshold: u32): void {
  const magnitude = i32x4.splat(0x7fffffff), limit = i32x4.splat(threshold);
  for (let i = 0; i < count; i += 4) {
    const at = x + (<usize>i << 2);
    const value = v128.load(at), base = v128.load(b + (<usize>i << 2));
    const keep = i32x4.lt_s(v128.and(f32x4.sub(value, base), magnitude), limit);
    v128.store(at, v128.bitselect(value, base, keep));
  }
}

/** Keys > threshold, and the first `quota` keys equal to it, in order, take the value of b. */
export function dropWithQuota(
  x: usize, b: usize, count: i32, threshold: u32, quota: i32,
): void {
  for (let i = 0; i < count; i++) {
    const p = key(x, b, i);
    if (p < threshold) continue;
    if (p == threshold) {
      if (quota <= 0) continue;
      quota--;
    }
    const at = <usize>i << 2;
    store<u32>(x + at, load<u32>(b + at));
  }
}

/**
 * Keeps the elements whose score's key is > threshold, and the first `quota` equal to it, in order;
 * every other element of x takes the value of b.
 */
export function keepScored(
  x: usize, b: usize, scores: usize, count: i32, threshold: u32, quota: i32,
): void {
  for (let i = 0; i < count; i++) {
    const at = <usize>i << 2;
    const p: u32 = load<u32>(scores + at) & 0x7fffffff;
    if (p > threshold) continue;
    if (p == threshold && quota > 0) {
      quota--;
      continue;
    }
    store<u32>(x + at, load<u32>(b + at));
  }
}

/** Keeps the elements whose score's key is ≥ threshold; every other element of x takes the value of b. */
export function keepScoredFrom(
  x: usize, b: usize, scores: usize, count: i32, threshold: u32,
): void {
  const magnitude = i32x4.splat(0x7fffffff), limit = i32x4.splat(threshold);
  for (let i = 0; i < count; i += 4) {
    const offset = <usize>i << 2, at = x + offset;
    const keep = i32x4.ge_s(v128.and(v128.load(scores + offset), magnitude), limit);
    v128.store(at, v128.bitselect(v128.load(at), v128.load(b + offset), keep));
  }
}
