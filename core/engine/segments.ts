/**
 * How a chunk falls into the segments that block sums are taken of.
 *
 * Segments depend on the tensor alone, never on the chunk size: blocks of 4096 elements in flat order,
 * blocks inside each row, or, for columns, the elements of one column in a block of whole rows.
 *
 * @module
 */
import type { VectorLayout } from "./chunk_job.ts";

/** Elements per block of a reduction (METHODS.md 2.3). */
export const BLOCK = 4096;

/** Elements that the rows of one block have together where sums belong to columns. */
const COLUMN_BLOCK = 16 * BLOCK;

/** Rows per block where sums belong to columns. */
export function rowsPerBlock(rowLength: number): number {
  return Math.max(Math.floor(COLUMN_BLOCK / rowLength), 1);
}

/** The elements `start`, `start + step`, … of a chunk. */
export interface Segment {
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

/** The segments of a chunk. */
export interface Segments {
  readonly count: number;
  /** Elements that a segment has at most; shorter ones are filled with zeros. */
  readonly width: number;
  at(index: number): Segment;
  /** Which vector a segment belongs to, counted from the first that the chunk touches. */
  vector(index: number): number;
}

/** The segments of a chunk of `count` elements, which begins with a block. */
export function segmentsOf(count: number, layout: VectorLayout | undefined): Segments {
  // The width never depends on the chunk: the engine may add up in another order in another shape.
  if (!layout) return rowSegments(count, count, BLOCK);
  const { along, length, rows } = layout;
  const present = Math.min(length, count);
  return along === "rows"
    ? rowSegments(count, present, Math.min(length, BLOCK))
    : columnSegments(count, present, Math.min(rowsPerBlock(length), rows));
}

function rowSegments(count: number, rowLength: number, width: number): Segments {
  const perRow = Math.ceil(rowLength / width);
  return {
    count: Math.ceil(count / rowLength) * perRow,
    width,
    at(index) {
      const row = Math.floor(index / perRow);
      const start = row * rowLength + (index % perRow) * width;
      return { start, step: 1, length: Math.min(width, (row + 1) * rowLength - start) };
    },
    vector: (index) => Math.floor(index / perRow),
  };
}

function columnSegments(count: number, columns: number, width: number): Segments {
  const rows = count / columns;
  return {
    count: Math.ceil(rows / width) * columns,
    width,
    at(index) {
      const block = Math.floor(index / columns);
      return {
        start: block * width * columns + index % columns,
        step: columns,
        length: Math.min(width, rows - block * width),
      };
    },
    vector: (index) => index % columns,
  };
}
