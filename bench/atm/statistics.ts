/**
 * Means over seeds with 95 % intervals by Student's t (Student 1908), and the quantiles that they need.
 *
 * @module
 */

/** A mean with the half width of its 95 % interval; infinite where one value says nothing of spread. */
export interface Estimate {
  readonly mean: number;
  readonly half: number;
  readonly count: number;
}

/** The mean of values and its interval. */
export function estimate(values: readonly number[]): Estimate {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count < 2) return { mean, half: Infinity, count };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const error = Math.sqrt(squares / (count - 1) / count);
  return { mean, half: tQuantile(0.975, count - 1) * error, count };
}

/**
 * The mean of paired differences `a − b` and its interval.
 *
 * @throws {RangeError} If there are not as many of one as of the other.
 */
export function pairedDifference(a: readonly number[], b: readonly number[]): Estimate {
  if (a.length !== b.length) {
    throw new RangeError(
      `Pairs need two lists of one length: current value is ${a.length} and ${b.length}`,
    );
  }
  return estimate(a.map((value, i) => value - b[i]!));
}

/** The slope of a straight line through points, by least squares. */
export function slope(x: readonly number[], y: readonly number[]): number {
  const middle = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [middle(x), middle(y)];
  const product = x.reduce((sum, value, i) => sum + (value - mx) * (y[i]! - my), 0);
  return product / x.reduce((sum, value) => sum + (value - mx) ** 2, 0);
}

/** The quantile of Student's t distribution, by bisection. */
export function tQuantile(probability: number, freedom: number): number {
  if (probability < 0.5) return -tQuantile(1 - probability, freedom);
  let [low, high] = [0, 1];
  while (tProbability(high, freedom) < probability) high *= 2;
  for (let i = 0; i < 200 && high - low > 1e-12 * high; i++) {
    const middle = (low + high) / 2;
    if (tProbability(middle, freedom) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The probability that Student's t is at most `t`, for `t ≥ 0`. */
function tProbability(t: number, freedom: number): number {
  return 1 - 0.5 * incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5);
}

/** The regularized incomplete beta function, by its continued fraction (Lentz's method). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(
    a * Math.log(x) + b * Math.log(1 - x) + logGamma(a + b) - logGamma(a) - logGamma(b),
  ) / a;
  const tiny = 1e-300;
  let f = 1;
  let c = 1;
  let d = 0;
  for (let i = 0; i < 500; i++) {
    const m = Math.floor(i / 2);
    const term = i === 0
      ? 1
      : i % 2 === 0
      ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (Math.abs(1 + term * d) < tiny ? tiny : 1 + term * d);
    c = Math.abs(1 + term / c) < tiny ? tiny : 1 + term / c;
    f *= c * d;
    if (Math.abs(1 - c * d) < 1e-14) break;
  }
  return front * (f - 1);
}

/** The logarithm of the gamma function of a positive number, by Stirling's series. */
function logGamma(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < 12; z++) shift += Math.log(z);
  const inverse = 1 / (z * z);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / z;
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
}
