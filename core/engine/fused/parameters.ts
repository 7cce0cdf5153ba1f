/**
 * How the function of a program is called.
 *
 * @module
 */

/** The parameters of the function, all i32; pointers and strides in bytes. */
export const PARAMETERS = [
  /** Elements. Maps and scores round it up to a whole vector. */
  "count",
  /** The models' rows as the format says, `stride` apart. */
  "x",
  "stride",
  /** The same before selections. */
  "unselected",
  "base",
  /** Coefficients in the program's precision: one value each, or rows `coefficientStride` apart. */
  "coefficients",
  "coefficientStride",
  /** Maps and scores: rows as the format says, `yStride` apart. Sums: float64 values. */
  "y",
  "yStride",
  /** The exponentials of all bfloat16, where a program looks them up. */
  "exponentials",
  /** Two keys for every row of the models, where some are cut: the least that is kept, and the least above those. */
  "cuts",
] as const;

/** The name of one. */
export type Parameter = typeof PARAMETERS[number];

/** Its local. */
export const parameter = (name: Parameter): number => PARAMETERS.indexOf(name);

/** The local behind them: bytes of the float32 elements that are done. */
export const OFFSET = PARAMETERS.length;
