/**
 * MT19937 (Matsumoto & Nishimura 1998), only for `rng: "mt19937"`: the masks of mergekit on a CPU
 * (METHODS.md 2.10). Sequential by nature, so masks are drawn in order by one thread.
 *
 * @module
 */

const N = 624;
const M = 397;

/** A generator of unsigned 32-bit words. */
export type WordGenerator = () => number;

/** Starts MT19937 from the low 32 bits of a seed (the standard single-integer seeding). */
export function mt19937(seed: number): WordGenerator {
  const state = new Int32Array(N);
  state[0] = Number(BigInt.asIntN(32, BigInt(seed)));
  for (let i = 1; i < N; i++) {
    const previous = state[i - 1]! ^ (state[i - 1]! >>> 30);
    state[i] = (Math.imul(previous, 1812433253) + i) | 0;
  }
  let index = N;
  const twist = () => {
    for (let i = 0; i < N; i++) {
      const mixed = (state[i]! & 0x80000000) | (state[(i + 1) % N]! & 0x7fffffff);
      state[i] = state[(i + M) % N]! ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
    }
    index = 0;
  };
  return () => {
    if (index === N) twist();
    let y = state[index++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  };
}

/** Draws `count` keep flags (1 keeps): `(word & 0xffffff) / 2^24 < fl32(probability)`. */
export function drawMask(next: WordGenerator, count: number, probability: number): Uint8Array {
  const limit = Math.fround(probability) * 2 ** 24;
  const keep = new Uint8Array(count);
  for (let i = 0; i < count; i++) keep[i] = (next() & 0xffffff) < limit ? 1 : 0;
  return keep;
}
