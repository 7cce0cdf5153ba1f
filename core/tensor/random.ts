/**
 * Counter-based random numbers: Threefry-2x32 with 20 rounds (Salmon et al. 2011, "Parallel random
 * numbers: as easy as 1, 2, 3"), keyed by seed, stream, model and tensor (METHODS.md 2.10).
 *
 * A draw depends on its key and element only, never on chunks, order or threads.
 *
 * @module
 */

/** Two 32-bit words. */
export type Words = readonly [number, number];

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const PARITY = 0x1bd11bda;

/** Encrypts one counter: two unsigned 32-bit words from a key and a counter of two words each. */
export function threefry2x32(key: Words, counter: Words): Words {
  const schedule = [key[0], key[1], key[0] ^ key[1] ^ PARITY];
  let x0 = (counter[0] + key[0]) | 0;
  let x1 = (counter[1] + key[1]) | 0;
  for (let round = 0; round < 20; round++) {
    const by = ROTATIONS[round % 8]!;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << by) | (x1 >>> (32 - by))) ^ x0;
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      x0 = (x0 + schedule[injection % 3]!) | 0;
      x1 = (x1 + schedule[(injection + 1) % 3]! + injection) | 0;
    }
  }
  return [x0 >>> 0, x1 >>> 0];
}

/** The key of a stream: the first two big-endian words of SHA-256 over the labels joined by newlines. */
export async function randomKey(
  seed: number,
  label: "mask" | "order" | "sample",
  model: string,
  tensor: string,
): Promise<Words> {
  const text = ["amalgam-rng-1", String(seed), label, model, tensor].join("\n");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const view = new DataView(digest);
  return [view.getUint32(0), view.getUint32(4)];
}

/** The random word of element `element` (any safe integer): counter ⌊e/2⌋, output word e mod 2. */
export function randomWord(key: Words, element: number): number {
  const pair = Math.floor(element / 2);
  const words = threefry2x32(key, [pair % 2 ** 32 | 0, Math.floor(pair / 2 ** 32)]);
  return words[element % 2]!;
}

/** `u = (word >>> 8) / 2^24 < probability` holds iff `word >>> 8` is below this integer. */
export function maskThreshold(probability: number): number {
  return Math.ceil(probability * 2 ** 24);
}
