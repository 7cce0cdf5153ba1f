/**
 * Singular triplets of several matrices side by side.
 *
 * @module
 */
import { firstRows, zeros } from "./matrix.ts";
import type { Svd } from "./svd.ts";

/** Triplets that come one matrix after the other. */
export interface TripletStack {
  /** Appends copies of triplets. */
  add(triplets: Svd): void;
  /** All of them, in the stack's memory. */
  all(): Svd;
}

/** Room for `capacity` triplets of matrices of one shape. */
export function stackTriplets(rows: number, columns: number, capacity: number): TripletStack {
  const values = new Float64Array(capacity);
  const left = zeros(capacity, rows);
  const right = zeros(capacity, columns);
  let count = 0;
  return {
    add(triplets) {
      values.set(triplets.values, count);
      left.data.set(triplets.left.data, count * rows);
      right.data.set(triplets.right.data, count * columns);
      count += triplets.values.length;
    },
    all: () => ({
      values: values.subarray(0, count),
      left: firstRows(left, count),
      right: firstRows(right, count),
    }),
  };
}
