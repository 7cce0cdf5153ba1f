/**
 * What Resize does along one axis: every result is a weighted sum of a few elements.
 *
 * The definitions are those of the operator's page in ONNX; places are computed in single precision where ONNX
 * Runtime does so, since the nearest element may hang on the last bit.
 *
 * @module
 */

/** A weight and the place it belongs to. */
export interface Tap {
  readonly at: number;
  readonly weight: number;
}

/** One axis of a Resize. */
export interface ResizedAxis {
  readonly from: number;
  readonly to: number;
  /** About `to / from`; what counts is what the operator was given. */
  readonly scale: number;
}

/** How a Resize chooses elements and weights. */
export interface Interpolation {
  readonly mode: "nearest" | "linear" | "cubic";
  /** The operator's coordinate_transformation_mode. */
  readonly transformation: Transformation;
  /** The operator's nearest_mode. */
  readonly rounding: Rounding;
  /** The operator's cubic_coeff_a. */
  readonly cubicCoefficient: number;
  readonly excludeOutside: boolean;
}

/** Names of the supported coordinate transformations. */
export type Transformation = keyof typeof TRANSFORMATIONS;

/** Names of the supported roundings. */
export type Rounding = keyof typeof ROUNDINGS;

const f = Math.fround;

const halfPixel = (x: number, { scale }: ResizedAxis) => f(f(f(x + 0.5) / f(scale)) - 0.5);

/** From a place in the result to one in the input, by coordinate_transformation_mode. */
export const TRANSFORMATIONS = {
  half_pixel: halfPixel,
  pytorch_half_pixel: (x: number, axis: ResizedAxis) => axis.to > 1 ? halfPixel(x, axis) : 0,
  half_pixel_symmetric: (x: number, axis: ResizedAxis) => {
    const adjustment = f(axis.to / f(f(axis.scale) * axis.from));
    const offset = f(f(axis.from / 2) * f(1 - adjustment));
    return f(offset + (x + 0.5) / f(axis.scale) - 0.5);
  },
  asymmetric: (x: number, { scale }: ResizedAxis) => f(x / f(scale)),
  align_corners: (x: number, { from, to }: ResizedAxis) =>
    to === 1 ? 0 : f(f(x * (from - 1)) / (to - 1)),
} as const;

/** ONNX Runtime takes a place for the middle of two elements if it is this close to it. */
const TIE = 1e-6;

/** From a place in the input to one of its elements, by nearest_mode. */
export const ROUNDINGS = {
  round_prefer_floor: (x: number) => Math.ceil(x - 0.5 - TIE),
  round_prefer_ceil: (x: number) => Math.floor(x + 0.5 + TIE),
  floor: Math.floor,
  ceil: Math.ceil,
} as const;

/** For every element of the result, what it is made of. Places may occur twice. */
export function tapsOf(axis: ResizedAxis, interpolation: Interpolation): Tap[][] {
  const { mode, transformation, rounding } = interpolation;
  return Array.from({ length: axis.to }, (_, i) => {
    const x = axis.scale === 1 ? i : TRANSFORMATIONS[transformation](i, axis);
    if (mode === "nearest") return [{ at: inside(ROUNDINGS[rounding](x), axis), weight: 1 }];
    if (mode === "cubic") return cubicTaps(x, axis, interpolation);
    const held = inside(x, axis);
    const low = Math.floor(held);
    const fraction = held - low;
    const taps = [{ at: low, weight: 1 - fraction }];
    return fraction > 0 ? [...taps, { at: low + 1, weight: fraction }] : taps;
  });
}

/** Keys' cubic convolution (1981). */
function cubicTaps(
  x: number,
  axis: ResizedAxis,
  { cubicCoefficient: a, excludeOutside }: Interpolation,
): Tap[] {
  const low = Math.floor(x);
  const taps = [-1, 0, 1, 2].map((offset): Tap => {
    const distance = Math.abs(x - low - offset);
    const weight = distance <= 1
      ? ((a + 2) * distance - (a + 3)) * distance * distance + 1
      : ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a;
    return { at: low + offset, weight };
  });
  if (!excludeOutside) return taps.map(({ at, weight }) => ({ at: inside(at, axis), weight }));
  const present = taps.filter(({ at }) => at === inside(at, axis));
  const sum = present.reduce((all, { weight }) => all + weight, 0);
  return present.map(({ at, weight }) => ({ at, weight: weight / sum }));
}

function inside(x: number, { from }: ResizedAxis): number {
  return Math.max(0, Math.min(x, from - 1));
}

/** For every element of the input, what it is part of: the transposed map. */
export function transposed(taps: readonly (readonly Tap[])[], from: number): Tap[][] {
  const answer = Array.from({ length: from }, () => new Map<number, number>());
  taps.forEach((list, i) => {
    for (const { at, weight } of list) {
      answer[at]!.set(i, (answer[at]!.get(i) ?? 0) + weight);
    }
  });
  return answer.map((parts) => [...parts].map(([at, weight]) => ({ at, weight })));
}
