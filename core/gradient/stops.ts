/**
 * Operators whose results carry no gradient by nature.
 *
 * @module
 */

/**
 * The walk stops silently at these: their results are shapes, indices or truth values, or do not change with small
 * changes of their inputs (Sign, Floor, Ceil, Round, as in PyTorch).
 */
export const STOPS: ReadonlySet<string> = new Set([
  "Shape",
  "Size",
  "ConstantOfShape",
  "EyeLike",
  "Range",
  "ArgMax",
  "ArgMin",
  "Equal",
  "Greater",
  "GreaterOrEqual",
  "Less",
  "LessOrEqual",
  "And",
  "Or",
  "Xor",
  "Not",
  "IsNaN",
  "IsInf",
  "NonZero",
  "OneHot",
  "Sign",
  "Floor",
  "Ceil",
  "Round",
  "BitShift",
  "BitwiseAnd",
  "BitwiseOr",
  "BitwiseNot",
  "BitwiseXor",
]);
