/**
 * What can be pointed at in a picture: by the pointer the nearest, by the keyboard one after the other.
 *
 * @module
 */

/** A value at its place in pixels. */
export interface Mark {
  readonly x: number;
  readonly y: number;
  /** What it is, then its values. */
  readonly lines: readonly string[];
  /** Its outline, if it is no point. */
  readonly box?: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  };
}

/** Rows of marks, one for each series or row of cells; undefined where there is no value. */
export type Marks = readonly (readonly (Mark | undefined)[])[];

/** The place of a mark. */
export interface Place {
  readonly row: number;
  readonly column: number;
}

/** All marks with their places. */
function placed(marks: Marks): (Place & { readonly mark: Mark })[] {
  return marks.flatMap((list, row) =>
    list.flatMap((mark, column) => mark ? [{ row, column, mark }] : [])
  );
}

/** The mark nearest to a point; within its outline, or the closest middle. */
export function nearestMark(marks: Marks, x: number, y: number): Place | undefined {
  let best: Place | undefined;
  let least = Infinity;
  for (const { row, column, mark } of placed(marks)) {
    const { box } = mark;
    const inside = box && x >= box.x && x < box.x + box.width && y >= box.y &&
      y < box.y + box.height;
    const distance = inside ? -1 : Math.hypot(mark.x - x, mark.y - y);
    if (distance >= least) continue;
    least = distance;
    best = { row, column };
  }
  return best;
}

/** The first mark. */
export function firstMark(marks: Marks): Place | undefined {
  const [first] = placed(marks);
  return first && { row: first.row, column: first.column };
}

/**
 * The mark that a key leads to: left and right within a row, up and down between rows, Home and End to a row's ends.
 *
 * @returns Undefined if the key leads nowhere.
 */
export function stepMark(marks: Marks, from: Place | undefined, key: string): Place | undefined {
  if (!["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(key)) {
    return undefined;
  }
  if (!from || !marks[from.row]?.[from.column]) return firstMark(marks);
  const { row, column } = from;
  const filled = (list: readonly (Mark | undefined)[]) =>
    list.flatMap((mark, i) => mark ? [i] : []);
  const along = filled(marks[row]!);
  switch (key) {
    case "ArrowLeft":
      return { row, column: along.findLast((i) => i < column) ?? column };
    case "ArrowRight":
      return { row, column: along.find((i) => i > column) ?? column };
    case "Home":
      return { row, column: along[0] ?? column };
    case "End":
      return { row, column: along.at(-1) ?? column };
  }
  const step = key === "ArrowDown" ? 1 : -1;
  for (let next = row + step; next >= 0 && next < marks.length; next += step) {
    const nearest = filled(marks[next]!).toSorted((a, b) =>
      Math.abs(a - column) - Math.abs(b - column)
    )[0];
    if (nearest !== undefined) return { row: next, column: nearest };
  }
  return from;
}
