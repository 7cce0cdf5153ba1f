/**
 * Draws cases for the checks of backward rules.
 *
 * @module
 */
import fc, { type GeneratorValue } from "fast-check";
import type { ElementType } from "../../../core/onnx/model.ts";
import { type Checked, type CheckedInput, checkGradient } from "../gradient_check.ts";

/** Draws the parts of a case. */
export interface Draw {
  /** A whole number, both ends included. */
  whole(min: number, max: number): number;
  /** One of some values. */
  one<T>(...values: T[]): T;
  /** A shape without empty axes. */
  shape(minRank: number, maxRank: number, maxSize?: number): number[];
  /** A floating-point input whose values lie between -1 and 1; default float64. */
  input(shape: readonly number[], type?: ElementType): CheckedInput;
  /** Indices of an axis, negative ones among them; distinct if asked for. */
  indices(count: number, size: number, distinct?: boolean): number[];
}

/** Compares the gradients of some drawn cases with central differences; the same cases in every run. */
export async function checkDrawn(
  seed: number,
  runs: number,
  draw: (draw: Draw) => Checked,
): Promise<void> {
  const property = fc.asyncProperty(fc.gen(), (g) => checkGradient(draw(drawing(g))));
  await fc.assert(property, { seed, numRuns: runs, endOnFailure: true });
}

/** A constant of whole numbers. */
export function whole(
  values: readonly number[],
  shape: readonly number[] = [values.length],
  type: ElementType = "int64",
): CheckedInput {
  return { type, shape, values, constant: true };
}

/** The number of elements of a shape. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function drawing(g: GeneratorValue): Draw {
  const drawn: Draw = {
    whole: (min, max) => g(fc.integer, { min, max }),
    one: (...values) => values[drawn.whole(0, values.length - 1)]!,
    shape: (minLength, maxLength, max = 4) =>
      g(() => fc.array(fc.integer({ min: 1, max }), { minLength, maxLength })),
    input(shape, type = "float64") {
      const size = countOf(shape);
      const values = g(() =>
        fc.array(fc.integer({ min: -1000, max: 1000 }), {
          minLength: size,
          maxLength: size,
          size: "max",
        })
      );
      // Off the round numbers, so that no two of them are alike.
      return { type, shape, values: values.map((v, i) => v / 1000 + Math.sin(i + 1) / 100) };
    },
    indices(count, size, distinct = false) {
      const places = g(() =>
        distinct
          ? fc.shuffledSubarray(Array.from({ length: size }, (_, i) => i), {
            minLength: count,
            maxLength: count,
          })
          : fc.array(fc.integer({ min: 0, max: size - 1 }), {
            minLength: count,
            maxLength: count,
            size: "max",
          })
      );
      return places.map((place) => drawn.one(place, place - size));
    },
  };
  return drawn;
}
