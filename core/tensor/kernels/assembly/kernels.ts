// AssemblyScript, compiled by `deno task kernels` into ../kernels_wasm.ts.
// Conversion, selection and random masks on buffers in this module's memory. All pointers are byte
// offsets; every count is padded by the caller to a multiple of 8 elements of readable memory.

/** bfloat16 -> float32, exact. Answers 1 if any element is NaN or infinite. */
export function bf16ToF32(source: usize, target: usize, count: i32): i32 {
  const exponent = i32x4.splat(0x7f800000);
  let bad = i32x4.splat(0);
  for (let i = 0; i < count; i += 8) {
    const raw = v128.load(source + (<usize>i << 1));
    const low = i32x4.shl(i32x4.extend_low_i16x8_u(raw), 16);
    const high = i32x4.shl(i32x4.extend_high_i16x8_u(raw), 16);
    v128.store(target + (<usize>i << 2), low);
    v128.store(target + (<usize>i << 2), high, 16);
    bad = v128.or(bad, i32x4.eq(v128.and(low, exponent), exponent));
    bad = v128.or(bad, i32x4.eq(v128.and(high, exponent), exponent));
  }
  return v128.any_true(bad) ? 1 : 0;
}

/** float32 -> bfloat16, to nearest, ties to even; NaN stays NaN (quiet). */
export function f32ToBf16(source: usize, target: usize, count: i32): void {
  const one = i32x4.splat(1);
  const bias = i32x4.splat(0x7fff);
  const quiet = i32x4.splat(0x400000);
  for (let i = 0; i < count; i += 8) {
    const a = v128.load(source + (<usize>i << 2));
    const b = v128.load(source + (<usize>i << 2), 16);
    let ra = i32x4.add(i32x4.add(a, bias), v128.and(i32x4.shr_u(a, 16), one));
    let rb = i32x4.add(i32x4.add(b, bias), v128.and(i32x4.shr_u(b, 16), one));
    ra = v128.bitselect(ra, v128.or(a, quiet), f32x4.eq(a, a));
    rb = v128.bitselect(rb, v128.or(b, quiet), f32x4.eq(b, b));
    v128.store(
      target + (<usize>i << 1),
      i16x8.narrow_i32x4_u(i32x4.shr_u(ra, 16), i32x4.shr_u(rb, 16)),
    );
  }
}

/** 1 if any float32 element is NaN or infinite. */
export function nonFinite(source: usize, count: i32): i32 {
  const exponent = i32x4.splat(0x7f800000);
  let bad = i32x4.splat(0);
  for (let i = 0; i < count; i += 4) {
    const bits = v128.and(v128.load(source + (<usize>i << 2)), exponent);
    bad = v128.or(bad, i32x4.eq(bits, exponent));
  }
  return v128.any_true(bad) ? 1 : 0;
}

@inline
function rotate(x: v128, by: i32): v128 {
  return v128.or(i32x4.shl(x, by), i32x4.shr_u(x, 32 - by));
}

/**
 * Threefry-2x32-20 on the counters (low + i, high), i = 0..count/2: element e is kept iff the top 24
 * bits of its word are below `threshold`; a dropped element of x takes the value of b.
 */
export function keepRandom(
  x: usize, b: usize, count: i32, k0: i32, k1: i32, low: i32, high: i32, threshold: i32,
): void {
  const k2: i32 = k0 ^ k1 ^ 0x1bd11bda;
  const s0 = i32x4.splat(k0), s1 = i32x4.splat(k1), s2 = i32x4.splat(k2);
  const s1a = i32x4.splat(k2 + 1), s1b = i32x4.splat(k0 + 2), s1c = i32x4.splat(k1 + 3);
  const s1d = i32x4.splat(k2 + 4), s1e = i32x4.splat(k0 + 5);
  const limit = i32x4.splat(threshold);
  const start1 = i32x4.splat(high + k1);
  let counter = i32x4.add(i32x4.splat(low), i32x4(0, 1, 2, 3));
  const step = i32x4.splat(4);
  for (let i = 0; i < count; i += 8) {
    let x0 = i32x4.add(counter, s0);
    let x1 = start1;
    counter = i32x4.add(counter, step);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 13), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 15), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 26), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 6), x0);
    x0 = i32x4.add(x0, s1); x1 = i32x4.add(x1, s1a);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 17), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 29), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 16), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 24), x0);
    x0 = i32x4.add(x0, s2); x1 = i32x4.add(x1, s1b);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 13), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 15), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 26), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 6), x0);
    x0 = i32x4.add(x0, s0); x1 = i32x4.add(x1, s1c);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 17), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 29), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 16), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 24), x0);
    x0 = i32x4.add(x0, s1); x1 = i32x4.add(x1, s1d);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 13), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 15), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 26), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 6), x0);
    x0 = i32x4.add(x0, s2); x1 = i32x4.add(x1, s1e);
    const keep0 = i32x4.lt_u(i32x4.shr_u(x0, 8), limit);
    const keep1 = i32x4.lt_u(i32x4.shr_u(x1, 8), limit);
    const first = v128.shuffle<i32>(keep0, keep1, 0, 4, 1, 5);
    const second = v128.shuffle<i32>(keep0, keep1, 2, 6, 3, 7);
    const at = x + (<usize>i << 2), from = b + (<usize>i << 2);
    v128.store(at, v128.bitselect(v128.load(at), v128.load(from), first));
    v128.store(at, v128.bitselect(v128.load(at, 16), v128.load(from, 16), second), 16);
  }
}

@inline
function key(x: usize, b: usize, i: i32): u32 {
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

let word0: u32 = 0, word1: u32 = 0;

@inline
function turn(x: u32, by: i32): u32 {
  return (x << by) | (x >> (32 - by));
}

/** Threefry-2x32-20 of one counter into `word0` and `word1`. */
function threefry(k0: u32, k1: u32, low: u32, high: u32): void {
  const k2: u32 = k0 ^ k1 ^ 0x1bd11bda;
  let x0: u32 = low + k0, x1: u32 = high + k1;
  x0 += x1; x1 = turn(x1, 13) ^ x0;
  x0 += x1; x1 = turn(x1, 15) ^ x0;
  x0 += x1; x1 = turn(x1, 26) ^ x0;
  x0 += x1; x1 = turn(x1, 6) ^ x0;
  x0 += k1; x1 += k2 + 1;
  x0 += x1; x1 = turn(x1, 17) ^ x0;
  x0 += x1; x1 = turn(x1, 29) ^ x0;
  x0 += x1; x1 = turn(x1, 16) ^ x0;
  x0 += x1; x1 = turn(x1, 24) ^ x0;
  x0 += k2; x1 += k0 + 2;
  x0 += x1; x1 = turn(x1, 13) ^ x0;
  x0 += x1; x1 = turn(x1, 15) ^ x0;
  x0 += x1; x1 = turn(x1, 26) ^ x0;
  x0 += x1; x1 = turn(x1, 6) ^ x0;
  x0 += k0; x1 += k1 + 3;
  x0 += x1; x1 = turn(x1, 17) ^ x0;
  x0 += x1; x1 = turn(x1, 29) ^ x0;
  x0 += x1; x1 = turn(x1, 16) ^ x0;
  x0 += x1; x1 = turn(x1, 24) ^ x0;
  x0 += k1; x1 += k2 + 4;
  x0 += x1; x1 = turn(x1, 13) ^ x0;
  x0 += x1; x1 = turn(x1, 15) ^ x0;
  x0 += x1; x1 = turn(x1, 26) ^ x0;
  x0 += x1; x1 = turn(x1, 6) ^ x0;
  word0 = x0 + k2;
  word1 = x1 + k0 + 5;
}

/** The random words of `count` elements from `element` on; writes up to 8 words more. Answers where the first lies. */
function randomWords(target: usize, element: u64, count: i32, k0: u32, k1: u32): usize {
  const pair = element >> 1, skip = <i32>(element & 1);
  const pairs = (count + skip + 1) >> 1, low = <u32>pair;
  if (low + <u32>pairs < low) {
    // The low word of the counter wraps on the way.
    for (let i = 0; i < count; i++) {
      const e = element + <u64>i;
      threefry(k0, k1, <u32>(e >> 1), <u32>(e >> 33));
      store<u32>(target + (<usize>i << 2), e & 1 ? word1 : word0);
    }
    return target;
  }
  let counter = i32x4.add(i32x4.splat(low), i32x4(0, 1, 2, 3));
  const step = i32x4.splat(4), high = <u32>(pair >> 32);
  const k2: i32 = k0 ^ k1 ^ 0x1bd11bda;
  const s0 = i32x4.splat(k0), s1 = i32x4.splat(k1), s2 = i32x4.splat(k2);
  const s1a = i32x4.splat(k2 + 1), s1b = i32x4.splat(k0 + 2), s1c = i32x4.splat(k1 + 3);
  const s1d = i32x4.splat(k2 + 4), s1e = i32x4.splat(k0 + 5);
  const start1 = i32x4.splat(high + k1);
  for (let i = 0; i < pairs; i += 4) {
    let x0 = i32x4.add(counter, s0);
    let x1 = start1;
    counter = i32x4.add(counter, step);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 13), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 15), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 26), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 6), x0);
    x0 = i32x4.add(x0, s1); x1 = i32x4.add(x1, s1a);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 17), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 29), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 16), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 24), x0);
    x0 = i32x4.add(x0, s2); x1 = i32x4.add(x1, s1b);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 13), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 15), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 26), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 6), x0);
    x0 = i32x4.add(x0, s0); x1 = i32x4.add(x1, s1c);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 17), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 29), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 16), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 24), x0);
    x0 = i32x4.add(x0, s1); x1 = i32x4.add(x1, s1d);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 13), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 15), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 26), x0);
    x0 = i32x4.add(x0, x1); x1 = v128.xor(rotate(x1, 6), x0);
    x0 = i32x4.add(x0, s2); x1 = i32x4.add(x1, s1e);
    const at = target + (<usize>i << 3);
    v128.store(at, v128.shuffle<i32>(x0, x1, 0, 4, 1, 5));
    v128.store(at, v128.shuffle<i32>(x0, x1, 2, 6, 3, 7), 16);
  }
  return target + (<usize>skip << 2);
}

/**
 * Ranks the magnitudes |x − b| of every vector (1 is the smallest; of equal ones the first ranks higher)
 * and keeps an element with probability p = (density − epsilon) + 2·epsilon·(rank − 1)/(length − 1).
 *
 * Vectors lie as in a row-major tensor [count / (length·stride), length, stride]. A kept element becomes
 * (x − b)/p if `divide` is not 0, and a dropped one 0; otherwise kept ones stay and dropped ones take the
 * value of b. Random numbers are words of Threefry for the elements `first`, `first` + 1, …, or, where
 * `draws` is not 0, the 24 low bits of u32 draws there, compared with p rounded to float32.
 *
 * `work` has room for 16·length + 4096 + 64 bytes.
 */
export function keepRanked(
  x: usize, b: usize, count: i32, length: i32, stride: i32, density: f64, epsilon: f64,
  divide: i32, draws: usize, k0: u32, k1: u32, first: f64, work: usize,
): void {
  const block = length * stride, start = <u64>first;
  const bytes = <usize>length << 3;
  const least = density - epsilon, steps = <f64>(length - 1);
  for (let at = 0; at < count; at += block) {
    for (let column = 0; column < stride; column++) {
      const ranks = rankVector(x, b, at + column, length, stride, work, bytes);
      // What is left of the work area behind the ranks.
      let words = work + 4096 + bytes;
      if (draws) words = draws;
      else if (stride == 1) words = randomWords(words, start + <u64>at, length, k0, k1);
      const last = length == 1 ? 1.0 : steps, range = length == 1 ? 0.0 : 2 * epsilon;
      const lowest = length == 1 ? density : least;
      for (let i = 0; i < length; i++) {
        const e = at + column + i * stride;
        const p = lowest + range * (<f64>load<u32>(ranks + (<usize>i << 2)) - 1) / last;
        const place = <usize>e << 2;
        let keep: bool;
        if (draws) {
          keep = <f64>(load<u32>(words + place) & 0xffffff) < <f64><f32>p * 16777216;
        } else if (stride == 1) {
          keep = <f64>(load<u32>(words + (<usize>i << 2)) >> 8) < p * 16777216;
        } else {
          const element = start + <u64>e;
          threefry(k0, k1, <u32>(element >> 1), <u32>(element >> 33));
          keep = <f64>((element & 1 ? word1 : word0) >> 8) < p * 16777216;
        }
        // Without branches: which elements are kept cannot be foreseen.
        const value = load<f32>(x + place), origin = load<f32>(b + place);
        const kept = divide ? <f32>(<f64>(value - origin) / p) : value;
        store<f32>(x + place, select<f32>(kept, divide ? 0 : origin, keep));
      }
    }
  }
}

/**
 * Ranks one vector; answers where the ranks lie in its order (u32), in the first `bytes` of the work area behind its
 * counters. Keys are sorted with their places beside them, in two areas of `bytes`.
 */
function rankVector(
  x: usize, b: usize, origin: i32, length: i32, stride: i32, work: usize, bytes: usize,
): usize {
  const bins = work;
  let from = work + 4096, to = from + bytes;
  memory.fill(bins, 0, 4096);
  for (let i = 0; i < length; i++) {
    // The complement sorts larger magnitudes first.
    const k: u32 = 0x7fffffff - key(x, b, origin + i * stride);
    store<u64>(from + (<usize>i << 3), (<u64>k << 32) | <u64>i);
    count8(bins, k & 255);
    count8(bins + 1024, (k >> 8) & 255);
    count8(bins + 2048, (k >> 16) & 255);
    count8(bins + 3072, k >> 24);
  }
  for (let digit = 0; digit < 4; digit++) {
    const counts = bins + (<usize>digit << 10);
    const shift: u64 = 32 + (digit << 3);
    // All keys share this digit: nothing moves.
    if (load<u32>(counts + (<usize>((load<u64>(from) >> shift) & 255) << 2)) == <u32>length) continue;
    let before: u32 = 0;
    for (let bin = 0; bin < 256; bin++) {
      const place = counts + (<usize>bin << 2);
      const found = load<u32>(place);
      store<u32>(place, before);
      before += found;
    }
    for (let i = 0; i < length; i++) {
      const entry = load<u64>(from + (<usize>i << 3));
      const place = counts + (<usize>((entry >> shift) & 255) << 2);
      const next = load<u32>(place);
      store<u32>(place, next + 1);
      store<u64>(to + (<usize>next << 3), entry);
    }
    const other = from;
    from = to;
    to = other;
  }
  // The sorted entries lie in one area, so the ranks go to the other, and then to the first.
  for (let i = 0; i < length; i++) {
    store<u32>(to + (<usize>load<u32>(from + (<usize>i << 3)) << 2), length - i);
  }
  const ranks = work + 4096;
  if (to != ranks) memory.copy(ranks, to, <usize>length << 2);
  return ranks;
}

@inline
function count8(bins: usize, digit: u32): void {
  const bin = bins + (<usize>digit << 2);
  store<u32>(bin, load<u32>(bin) + 1);
}

/** Where all `models` rows of x (each `stride` bytes apart) hold the same bits, y takes that value. */
export function takeAgreed(
  y: usize, x: usize, models: i32, stride: usize, count: i32,
): void {
  for (let i = 0; i < count; i += 4) {
    const at = <usize>i << 2;
    const first = v128.load(x + at);
    let same = i32x4.splat(-1);
    for (let m = 1; m < models; m++) {
      same = v128.and(same, i32x4.eq(first, v128.load(x + at + <usize>m * stride)));
    }
    v128.store(y + at, v128.bitselect(first, v128.load(y + at), same));
  }
}
