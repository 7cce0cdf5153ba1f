/**
 * The four ways to thin out a task vector (METHODS.md 4, step 2).
 *
 * @module
 */
import type { Selection } from "./measure.ts";
import type { ParameterSpec, RefuseDecision, TensorCase } from "./method.ts";
import { numberOf, numbersOf } from "./parameters.ts";

/** Random densities below this are noted. */
const LOW_DENSITY = 0.1;
/** Rows longer than this are not ranked. */
const LONGEST_ROW = 2 ** 24;
/** How far density ± epsilon may leave [0, 1] through rounding. */
const SLACK = 1e-12;

/** What is kept of each model's task vector. */
export interface Sparsified {
  /** Per model; undefined keeps everything. */
  readonly selections: readonly (Selection | undefined)[];
  /** Per model, what makes up for the dropped elements on average: 1 where the selection does so itself. */
  readonly inverse: readonly number[];
  /** Reason codes. */
  readonly notes: readonly string[];
}

/** A way to sparsify. */
export interface Sparsifier {
  readonly parameters: Readonly<Record<string, ParameterSpec>>;
  /** Whether kept elements can be divided by the probability of keeping them. */
  readonly random: boolean;
  /** Decides, for densities below 1; `divide` asks for division by the probability. */
  sparsify(tensor: TensorCase, divide: boolean): Sparsified | RefuseDecision;
}

const DENSITY: ParameterSpec = {
  scope: "model",
  type: "number",
  default: 1,
  minimum: 0,
  maximum: 1,
  description: "Share of the task vector's elements that is kept.",
};

/** Keeps everything. */
export const none: Sparsifier = {
  parameters: {
    density: { ...DENSITY, description: "Accepted for mergekit recipes; has no effect here." },
  },
  random: false,
  sparsify: ({ models }) => ({
    selections: models.map(() => undefined),
    inverse: models.map(() => 1),
    notes: [],
  }),
};

/** Keeps the largest magnitudes, of the tensor or, with `trim_scope`, of the model. */
export const magnitude: Sparsifier = {
  parameters: { density: DENSITY },
  random: false,
  sparsify: (tensor) =>
    each(
      tensor,
      (density, _, notes) =>
        tensor.global.trim_scope === "model" && density > 0
          ? { kind: "model-magnitude", density }
          : { kind: "magnitude", keep: kept(tensor, density, notes) },
    ),
};

/** Keeps each element with one probability. */
export const random: Sparsifier = {
  parameters: { density: DENSITY },
  random: true,
  sparsify(tensor) {
    const sparsified = each(tensor, (density, _, notes) => {
      if (density > 0 && density < LOW_DENSITY) notes.add("low-density");
      return { kind: "random", probability: density };
    });
    const inverse = numbersOf(tensor, "density").map((density) => density > 0 ? 1 / density : 1);
    return { ...sparsified, inverse };
  },
};

/** Drops the largest magnitudes and the small ones. */
export const outliers: Sparsifier = {
  parameters: {
    density: DENSITY,
    gamma: {
      scope: "model",
      type: "number",
      default: 0.01,
      minimum: 0,
      exclusiveMaximum: 1,
      description: "Share of the elements that is removed at the top, the largest magnitudes.",
    },
  },
  random: false,
  sparsify: (tensor) =>
    each(tensor, (density, i, notes) => {
      const { elements, compat } = tensor;
      const keep = kept(tensor, density, notes);
      const top = Math.floor(numberOf(tensor.models[i]!, "gamma") * elements);
      if (compat && top === 0) return { kind: "magnitude", keep: 0 };
      return { kind: "magnitude", keep, skip: keep > 0 ? Math.min(top, elements - keep) : 0 };
    }),
};

/** Keeps each element with a probability that grows with the rank of its magnitude in its row. */
export const magprune: Sparsifier = {
  parameters: {
    density: DENSITY,
    epsilon: {
      scope: "model",
      type: "number",
      default: 0.15,
      minimum: 0,
      description: "The probability of keeping an element runs from density − epsilon for the " +
        "smallest to density + epsilon for the largest magnitude of a row.",
    },
  },
  random: true,
  sparsify(tensor, divide) {
    const sparse = tensor.models.filter(({ density }) => Number(density) > 0 && density !== 1);
    const wrong = sparse.find((parameters) => !hasRoom(parameters));
    if (wrong) {
      return {
        action: "refuse",
        parameter: "epsilon",
        message: `Cannot drop by rank as density − epsilon must be at least 0 and ` +
          `density + epsilon at most 1: current values are ${wrong.density} and ${wrong.epsilon}`,
      };
    }
    if (sparse.every(({ epsilon }) => epsilon === 0)) return random.sparsify(tensor, divide);
    const { length, stride } = rankedVectors(tensor);
    if (length > LONGEST_ROW) {
      return {
        action: "refuse",
        message: `Cannot rank magnitudes as a row must have at most ${LONGEST_ROW} elements: ` +
          `current value is ${length}`,
      };
    }
    return each(tensor, (density, i) => {
      if (density === 0) return { kind: "magnitude", keep: 0 };
      const epsilon = numberOf(tensor.models[i]!, "epsilon");
      return { kind: "ranked", density, epsilon, divide, length, stride };
    });
  },
};

/** A selection for each model whose density is below 1. */
function each(
  tensor: TensorCase,
  select: (density: number, model: number, notes: Set<string>) => Selection,
): Sparsified {
  const notes = new Set<string>();
  const selections = numbersOf(tensor, "density").map((density, i) =>
    density === 1 ? undefined : select(density, i, notes)
  );
  return { selections, inverse: selections.map(() => 1), notes: [...notes] };
}

/** `⌊d·P⌋`, but at least 1 where anything is kept. */
function kept({ elements }: TensorCase, density: number, notes: Set<string>): number {
  const keep = Math.floor(density * elements);
  if (keep > 0 || density === 0) return keep;
  notes.add("k-raised");
  return 1;
}

function hasRoom(parameters: TensorCase["models"][number]): boolean {
  const [density, epsilon] = [numberOf(parameters, "density"), numberOf(parameters, "epsilon")];
  return density - epsilon >= -SLACK && density + epsilon <= 1 + SLACK;
}

/** Rows of the matrix view; with `compat` tensors of three dimensions or more are ranked along the second. */
function rankedVectors(
  { shape, elements, compat }: TensorCase,
): { readonly length: number; readonly stride: number } {
  if (shape.length < 2) return { length: elements, stride: 1 };
  const [rows, second] = [shape[0]!, shape[1]!];
  return compat && shape.length > 2
    ? { length: second, stride: elements / (rows * second) }
    : { length: elements / rows, stride: 1 };
}
