/**
 * Decides which matrices are decomposed.
 *
 * @module
 */
import type { Products } from "../algebra/products.ts";
import type { MergeContext, MergeTensor } from "../stream/context.ts";
import { spectrumOf, type TensorSpectrum } from "./spectrum.ts";
import { taskMatrices } from "./task_matrices.ts";

/** How singular values are taken. */
export interface SpectrumOptions {
  readonly products: Products;
  /** Elements of the largest matrices that are decomposed. */
  readonly maximum: number;
}

/** Decomposes what may be decomposed. */
export interface SpectrumTaker {
  /** Undefined for what is no matrix, and for matrices that are too large. */
  of(
    context: MergeContext,
    tensor: MergeTensor,
    present: readonly number[],
  ): Promise<TensorSpectrum | undefined>;
  /** What was left out. */
  warnings(): readonly string[];
}

/** A taker for so many models; without options it takes nothing. */
export function spectrumTaker(options: SpectrumOptions | undefined, models: number): SpectrumTaker {
  let tooLarge = 0;
  return {
    async of(context, tensor, present) {
      if (options === undefined || tensor.shape.length !== 2) return undefined;
      if (tensor.elements > options.maximum) {
        tooLarge++;
        return undefined;
      }
      const matrices = taskMatrices(context, tensor, present, models);
      return await spectrumOf(matrices, present.length, options.products);
    },
    warnings: () =>
      tooLarge === 0 ? [] : [
        `The singular values of ${tooLarge} ${
          tooLarge === 1 ? "matrix was" : "matrices were"
        } left out ` +
        `as elements must be at most spectrum.maximum_elements: current value is ` +
        `${options?.maximum}`,
      ],
  };
}
