// AssemblyScript, compiled by `deno task kernels` into ../kernels_wasm.ts. All pointers are byte offsets;
// every count is padded by the caller to a multiple of 8 elements of readable memory.

// Random drop by the rank of the magnitude.

import { randomWord, randomWords } from "./random";
import { indexMask, sortVector } from "./sort_vector";

/** Ranks whose probabilities are known at once. */
const TABLE: i32 = 4096;

/**
 * Ranks the magnitudes |x − b| of every vector (1 is the smallest; of equal ones the first ranks higher)
 * and keeps an element with probability p = (density − epsilon) + 2·epsilon·(rank − 1)/(length − 1).
 *
 * Vectors lie as in a row-major tensor [count / (length·stride), length, stride]. A kept element becomes
 * (x − b)/p if `divide` is not 0, and a dropped one 0; otherwise kept ones stay and dropped ones take the
 * value of b. Random numbers are words of Threefry for the elements `first`, `first` + 1, …, or, where
 * `draws` is not 0, the 24 low bits of u32 draws there, compared with p rounded to float32.
 *
 * `work` has room for 24·length + 131072 bytes: probabilities, random words, values, then what sorting needs.
 */
export function keepRanked(
  x: usize, b: usize, count: i32, length: i32, stride: i32, density: f64, epsilon: f64,
  divide: i32, draws: usize, k0: u32, k1: u32, first: f64, work: usize,
): void {
  const probabilities = work, limits = work + (<usize>TABLE << 3);
  const stay = limits + (<usize>TABLE << 2), words = stay + (<usize>TABLE << 2);
  // Random words may be written up to 16 beyond the end.
  const values = words + (<usize>((length + 23) & ~7) << 2);
  const sorting = values + (<usize>((length + 7) & ~3) << 2);
  const block = length * stride;
  const mask = indexMask(length);
  let known = false;
  for (let at = 0; at < count; at += block) {
    for (let column = 0; column < stride; column++) {
      const origin = at + column;
      const sorted = sortVector(x, b, origin, length, stride, sorting);
      takeOut(x, b, origin, length, stride, divide, values);
      const drawn = wordsOf(words, draws, origin, length, stride, k0, k1, <u64>first);
      for (let from = 0; from < length; from += TABLE) {
        const size = min(TABLE, length - from);
        if (!known) tabulate(probabilities, limits, from, size, length, density, epsilon, draws != 0);
        known = length <= TABLE;
        // First which ones stay, and then those alone: without branches that nobody could foresee.
        const entries = sorted + (<usize>from << 3);
        let kept = 0;
        for (let s = 0; s < size; s++) {
          const i = ~load<u32>(entries + (<usize>s << 3)) & mask;
          store<u32>(stay + (<usize>kept << 2), s);
          kept += i32(
            load<u32>(drawn + (<usize>i << 2)) < load<u32>(limits + (<usize>s << 2)),
          );
        }
        for (let next = 0; next < kept; next++) {
          const s = load<u32>(stay + (<usize>next << 2));
          const i = ~load<u32>(entries + (<usize>s << 3)) & mask;
          const value = load<f32>(values + (<usize>i << 2));
          const place = <usize>(origin + i * stride) << 2;
          store<f32>(
            x + place,
            divide ? <f32>(<f64>value / load<f64>(probabilities + (<usize>s << 3))) : value,
          );
        }
      }
    }
  }
}

/** Copies what stays of a vector if it stays, and puts in its place what dropped elements become. */
function takeOut(
  x: usize, b: usize, origin: i32, length: i32, stride: i32, divide: i32, values: usize,
): void {
  if (stride != 1) {
    for (let i = 0; i < length; i++) {
      const place = <usize>(origin + i * stride) << 2, at = values + (<usize>i << 2);
      const value = load<f32>(x + place), base = load<f32>(b + place);
      store<f32>(at, divide ? value - base : value);
      store<f32>(x + place, divide ? 0 : base);
    }
    return;
  }
  const from = x + (<usize>origin << 2), bases = b + (<usize>origin << 2);
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    const at = <usize>i << 2;
    const value = v128.load(from + at), base = v128.load(bases + at);
    v128.store(values + at, divide ? f32x4.sub(value, base) : value);
    v128.store(from + at, divide ? f32x4.splat(0) : base);
  }
  for (let i = whole; i < length; i++) {
    const at = <usize>i << 2;
    const value = load<f32>(from + at), base = load<f32>(bases + at);
    store<f32>(values + at, divide ? value - base : value);
    store<f32>(from + at, divide ? 0 : base);
  }
}

/** The probabilities of the ranks `from` + 1, …, and the draws of 24 bits below which an element stays. */
function tabulate(
  probabilities: usize, limits: usize, from: i32, size: i32, length: i32,
  density: f64, epsilon: f64, rounded: bool,
): void {
  const last = length == 1 ? 1.0 : <f64>(length - 1);
  const range = length == 1 ? 0.0 : 2 * epsilon;
  const lowest = length == 1 ? density : density - epsilon;
  for (let s = 0; s < size; s++) {
    const p = lowest + range * <f64>(from + s) / last;
    store<f64>(probabilities + (<usize>s << 3), p);
    const limit = Math.ceil((rounded ? <f64><f32>p : p) * 16777216);
    store<u32>(limits + (<usize>s << 2), <u32>max(limit, 0.0));
  }
}

/** The draws of a vector's elements, 24 bits each; answers where they lie. */
function wordsOf(
  target: usize, draws: usize, origin: i32, length: i32, stride: i32, k0: u32, k1: u32, first: u64,
): usize {
  if (draws) {
    for (let i = 0; i < length; i++) {
      const draw = load<u32>(draws + (<usize>(origin + i * stride) << 2));
      store<u32>(target + (<usize>i << 2), draw & 0xffffff);
    }
    return target;
  }
  if (stride != 1) {
    for (let i = 0; i < length; i++) {
      const word = randomWord(k0, k1, first + <u64>(origin + i * stride));
      store<u32>(target + (<usize>i << 2), word >> 8);
    }
    return target;
  }
  const words = randomWords(target, first + <u64>origin, length, k0, k1);
  for (let i = 0; i < length; i += 4) {
    const at = words + (<usize>i << 2);
    v128.store(at, i32x4.shr_u(v128.load(at), 8));
  }
  return words;
}
