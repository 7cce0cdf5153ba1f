/**
 * Merges small vectors, for the laws that methods obey.
 *
 * @module
 */
import { assertAlmostEquals } from "@std/assert";
import fc from "fast-check";
import { METHODS } from "../../core/methods/mod.ts";
import { mergeValues, type TestCheckpoint } from "../support/merging.ts";

const SIZE = 24;

/** A coarse dyadic grid, on which sums and powers of two are exact. */
export const vector = fc.array(fc.integer({ min: -8, max: 8 }).map((value) => value / 8), {
  minLength: SIZE,
  maxLength: SIZE,
});

/** Weights on the grid, positive. */
export const weight = fc.integer({ min: 1, max: 8 }).map((value) => value / 8);

/** Parameters of a recipe. */
export type Parameters = Record<string, unknown>;

/** Few runs, as each takes several merges; the same in every run of the tests. */
export const runs = { numRuns: 8, seed: 1 };

/** How a merge differs from the usual. */
export interface MergeForm {
  /** Shape of the one tensor; absent: a vector. */
  readonly shape?: readonly number[];
  /** Whether a base is named where it is optional. */
  readonly base?: boolean;
  /** Further keys of the recipe. */
  readonly more?: Parameters;
}

/** Merges vectors over a base; one set of parameters per model. */
export async function merge(
  merge_method: string,
  base: readonly number[],
  models: readonly (readonly number[])[],
  perModel: readonly Parameters[] = [],
  parameters: Parameters = {},
  { shape, base: isNamed = true, more = {} }: MergeForm = {},
): Promise<number[]> {
  const names = models.map((_, i) => `m${i}`);
  const tensor = (values: readonly number[]) => ({
    w: { values, shape: shape ?? [values.length] },
  });
  const kind = METHODS.get(merge_method)!.base;
  const statistics = exampleStatistics(merge_method, shape ?? [base.length]);
  const usesBase = kind === "required" || (kind === "optional" && isNamed);
  return await mergeValues({
    merge_method,
    ...(usesBase ? { base_model: "base" } : {}),
    models: names.map((model, i) => ({
      model,
      parameters: perModel[i] ?? {},
      ...(statistics ? { statistics: `s${i}` } : {}),
    })),
    parameters,
    ...(METHODS.get(merge_method)!.experimental ? { experimental: true } : {}),
    ...more,
  }, {
    ...(usesBase ? { base: tensor(base) } : {}),
    ...Object.fromEntries(models.map((values, i) => [names[i]!, tensor(values)])),
    ...(statistics ? Object.fromEntries(names.map((_, i) => [`s${i}`, statistics(i)])) : {}),
  });
}

/** Statistics of the tensor for each model, where the method takes any. */
export function exampleStatistics(
  merge_method: string,
  shape: readonly number[],
): ((model: number) => TestCheckpoint) | undefined {
  const kind = METHODS.get(merge_method)!.statistics;
  const [size = 1] = shape.slice(1);
  if (kind === "fisher") {
    const count = shape.reduce((product, length) => product * length, 1);
    return (model) => ({
      w: { shape, values: Array.from({ length: count }, (_, i) => (i + model) % 5 / 4) },
    });
  }
  if (kind === undefined) return undefined;
  if (shape.length < 2) return () => ({});
  return (model) => ({
    w: {
      shape: [size, size],
      values: Array.from(
        { length: size * size },
        (_, i) => i % (size + 1) === 0 ? 2 + (i + model) % 3 : 0.25,
      ),
    },
  });
}

/** Compares element by element. */
export function close(
  actual: readonly number[],
  expected: readonly number[],
  tolerance = 1e-6,
  message = "",
): void {
  actual.forEach((value, i) =>
    assertAlmostEquals(value, expected[i]!, tolerance, `${message} element ${i}`)
  );
}
