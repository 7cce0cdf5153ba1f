/**
 * Differential privacy at participant level by the Gaussian mechanism (ATM.md, section 3; Mironov 2017, Rényi
 * differential privacy, arXiv 1702.07476).
 *
 * @module
 */
import type { PrivacySpec } from "./atm_document.ts";

/** The privacy loss ε of K rounds at δ; infinite without noise. Add/remove of one participant. */
export function epsilonOf({ noiseMultiplier: z, delta }: PrivacySpec, rounds: number): number {
  if (z === 0) return Infinity;
  return rounds / (2 * z * z) + Math.sqrt(2 * rounds * Math.log(1 / delta)) / z;
}

/** Standard deviation of the noise on each element of the mean of `tasks` clipped task vectors. */
export function noiseDeviation({ clipNorm, noiseMultiplier }: PrivacySpec, tasks: number): number {
  return noiseMultiplier * clipNorm / tasks;
}

/** Expected norm of the noise over that of the largest possible mean: how much of a round is noise. */
export function noiseRatio(
  { noiseMultiplier }: PrivacySpec,
  tasks: number,
  parameters: number,
): number {
  return noiseMultiplier * Math.sqrt(parameters) / tasks;
}

/** 32 random bits as a number in (0, 1). */
const UNIT = 2 ** -32;
/** `crypto.getRandomValues` fills at most this many bytes at once. */
const MOST = 65536;

/**
 * Normally distributed numbers from the cryptographic generator, by Box and Muller's method, never from the run's
 * seed: whoever knows the seed could subtract the noise.
 */
export function gaussianNoise(count: number, deviation: number): Float32Array<ArrayBuffer> {
  const noise = new Float32Array(count);
  const words = new Uint32Array(MOST / 4);
  for (let first = 0; first < count; first += words.length) {
    crypto.getRandomValues(words);
    const end = Math.min(count, first + words.length);
    for (let i = first; i < end; i += 2) {
      const u = (words[i - first]! + 0.5) * UNIT;
      const angle = 2 * Math.PI * (words[i - first + 1]! + 0.5) * UNIT;
      const radius = deviation * Math.sqrt(-2 * Math.log(u));
      noise[i] = radius * Math.cos(angle);
      if (i + 1 < end) noise[i + 1] = radius * Math.sin(angle);
    }
  }
  return noise;
}
