/**
 * What all methods of dense algebra share (METHODS.md 8.1): which tensors are matrices, parameters, short cuts,
 * and the mean that every other tensor gets.
 *
 * @module
 */
import type {
  Decision,
  MatrixDecision,
  MergeDecision,
  MergeMethod,
  Parameters,
  ParameterSpec,
  TensorCase,
} from "./method.ts";
import { LAMBDA, numberOf, numbersOf, WEIGHT } from "./parameters.ts";

/** A matrix that a method decides on. */
export interface MatrixCase {
  readonly rows: number;
  readonly columns: number;
  /** The smaller of both. */
  readonly rank: number;
  /** Number of task vectors T. */
  readonly count: number;
  readonly global: Parameters;
}

/** What a method does with a matrix. */
export type MatrixPlan = Pick<MatrixDecision, "memory" | "run" | "passes">;

/** What tells one such method from another. */
export interface MatrixDefinition
  extends Pick<MergeMethod, "name" | "title" | "paper" | "guide" | "experimental"> {
  /** Least number of models. */
  readonly minimum?: number;
  readonly parameters: Readonly<Record<string, ParameterSpec>>;
  /** Whether one model with a total coefficient of 1 gives that model, with these parameters. */
  isIdentity(global: Parameters): boolean;
  /** Undefined: take the mean. */
  plan(matrix: MatrixCase): MatrixPlan | undefined;
}

/** Bytes of a number in double precision. */
export const DOUBLE = 8;

/** `rank_tol` (METHODS.md 8.1). */
export const RANK_TOL: ParameterSpec = {
  scope: "global",
  type: "number",
  default: 1e-6,
  minimum: 0,
  exclusiveMaximum: 1,
  description:
    "Singular values up to this share of the largest are dropped; below 1e-7 they are rounding " +
    "noise and dropped anyway.",
};

/** A method of the table. */
export function matrixMethod(definition: MatrixDefinition): MergeMethod {
  const { name, title, paper, guide, experimental, parameters, minimum = 1 } = definition;
  return {
    name,
    title,
    ...(paper ? { paper } : {}),
    ...(guide ? { guide } : {}),
    ...(experimental ? { experimental } : {}),
    base: "required",
    models: { minimum, maximum: Infinity },
    operand: "task_vectors",
    parameters: {
      weight: WEIGHT,
      lambda: LAMBDA,
      ...parameters,
      matrix_exclude: {
        scope: "global",
        type: "filters",
        default: false,
        description: "Parts of tensor names: what matches one takes the mean, as what is no " +
          "matrix does. Embeddings and output heads are often better excluded.",
      },
      matrix_view: {
        scope: "global",
        type: "boolean",
        default: false,
        description: "Tensors of three dimensions and more count as matrices too, with the first " +
          "dimension as rows.",
      },
    },
    decide: (tensor) => decide(definition, tensor),
    graphs: { mean: (_, x) => x.onBase(x.weightedSum("weight", x.deltas())) },
  };
}

function decide(definition: MatrixDefinition, tensor: TensorCase): Decision {
  const { shape, elements, global } = tensor;
  const weights = numbersOf(tensor, "weight");
  const lambda = numberOf(global, "lambda");
  if (lambda === 0) return { action: "copy", from: "base", reason: "lambda-zero" };
  if (weights.every((weight) => weight === 0)) {
    return { action: "copy", from: "base", reason: "weights-zero" };
  }
  const isMatrix = !global.matrix_exclude &&
    (shape.length === 2 || global.matrix_view === true && shape.length > 2);
  const isAlone = weights.length === 1 && lambda * weights[0]! === 1;
  if (isAlone && (definition.isIdentity(global) || !isMatrix)) {
    return { action: "copy", from: 0, reason: "identity" };
  }
  if (!isMatrix) return mean(weights, lambda);
  const rows = shape[0]!;
  const columns = elements / rows;
  const rank = Math.min(rows, columns);
  const plan = definition.plan({ rows, columns, rank, count: weights.length, global });
  if (plan === undefined) return mean(weights, lambda);
  return { action: "matrix", rows, columns, weights, lambda, ...plan, notes: [] };
}

/** `y = b + λ·(1/n)Σ w_i δ_i`. */
function mean(weights: readonly number[], lambda: number): MergeDecision {
  const coefficients = weights.map((weight) => lambda * weight / weights.length);
  return {
    action: "merge",
    graph: "mean",
    coefficients: () => ({ weight: coefficients }),
    notes: ["fallback-mean"],
  };
}
