/**
 * What a method may ask to be found out about a tensor before it is mapped: which elements survive, sums,
 * and order statistics.
 *
 * @module
 */

/** Which elements of one model's task vector survive. Dropped elements act as if the model equalled the base there. */
export type Selection =
  /** The `keep` magnitudes that follow the `skip` (default 0) largest, ties by lower flat index (METHODS.md 2.9). */
  | { readonly kind: "magnitude"; readonly keep: number; readonly skip?: number }
  /** The share `density` of the model's largest magnitudes over all tensors that are merged (`trim_scope`). */
  | { readonly kind: "model-magnitude"; readonly density: number }
  /** Element e is kept iff its random number is below `probability` (METHODS.md 2.10). */
  | { readonly kind: "random"; readonly probability: number }
  /** The probability depends on the rank of the magnitude inside its vector (METHODS.md 4, magprune). */
  | RankedSelection;

/** Vectors lie as in a row-major tensor `[P / (length · stride), length, stride]`. */
export interface RankedSelection {
  readonly kind: "ranked";
  readonly density: number;
  readonly epsilon: number;
  /** Whether a kept element is divided by its own probability. */
  readonly divide: boolean;
  readonly length: number;
  readonly stride: number;
}

/** The vectors that a tensor falls into where it is not one vector as a whole (METHODS.md 2.8). */
export interface Vectors {
  readonly along: "rows" | "columns";
  /** Elements per row of the matrix view. */
  readonly rowLength: number;
}

/** Numbers that a graph reads: by input name, per model (n values) or one (1 value). */
export type Coefficients = Readonly<Record<string, readonly number[]>>;

/** What all measures have in common. */
interface Measuring {
  /** Key into the method's graphs, or which it is by what earlier measures found of all vectors. */
  readonly graph: string | ((...found: readonly Float64Array[]) => string);
  /** What the graph reads, from what earlier measures found; absent: nothing. */
  coefficients?(...found: Float64Array[]): Coefficients;
}

/**
 * Sums: the graph works in float64 and gives `[blocks, sums]` for blocks of 4096 elements, which are added up in order.
 * Found are `sums` numbers for each vector; coefficients and `combine` see one vector at a time.
 */
export interface SumMeasure extends Measuring {
  readonly kind: "sums";
  readonly sums: number;
  /** `model`: the sums run over every tensor of the merge. */
  readonly scope?: "model";
  /**
   * Only with the scope `model` and without `combine`: the sums are equally many for each model, one model after
   * the other, and are those of the models wherever they take part.
   */
  readonly perModel?: true;
  /** What the sums start from; absent: zeros. */
  readonly start?: readonly number[];
  /** Takes a block's numbers into the total, in place; absent: addition. */
  combine?(total: Float64Array, block: Float64Array): void;
  /**
   * Whether sums of the whole tensor whose blocks were summed in float32 do for the coefficients, to which they must be
   * all that matters; if not, they are taken again in float64. Absent: always in float64.
   */
  settled?(sums: Float64Array): boolean;
  /** The sums of all vectors, `[vectors, sums]`, where the measures before tell: no pass is made then. */
  known?(...found: readonly Float64Array[]): Float64Array | undefined;
}

/** What scores the elements of a tensor. */
interface Scoring extends Measuring {
  /** Whether the graph works in float64; scores are rounded to float32. */
  readonly double?: boolean;
}

/**
 * Order statistics: the graph gives scores ≥ 0, `[rows, N]`. Found are the values at the ranks that
 * are asked for, all those of the first row first.
 */
export interface RankMeasure extends Scoring {
  readonly kind: "ranks";
  /** Rows of scores; with the scope `model` a multiple of the models, row r belonging to model r mod n. */
  readonly rows: number;
  /** `model`: scores are ranked over every tensor of the merge. */
  readonly scope?: "model";
  /** Ranks, 1 for the largest, in a row of so many elements (of the tensor, or of the model). */
  ranks(elements: number, row: number): readonly number[];
}

/**
 * A selection that all models share: the graph gives scores ≥ 0, `[1, N]`, and from here on only
 * the elements with the `keep(positive)` largest survive, of which `positive` are above 0; undefined keeps
 * all. Found are the number that is kept and that of positive scores.
 */
export interface KeepMeasure extends Scoring {
  readonly kind: "keep";
  keep(positive: number): number | undefined;
}

/** One step before the map; each costs a pass over the tensor. Those of scope `model` come first. */
export type Measure = SumMeasure | RankMeasure | KeepMeasure;

/** The key of a measure's graph. */
export function graphOfMeasure({ graph }: Measure, found: readonly Float64Array[]): string {
  return typeof graph === "string" ? graph : graph(...found);
}
