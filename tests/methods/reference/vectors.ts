/**
 * Vectors in plain double precision, for the references. Nothing of core/ is used here but what has known
 * answers of its own.
 *
 * @module
 */

/** The values of a tensor, each a double. */
export type Vector = readonly number[];

/** A model's tensors by name. */
export type Tensors = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly values: Vector }>
>;

/** What a reference is given: one tensor of the base and of every model. */
export interface Inputs {
  readonly name: string;
  readonly shape: readonly number[];
  readonly base: Vector;
  readonly models: readonly Vector[];
  readonly modelNames: readonly string[];
}

/** `x − b`. */
export function minus(x: Vector, b: Vector): number[] {
  return x.map((value, j) => value - b[j]!);
}

/** The task vectors. */
export function deltasOf({ base, models }: Pick<Inputs, "base" | "models">): number[][] {
  return models.map((x) => minus(x, base));
}

/** `Σ c_i v_i`. */
export function combination(coefficients: Vector, vectors: readonly Vector[]): number[] {
  return vectors[0]!.map((_, j) => sum(vectors.map((v, i) => coefficients[i]! * v[j]!)));
}

/** `b + λ·m`. */
export function plus(b: Vector, m: Vector, lambda = 1): number[] {
  return b.map((value, j) => value + lambda * m[j]!);
}

/** The sum of numbers. */
export function sum(values: Vector): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** The dot product. */
export function dot(u: Vector, v: Vector): number {
  return sum(u.map((value, j) => value * v[j]!));
}

/** The Euclidean norm. */
export function norm(v: Vector): number {
  return Math.sqrt(dot(v, v));
}

/** −1, 0 or 1. */
export function signOf(value: number): number {
  return value > 0 ? 1 : value < 0 ? -1 : 0;
}

/** Indices by falling magnitude of the float32 value, equal ones in order (METHODS.md 2.9). */
export function byMagnitude(values: Vector): number[] {
  const keys = values.map((value) => Math.abs(Math.fround(value)));
  return values.map((_, j) => j).sort((i, k) => keys[k]! - keys[i]! || i - k);
}

/** The values at some indices, zeros elsewhere. */
export function only(values: Vector, indices: readonly number[]): number[] {
  const result = values.map(() => 0);
  for (const j of indices) result[j] = values[j]!;
  return result;
}

/** The rows of the matrix view: index lists. */
export function rowsOf({ shape, base }: Pick<Inputs, "shape" | "base">): number[][] {
  const length = shape.length < 2 ? base.length : base.length / shape[0]!;
  const all = base.map((_, j) => j);
  return Array.from(
    { length: base.length / length },
    (_, i) => all.slice(i * length, (i + 1) * length),
  );
}

/** The columns of the matrix view: index lists. */
export function columnsOf({ shape, base }: Pick<Inputs, "shape" | "base">): number[][] {
  if (shape.length < 2) return [base.map((_, j) => j)];
  const columns = base.length / shape[0]!;
  return Array.from(
    { length: columns },
    (_, c) => Array.from({ length: shape[0]! }, (_, r) => r * columns + c),
  );
}
