/**
 * Plane rotations of neighbouring rows, gathered and applied together.
 *
 * One sweep touches every row of the matrix; many sweeps at once on a few columns stay inside the cache.
 *
 * @module
 */

/** Rotations to come. */
export interface Rotations {
  /** Rows i and i + 1 become `cosine·row_i − sine·row_{i+1}` and `sine·row_i + cosine·row_{i+1}`. */
  add(i: number, cosine: number, sine: number): void;
  /** Whether enough of them are gathered to be applied. */
  isFull(): boolean;
  /** Applies all in the order in which they came. */
  apply(): void;
}

/** Rotations held at most, but for those of the last sweep. */
const HELD = 1 << 16;
/** Columns worked on together. */
const PANEL = 64;

/** Rotations of the rows of a matrix `[n, n]`, in place. */
export function rotationsOf(matrix: Float64Array, n: number): Rotations {
  const capacity = HELD + n;
  const rows = new Int32Array(capacity);
  const cosines = new Float64Array(capacity);
  const sines = new Float64Array(capacity);
  let count = 0;
  return {
    add(i, cosine, sine) {
      rows[count] = i;
      cosines[count] = cosine;
      sines[count] = sine;
      count++;
    },
    isFull: () => count >= HELD,
    apply() {
      for (let start = 0; start < n; start += PANEL) {
        const width = Math.min(PANEL, n - start);
        for (let r = 0; r < count; r++) {
          const cosine = cosines[r]!;
          const sine = sines[r]!;
          let upper = rows[r]! * n + start;
          const end = upper + width;
          for (let lower = upper + n; upper < end; upper++, lower++) {
            const a = matrix[upper]!;
            const b = matrix[lower]!;
            matrix[upper] = cosine * a - sine * b;
            matrix[lower] = sine * a + cosine * b;
          }
        }
      }
      count = 0;
    },
  };
}
