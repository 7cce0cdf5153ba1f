// AssemblyScript, compiled by `deno task kernels` into ../kernels_wasm.ts. All pointers are byte offsets;
// every count is padded by the caller to a multiple of 8 elements of readable memory.

// Threefry-2x32-20, and random masks from it.

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

/** The random words of `count` elements from `element` on; writes up to 8 words more. Answers where the first lies. */
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
