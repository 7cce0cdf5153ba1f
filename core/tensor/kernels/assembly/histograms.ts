// AssemblyScript, compiled by `deno task kernels` into ../kernels_wasm.ts. All pointers are byte offsets;
// every count is padded by the caller to a multiple of 8 elements of readable memory.

// Counting keys: p = bits(|x − b|). Rows are float32 (f32), bfloat16 (u16) or float16 (i16).

import { halves } from "./convert";

@inline
export function key(x: usize, b: usize, i: i32): u32 {
  return keyAt<f32>(x, b, i);
}

/** Counts the keys p = bits(|x − b|) by p >>> 15 into 65536 u32 bins. */
export function histogram(x: usize, b: usize, count: i32, coarse: usize): void {
  for (let i = 0; i < count; i++) {
    const bin = coarse + (<usize>(key(x, b, i) >> 15) << 2);
    store<u32>(bin, load<u32>(bin) + 1);
  }
}

/** As `histogram`, and notes the last key of each bin in 65536 u32 more. */
export function sampleKeys(x: usize, b: usize, count: i32, coarse: usize, last: usize): void {
  for (let i = 0; i < count; i++) {
    const p = key(x, b, i), offset = <usize>(p >> 15) << 2;
    store<u32>(coarse + offset, load<u32>(coarse + offset) + 1);
    store<u32>(last + offset, p);
  }
}

/** Counts by p & 0x7fff, into 32768 u32 bins, the keys whose coarse bin is `bin`. */
export function fineHistogram(x: usize, b: usize, count: i32, bin: u32, fine: usize): void {
  for (let i = 0; i < count; i++) {
    const p = key(x, b, i);
    if (p >> 15 == bin) {
      const place = fine + (<usize>(p & 0x7fff) << 2);
      store<u32>(place, load<u32>(place) + 1);
    }
  }
}

/** Looks at the keys around an expected one: those of float32 elements; see {@linkcode listKeys}. */
export function listWindow(
  x: usize, b: usize, count: i32, low: u32, high: u32, guess: u32, list: usize, room: i32, tally: usize,
): void {
  listKeys<f32>(x, b, count, low, high, guess, list, room, tally);
}

/** As `listWindow`, of bfloat16 elements. */
export function listWindowBf16(
  x: usize, b: usize, count: i32, low: u32, high: u32, guess: u32, list: usize, room: i32, tally: usize,
): void {
  listKeys<u16>(x, b, count, low, high, guess, list, room, tally);
}

/** As `listWindow`, of float16 elements. */
export function listWindowF16(
  x: usize, b: usize, count: i32, low: u32, high: u32, guess: u32, list: usize, room: i32, tally: usize,
): void {
  listKeys<i16>(x, b, count, low, high, guess, list, room, tally);
}

/**
 * Keys in [low, high] are appended to a list of u32 that has room for `room` more, but for those that equal `guess`.
 *
 * `tally` gets five u32: keys above `high`, keys of 0, keys that equal `guess`, keys for the list, of which no more
 * than `room` are in it, and the largest key.
 */
@inline
function listKeys<T>(
  x: usize, b: usize, count: i32, low: u32, high: u32, guess: u32, list: usize, room: i32, tally: usize,
): void {
  const magnitude = i32x4.splat(0x7fffffff), wanted = i32x4.splat(guess);
  const from = i32x4.splat(low), to = i32x4.splat(high);
  let above = i32x4.splat(0), zeros = i32x4.splat(0), equal = i32x4.splat(0), most = i32x4.splat(0);
  let listed = 0;
  const whole = count & ~3;
  for (let i = 0; i < whole; i += 4) {
    const p = v128.and(f32x4.sub(four<T>(x, i), four<T>(b, i)), magnitude);
    const over = i32x4.gt_s(p, to), same = i32x4.eq(p, wanted);
    above = i32x4.sub(above, over);
    equal = i32x4.sub(equal, same);
    zeros = i32x4.sub(zeros, i32x4.eq(p, i32x4.splat(0)));
    most = i32x4.max_s(most, p);
    const within = v128.andnot(i32x4.ge_s(p, from), v128.or(over, same));
    for (let left = i32x4.bitmask(within); left != 0; left &= left - 1) {
      if (listed < room) store<u32>(list + (<usize>listed << 2), keyAt<T>(x, b, i + ctz(left)));
      listed++;
    }
  }
  let larger = sumOf(above), none = sumOf(zeros), equals = sumOf(equal);
  let largest = max(
    max(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1)),
    max(i32x4.extract_lane(most, 2), i32x4.extract_lane(most, 3)),
  );
  for (let i = whole; i < count; i++) {
    const p = keyAt<T>(x, b, i);
    larger += u32(p > high);
    none += u32(p == 0);
    equals += u32(p == guess);
    largest = max(largest, <i32>p);
    if (p >= low && p <= high && p != guess) {
      if (listed < room) store<u32>(list + (<usize>listed << 2), p);
      listed++;
    }
  }
  store<u32>(tally, larger);
  store<u32>(tally, none, 4);
  store<u32>(tally, equals, 8);
  store<u32>(tally, listed, 12);
  store<u32>(tally, largest, 16);
}

/** Four elements as float32. */
@inline
function four<T>(row: usize, i: i32): v128 {
  if (sizeof<T>() == 2) {
    const bits = v128.load16x4_u(row + (<usize>i << 1));
    return isSigned<T>() ? halves(bits) : i32x4.shl(bits, 16);
  }
  return v128.load(row + (<usize>i << 2));
}

/** One element as float32. */
@inline
function one<T>(row: usize, i: i32): f32 {
  if (sizeof<T>() == 2) {
    const bits = <u32>load<u16>(row + (<usize>i << 1));
    if (isSigned<T>()) return f32x4.extract_lane(halves(i32x4.splat(bits)), 0);
    return reinterpret<f32>(bits << 16);
  }
  return load<f32>(row + (<usize>i << 2));
}

@inline
function keyAt<T>(x: usize, b: usize, i: i32): u32 {
  return reinterpret<u32>(one<T>(x, i) - one<T>(b, i)) & 0x7fffffff;
}

@inline
function sumOf(sums: v128): u32 {
  return i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) +
    i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3);
}

/** How many keys equal `threshold`. */
export function countEqual(x: usize, b: usize, count: i32, threshold: u32): i32 {
  return equalKeys<f32>(x, b, count, threshold);
}

/**
 * Where `quota` elements whose key equals `threshold` have been passed: the place behind the last of them, or, if
 * there are fewer, the complement of their number: −1 for none.
 */
export function findEqual(x: usize, b: usize, count: i32, threshold: u32, quota: i32): i32 {
  return placeOfEqual<f32>(x, b, count, threshold, quota);
}

/** As `findEqual`, of bfloat16 elements. */
export function findEqualBf16(x: usize, b: usize, count: i32, threshold: u32, quota: i32): i32 {
  return placeOfEqual<u16>(x, b, count, threshold, quota);
}

/** As `findEqual`, of float16 elements. */
export function findEqualF16(x: usize, b: usize, count: i32, threshold: u32, quota: i32): i32 {
  return placeOfEqual<i16>(x, b, count, threshold, quota);
}

@inline
function placeOfEqual<T>(x: usize, b: usize, count: i32, threshold: u32, quota: i32): i32 {
  const equal = equalKeys<T>(x, b, count, threshold);
  if (equal < quota) return ~equal;
  let i = 0;
  for (; quota > 0; i++) quota -= i32(keyAt<T>(x, b, i) == threshold);
  return i;
}

@inline
function equalKeys<T>(x: usize, b: usize, count: i32, threshold: u32): i32 {
  const magnitude = i32x4.splat(0x7fffffff), wanted = i32x4.splat(threshold);
  let sums = i32x4.splat(0);
  const whole = count & ~3;
  for (let i = 0; i < whole; i += 4) {
    const p = v128.and(f32x4.sub(four<T>(x, i), four<T>(b, i)), magnitude);
    sums = i32x4.sub(sums, i32x4.eq(p, wanted));
  }
  let found: i32 = sumOf(sums);
  for (let i = whole; i < count; i++) found += i32(keyAt<T>(x, b, i) == threshold);
  return found;
}
