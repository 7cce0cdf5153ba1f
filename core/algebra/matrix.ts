/**
 * Dense matrices in double precision, row by row in one array.
 *
 * @module
 */

/** A matrix; the element of row i and column j is `data[i * columns + j]`. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** A matrix of zeros. */
export function zeros(rows: number, columns: number): Matrix {
  return { rows, columns, data: new Float64Array(rows * columns) };
}

/** The matrix with rows and columns exchanged, in memory of its own. */
export function transpose({ rows, columns, data }: Matrix): Matrix {
  const turned = new Float64Array(data.length);
  // Tiles keep both sides inside the cache.
  const tile = 32;
  for (let top = 0; top < rows; top += tile) {
    const bottom = Math.min(top + tile, rows);
    for (let left = 0; left < columns; left += tile) {
      const right = Math.min(left + tile, columns);
      for (let i = top; i < bottom; i++) {
        for (let j = left; j < right; j++) turned[j * rows + i] = data[i * columns + j]!;
      }
    }
  }
  return { rows: columns, columns: rows, data: turned };
}

/** The first rows of a matrix, in the same memory. */
export function firstRows({ columns, data }: Matrix, count: number): Matrix {
  return { rows: count, columns, data: data.subarray(0, count * columns) };
}

/** Multiplies every row by a factor of its own, in place. */
export function scaleRows({ rows, columns, data }: Matrix, factors: ArrayLike<number>): void {
  for (let i = 0; i < rows; i++) {
    const factor = factors[i]!;
    for (let at = i * columns; at < (i + 1) * columns; at++) data[at]! *= factor;
  }
}

/** Adds a multiple of a matrix of the same shape, in place. */
export function addScaled(target: Matrix, source: Matrix, factor = 1): void {
  const [to, from] = [target.data, source.data];
  for (let at = 0; at < to.length; at++) to[at]! += factor * from[at]!;
}

/** The sum of all squares. */
export function squaredNorm({ data }: Matrix): number {
  let sum = 0;
  for (let at = 0; at < data.length; at++) sum += data[at]! * data[at]!;
  return sum;
}
