// AssemblyScript, compiled by `deno task kernels` into ../kernels_wasm.ts. All pointers are byte offsets;
// every count is padded by the caller to a multiple of 8 elements of readable memory.

// Threefry-2x32-20, and random masks from it.

@inline
function rotate(x: v128, by: i32): v128 {
  return v128.or(i32x4.shl(x, by), i32x4.shr_u(x, 32 - by));
}

/** A rotation by 16 bits. */
@inline
function half(x: v128): v128 {
  return v128.shuffle<i8>(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}

/** A rotation by 24 bits to the left. */
@inline
function right(x: v128): v128 {
  return v128.shuffle<i8>(x, x, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
}

/**
 * Element e of `count`, the first being `first`, is kept iff the top 24 bits of its random word are below `threshold`;
 * a dropped element of x takes the value of b. `work` has room for count + 16 words.
 */
export function keepRandom(
  x: usize, b: usize, count: i32, k0: i32, k1: i32, first: f64, threshold: i32, work: usize,
): void {
  const words = randomWords(work, <u64>first, count, k0, k1);
  const limit = i32x4.splat(threshold);
  for (let i = 0; i < count; i += 4) {
    const offset = <usize>i << 2, at = x + offset;
    const keep = i32x4.lt_u(i32x4.shr_u(v128.load(words + offset), 8), limit);
    v128.store(at, v128.bitselect(v128.load(at), v128.load(b + offset), keep));
  }
}

@inline
function turn(x: u32, by: i32): u32 {
  return (x << by) | (x >> (32 - by));
}

/** The random word of one element: half of what Threefry-2x32-20 makes of the counter ⌊element / 2⌋. */
export function randomWord(k0: u32, k1: u32, element: u64): u32 {
  const k2: u32 = k0 ^ k1 ^ 0x1bd11bda;
  let x0: u32 = <u32>(element >> 1) + k0, x1: u32 = <u32>(element >> 33) + k1;
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
  return element & 1 ? x1 + k0 + 5 : x0 + k2;
}

/** The random words of `count` elements from `element` on; writes up to 16 words more. Answers where the first lies. */
export function randomWords(target: usize, element: u64, count: i32, k0: u32, k1: u32): usize {
  const pair = element >> 1, skip = <i32>(element & 1);
  const pairs = (count + skip + 1) >> 1, low = <u32>pair;
  if (low + <u32>pairs < low) {
    // The low word of the counter wraps on the way.
    for (let i = 0; i < count; i++) {
      store<u32>(target + (<usize>i << 2), randomWord(k0, k1, element + <u64>i));
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
  // Two counters at a time, as each waits for itself in every step.
  for (let i = 0; i < pairs; i += 8) {
    let a0 = i32x4.add(counter, s0), a1 = start1;
    counter = i32x4.add(counter, step);
    let b0 = i32x4.add(counter, s0), b1 = start1;
    counter = i32x4.add(counter, step);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(rotate(a1, 13), a0); b1 = v128.xor(rotate(b1, 13), b0);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(rotate(a1, 15), a0); b1 = v128.xor(rotate(b1, 15), b0);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(rotate(a1, 26), a0); b1 = v128.xor(rotate(b1, 26), b0);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(rotate(a1, 6), a0); b1 = v128.xor(rotate(b1, 6), b0);
    a0 = i32x4.add(a0, s1); b0 = i32x4.add(b0, s1);
    a1 = i32x4.add(a1, s1a); b1 = i32x4.add(b1, s1a);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(rotate(a1, 17), a0); b1 = v128.xor(rotate(b1, 17), b0);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(rotate(a1, 29), a0); b1 = v128.xor(rotate(b1, 29), b0);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(half(a1), a0); b1 = v128.xor(half(b1), b0);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(right(a1), a0); b1 = v128.xor(right(b1), b0);
    a0 = i32x4.add(a0, s2); b0 = i32x4.add(b0, s2);
    a1 = i32x4.add(a1, s1b); b1 = i32x4.add(b1, s1b);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(rotate(a1, 13), a0); b1 = v128.xor(rotate(b1, 13), b0);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(rotate(a1, 15), a0); b1 = v128.xor(rotate(b1, 15), b0);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(rotate(a1, 26), a0); b1 = v128.xor(rotate(b1, 26), b0);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(rotate(a1, 6), a0); b1 = v128.xor(rotate(b1, 6), b0);
    a0 = i32x4.add(a0, s0); b0 = i32x4.add(b0, s0);
    a1 = i32x4.add(a1, s1c); b1 = i32x4.add(b1, s1c);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(rotate(a1, 17), a0); b1 = v128.xor(rotate(b1, 17), b0);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(rotate(a1, 29), a0); b1 = v128.xor(rotate(b1, 29), b0);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(half(a1), a0); b1 = v128.xor(half(b1), b0);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(right(a1), a0); b1 = v128.xor(right(b1), b0);
    a0 = i32x4.add(a0, s1); b0 = i32x4.add(b0, s1);
    a1 = i32x4.add(a1, s1d); b1 = i32x4.add(b1, s1d);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(rotate(a1, 13), a0); b1 = v128.xor(rotate(b1, 13), b0);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(rotate(a1, 15), a0); b1 = v128.xor(rotate(b1, 15), b0);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(rotate(a1, 26), a0); b1 = v128.xor(rotate(b1, 26), b0);
    a0 = i32x4.add(a0, a1); b0 = i32x4.add(b0, b1);
    a1 = v128.xor(rotate(a1, 6), a0); b1 = v128.xor(rotate(b1, 6), b0);
    a0 = i32x4.add(a0, s2); b0 = i32x4.add(b0, s2);
    a1 = i32x4.add(a1, s1e); b1 = i32x4.add(b1, s1e);
    const at = target + (<usize>i << 3);
    v128.store(at, v128.shuffle<i32>(a0, a1, 0, 4, 1, 5));
    v128.store(at, v128.shuffle<i32>(a0, a1, 2, 6, 3, 7), 16);
    v128.store(at, v128.shuffle<i32>(b0, b1, 0, 4, 1, 5), 32);
    v128.store(at, v128.shuffle<i32>(b0, b1, 2, 6, 3, 7), 48);
  }
  return target + (<usize>skip << 2);
}
