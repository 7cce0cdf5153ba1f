/**
 * From which size on tensors are worth a GPU, from what both engines were measured to take.
 *
 * @module
 */

/** What tensors ask for: a map of what is stored, sums and then such a map, a map of what is left by a selection. */
export const DEVICE_WORK = ["map", "sums", "selected"] as const;

/** One of {@linkcode DEVICE_WORK}. */
export type DeviceWork = typeof DEVICE_WORK[number];

/** The least number of elements of a tensor that runs on the GPU; absent: none does. */
export type DeviceSizes = Readonly<Partial<Record<DeviceWork, number>>>;

/** What a chunk took on both engines, all threads busy with the like. */
export interface Measured {
  readonly work: DeviceWork;
  readonly elements: number;
  /** Nanoseconds for an element on the fused engine. */
  readonly fused: number;
  /** The same on the GPU, transfers included. */
  readonly webgpu: number;
}

/** How much faster the GPU must be: what was measured once is not worth a change of rounding for less. */
const WORTH = 1.25;

/** The smallest tensor that is thought of. */
const LEAST = 4096;

/**
 * Where the GPU is worth it. A chunk is taken to cost something at once and something for each element, on each engine;
 * tensors beyond the largest chunk that was measured are made of such.
 *
 * @returns By work the least power of two from which it is; undefined where the GPU is never worth it.
 */
export function deviceSizes(measured: readonly Measured[]): DeviceSizes | undefined {
  const sizes: Partial<Record<DeviceWork, number>> = {};
  for (const work of DEVICE_WORK) {
    const from = leastSize(measured.filter((each) => each.work === work));
    if (from !== undefined) sizes[work] = from;
  }
  return Object.keys(sizes).length === 0 ? undefined : sizes;
}

function leastSize(measured: readonly Measured[]): number | undefined {
  const points = measured.toSorted((a, b) => a.elements - b.elements);
  const [small, large] = [points[0], points.at(-1)];
  if (!small || !large || small === large) return undefined;
  const cost = (engine: "fused" | "webgpu") => {
    const [first, last] = [small, large].map((point) => point[engine] * point.elements);
    const slope = Math.max((last! - first!) / (large.elements - small.elements), 0);
    const start = Math.max(first! - slope * small.elements, 0);
    return (elements: number) => start + slope * elements;
  };
  const [fused, webgpu] = [cost("fused"), cost("webgpu")];
  const isWorth = (elements: number) => webgpu(elements) * WORTH < fused(elements);
  if (large.webgpu * WORTH >= large.fused) return undefined;
  let least = large.elements;
  while (least > LEAST && isWorth(least / 2)) least /= 2;
  return least;
}
