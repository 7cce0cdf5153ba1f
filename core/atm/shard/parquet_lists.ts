/**
 * The shape of rows that are lists, told from the repetition levels of their values.
 *
 * @module
 */

/**
 * The shape of the first row, if its inner lists are equally long.
 *
 * @param levels Repetition levels of one row: 0, then the depth of the list that goes on.
 * @param lists How many lists stand inside each other.
 * @returns Lengths from the outermost list to the innermost, or undefined if no shape fits.
 */
export function shapeOfRow(levels: Uint8Array, lists: number): number[] | undefined {
  const shape: number[] = [];
  let inner = 1;
  for (let depth = lists; depth >= 1; depth--) {
    // A list of this depth ends where a list further out goes on.
    const found = levels.findIndex((level, i) => i > 0 && level < depth);
    const size = found < 0 ? levels.length : found;
    if (size % inner !== 0) return undefined;
    shape.unshift(size / inner);
    inner = size;
  }
  return sameLevels(levels, levelsOf(shape)) ? shape : undefined;
}

/** The repetition levels that every row of a shape has. */
export function levelsOf(shape: readonly number[]): Uint8Array {
  const levels = new Uint8Array(shape.reduce((product, size) => product * size, 1));
  let step = 1;
  for (let depth = shape.length; depth >= 1; depth--) {
    for (let i = 0; i < levels.length; i += step) levels[i] = depth;
    step *= shape[depth - 1]!;
  }
  if (shape.length > 0 && levels.length > 0) levels[0] = 0;
  return levels;
}

function sameLevels(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((level, i) => level === right[i]);
}
