/**
 * Plane rotations of neighbouring rows, kept and then applied together.
 *
 * One sweep touches every row of the matrix; all sweeps at once on a few columns stay inside the cache. Kept ones
 * can be applied backwards, so that only the wanted eigenvectors are ever formed.
 *
 * @module
 */
import type { Steps } from "./steps.ts";

/** Rotations in the order in which they came. */
export interface Rotations {
  /** One of rows i and i + 1. */
  add(i: number, cosine: number, sine: number): void;
  /**
   * Undoes all of them on the rows of a matrix `[n, columns]`, the last first: rows i and i + 1 become
   * `cosine·row_i + sine·row_{i+1}` and `cosine·row_{i+1} − sine·row_i`.
   */
  undo(matrix: Float64Array, columns: number): Steps<void>;
}

/** Rotations kept in one array. */
const CHUNK = 1 << 16;
/** Columns worked on together. */
const PANEL = 64;

interface Kept {
  readonly rows: Int32Array;
  readonly cosines: Float64Array;
  readonly sines: Float64Array;
  count: number;
}

/** No rotations yet; each takes 20 bytes. */
export function keptRotations(): Rotations {
  const chunks: Kept[] = [];
  let last: Kept | undefined;
  return {
    add(i, cosine, sine) {
      if (!last || last.count === CHUNK) {
        const [cosines, sines] = [new Float64Array(CHUNK), new Float64Array(CHUNK)];
        last = { rows: new Int32Array(CHUNK), cosines, sines, count: 0 };
        chunks.push(last);
      }
      last.rows[last.count] = i;
      last.cosines[last.count] = cosine;
      last.sines[last.count] = sine;
      last.count++;
    },
    *undo(matrix, columns) {
      for (let start = 0; start < columns; start += PANEL) {
        const width = Math.min(PANEL, columns - start);
        for (let index = chunks.length - 1; index >= 0; index--) {
          undoPanel(chunks[index]!, matrix, columns, start, width);
          yield;
        }
      }
    },
  };
}

function undoPanel(
  { rows, cosines, sines, count }: Kept,
  matrix: Float64Array,
  columns: number,
  start: number,
  width: number,
): void {
  for (let r = count - 1; r >= 0; r--) {
    const cosine = cosines[r]!;
    const sine = sines[r]!;
    let upper = rows[r]! * columns + start;
    const end = upper + width;
    for (let lower = upper + columns; upper < end; upper++, lower++) {
      const a = matrix[upper]!;
      const b = matrix[lower]!;
      matrix[upper] = cosine * a + sine * b;
      matrix[lower] = cosine * b - sine * a;
    }
  }
}
