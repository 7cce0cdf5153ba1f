/**
 * What numbers a field takes, and what its slider offers.
 *
 * @module
 */

/** The numbers that are allowed, as JSON Schema says it. */
export interface NumberRange {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly integer?: boolean;
}

/** What a slider offers. */
export interface SliderRange {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

/** Why a number is not allowed; nothing if it is. */
export function rangeFault(value: number, range: NumberRange): string | undefined {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, integer } = range;
  const isOutside = !Number.isFinite(value) || (integer === true && !Number.isInteger(value)) ||
    (minimum !== undefined && value < minimum) || (maximum !== undefined && value > maximum) ||
    (exclusiveMinimum !== undefined && value <= exclusiveMinimum) ||
    (exclusiveMaximum !== undefined && value >= exclusiveMaximum);
  return isOutside ? `Must be ${rangeText(range)}: current value is ${value}` : undefined;
}

/** The range in words, such as `a number in [0, 1]`. */
export function rangeText(range: NumberRange): string {
  const noun = range.integer ? "a whole number" : "a number";
  const low = range.minimum ?? range.exclusiveMinimum;
  const high = range.maximum ?? range.exclusiveMaximum;
  const least = range.minimum === undefined ? "above" : "of at least";
  const most = range.maximum === undefined ? "below" : "of at most";
  if (low === undefined && high === undefined) return noun;
  if (high === undefined) return `${noun} ${least} ${low}`;
  if (low === undefined) return `${noun} ${most} ${high}`;
  const opening = range.minimum === undefined ? "(" : "[";
  const closing = range.maximum === undefined ? ")" : "]";
  return `${noun} in ${opening}${low}, ${high}${closing}`;
}

/**
 * What a slider offers: the range where it has two ends, else what is usual around the default. None for numbers so
 * small that nobody slides to them, such as an epsilon.
 */
export function sliderRange(
  range: NumberRange,
  usual: number | undefined,
): SliderRange | undefined {
  if (usual !== undefined && usual !== 0 && Math.abs(usual) < 0.005) return undefined;
  const low = range.minimum ?? range.exclusiveMinimum;
  const high = range.maximum ?? range.exclusiveMaximum;
  const from = low ?? Math.min(0, 2 * (usual ?? 0));
  const to = high ?? from + nice(Math.max(2 * Math.abs(usual ?? 0.5), range.integer ? 10 : 1));
  if (range.integer) return { from, to, step: 1 };
  const step = 10 ** Math.floor(Math.log10((to - from) / 50));
  // The ends that do not belong to the range are not offered.
  return {
    from: range.minimum === undefined && range.exclusiveMinimum !== undefined ? from + step : from,
    to: range.maximum === undefined && range.exclusiveMaximum !== undefined ? to - step : to,
    step,
  };
}

/** The least of 1, 2 and 5 times a power of ten that is not below a number. */
function nice(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5, 10].find((digit) => digit * power >= value) ?? 10);
}
