// AssemblyScript, compiled by `deno task kernels` into ../kernels_wasm.ts. All pointers are byte offsets;
// every count is padded by the caller to a multiple of 8 elements of readable memory.

// Counting keys: p = bits(|x − b|).

@inline
export function key(x: usize, b: usize, i: i32): u32 {
  const at = <usize>i << 2;
  return reinterpret<u32>(load<f32>(x + at) - load<f32>(b + at)) & 0x7fffffff;
}

/** Counts the keys p = bits(|x − b|) by p >>> 15 into 65536 u32 bins. */
export function histogram(x: usize, b: usize, count: i32, coarse: usize): void {
  for (let i = 0; i < count; i++) {
    const bin = coarse + (<usize>(key(x, b, i) >> 15) << 2);
    store<u32>(bin, load<u32>(bin) + 1);
  }
}

/** Counts by p & 0x7fff, into 32768 u32 bins each, the keys whose coarse bin is in [first, first + bins). */
export function fineHistogram(
  x: usize, b: usize, count: i32, first: u32, bins: u32, fine: usize,
): void {
  const from: u32 = first << 15, width: u32 = bins << 15;
  for (let i = 0; i < count; i++) {
    const offset: u32 = key(x, b, i) - from;
    if (offset < width) {
      const bin = fine + (<usize>offset << 2);
      store<u32>(bin, load<u32>(bin) + 1);
    }
  }
}

/** Both at once. */
export function bothHistograms(
  x: usize, b: usize, count: i32, coarse: usize, first: u32, bins: u32, fine: usize,
): void {
  const from: u32 = first << 15, width: u32 = bins << 15;
  for (let i = 0; i < count; i++) {
    const p = key(x, b, i);
    const bin = coarse + (<usize>(p >> 15) << 2);
    store<u32>(bin, load<u32>(bin) + 1);
    const offset: u32 = p - from;
    if (offset < width) {
      const place = fine + (<usize>offset << 2);
      store<u32>(place, load<u32>(place) + 1);
    }
  }
}

/** How many keys equal `threshold`. */
export function countEqual(x: usize, b: usize, count: i32, threshold: u32): i32 {
  const magnitude = i32x4.splat(0x7fffffff), wanted = i32x4.splat(threshold);
  let sums = i32x4.splat(0);
  const whole = count & ~3;
  for (let i = 0; i < whole; i += 4) {
    const at = <usize>i << 2;
    const p = v128.and(f32x4.sub(v128.load(x + at), v128.load(b + at)), magnitude);
    sums = i32x4.sub(sums, i32x4.eq(p, wanted));
  }
  let found: i32 = i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) +
    i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3);
  for (let i = whole; i < count; i++) found += i32(key(x, b, i) == threshold);
  return found;
}
