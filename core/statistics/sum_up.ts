/**
 * Adds up the statistics of several tasks, and takes their means.
 *
 * @module
 */
import type { ParametricModel } from "../gradient/parameters.ts";
import { Problem } from "../problem.ts";
import type { LayerInfo } from "./gathering.ts";
import type { StatisticsTensor } from "./statistics_file.ts";

/** Sums of one tensor over all tasks so far. */
export interface Added {
  readonly shape: readonly number[];
  readonly sum: Float64Array<ArrayBuffer>;
  /** What the mean is taken over. */
  readonly rows: number;
  /** Only of layer inputs. */
  readonly layer?: LayerInfo;
}

/** Sums of one task: of layer inputs, or Fisher values. */
type Taken = ReadonlyMap<
  string,
  Pick<Added, "shape"> & { readonly sum: Float64Array } & Partial<LayerInfo>
>;

/**
 * Adds the sums of a task to those before; tensors tied to a parameter get what it gets.
 *
 * @param rows Rows of the task.
 * @throws {Problem} `mismatch` if a layer's inputs differ in kind between the tasks.
 */
export function sumUp(
  sums: Map<string, Added>,
  taken: Taken,
  { tied }: ParametricModel,
  rows: number,
): void {
  const named = [...taken];
  for (const [name, kept] of tied) {
    const same = taken.get(kept);
    if (same) named.push([name, same]);
  }
  for (const [name, { shape, sum, axis, bias, rows: layerRows }] of named) {
    const known = sums.get(name);
    if (known && (known.layer?.axis !== axis || known.layer?.bias !== bias)) {
      throw new Problem(
        "mismatch",
        `Cannot add up the matrices of ${name} as the tasks must use it alike, ask for each task alone: ` +
          `current value is ${shape.join(" x ")} and ${known.shape.join(" x ")}`,
        { tensor: name },
      );
    }
    const total = known?.sum ?? new Float64Array(sum.length);
    for (let i = 0; i < sum.length; i++) total[i]! += sum[i]!;
    const over = (known?.rows ?? 0) + (layerRows ?? rows);
    sums.set(name, {
      shape,
      sum: total,
      rows: over,
      ...(axis === undefined
        ? {}
        : { layer: { axis, ...(bias === undefined ? {} : { bias }), rows: over } }),
    });
  }
}

/** The means: matrices exactly symmetric in double precision, Fisher values as float32. */
export function meansOf(sums: ReadonlyMap<string, Added>): StatisticsTensor[] {
  return [...sums].map(([name, { shape, sum, rows, layer }]) => {
    if (!layer) return { name, shape, values: Float32Array.from(sum, (value) => value / rows) };
    const size = shape.at(-1)!;
    for (let first = 0; first < sum.length; first += size * size) {
      const matrix = sum.subarray(first, first + size * size);
      for (let i = 0; i < size; i++) {
        for (let j = i; j < size; j++) {
          // Products of a batch in float32 need not be symmetric in their last bits.
          const mean = (matrix[i * size + j]! + matrix[j * size + i]!) / 2 / rows;
          matrix[i * size + j] = mean;
          matrix[j * size + i] = mean;
        }
      }
    }
    return { name, shape, values: sum };
  });
}
