/**
 * Rows of an array by index: gathered from memory, or read by ranges from a source.
 *
 * @module
 */
import { untilAborted } from "../../checkpoint/backoff.ts";
import type { Bytes, ByteSource } from "../../checkpoint/byte_source.ts";
import type { ShardFile } from "./shard_file.ts";

/** Row numbers, in any order. */
export type RowIndices = Uint32Array | readonly number[];

/** Reads rows by index into memory of its own, in the order asked. */
export type ReadRows = (indices: RowIndices, signal?: AbortSignal) => Promise<Bytes>;

/** Where an array lies: `rows` rows of `rowBytes` bytes each from byte `start` on. */
export interface RowLayout {
  readonly start: number;
  readonly rows: number;
  readonly rowBytes: number;
}

/** Rows this close to each other are read together: a request costs more than the bytes between them. */
const GAP = 4096;
/** A range ends before it grows beyond this, unless one row is longer. */
const RANGE = 1_048_576;
/** Ranges that are under way at once. */
const CONCURRENT = 4;

/** Reads rows of an array that stands uncompressed, row after row, in a file. */
export function rowsOfFile({ source, hold }: ShardFile, layout: RowLayout): ReadRows {
  if (hold === undefined) return rowsOfSource(source, layout);
  const { start, rows, rowBytes } = layout;
  return async (indices, signal) => {
    signal?.throwIfAborted();
    // All who read share the file, so that none of them may abort it.
    const bytes = await (signal === undefined ? hold() : untilAborted(hold(), signal));
    return gatherRows(bytes.subarray(start, start + rows * rowBytes), rowBytes, rows, indices);
  };
}

/** Reads rows from memory; `bytes` must not change meanwhile. */
export function rowsOfBytes(bytes: Uint8Array, rowBytes: number, rows: number): ReadRows {
  return (indices, signal) =>
    new Promise((resolve) => {
      signal?.throwIfAborted();
      resolve(gatherRows(bytes, rowBytes, rows, indices));
    });
}

/**
 * Copies rows in the order asked.
 *
 * @throws {RangeError} If an index is not a row.
 */
export function gatherRows(
  bytes: Uint8Array,
  rowBytes: number,
  rows: number,
  indices: RowIndices,
): Bytes {
  const out = new Uint8Array(indices.length * rowBytes);
  for (let i = 0; i < indices.length; i++) {
    const from = checkedRow(indices[i]!, rows) * rowBytes;
    out.set(bytes.subarray(from, from + rowBytes), i * rowBytes);
  }
  return out;
}

/** Reads rows from a source; neighbouring ones in one range. */
export function rowsOfSource(source: ByteSource, layout: RowLayout): ReadRows {
  const { start, rows, rowBytes } = layout;
  return async (indices, signal) => {
    const out = new Uint8Array(indices.length * rowBytes);
    if (rowBytes === 0) return out;
    const ranges = planRanges(indices, rows, rowBytes);
    let next = 0;
    const lane = async () => {
      for (let range = ranges[next++]; range !== undefined; range = ranges[next++]) {
        const { first, end, places } = range;
        const bytes = await source.slice(start + first * rowBytes, start + end * rowBytes, signal);
        for (const place of places) {
          const from = (indices[place]! - first) * rowBytes;
          out.set(bytes.subarray(from, from + rowBytes), place * rowBytes);
        }
      }
    };
    const lanes = Array.from({ length: Math.min(CONCURRENT, ranges.length) }, lane);
    try {
      await Promise.all(lanes);
    } finally {
      // After a failure the other lanes have nothing left to read for.
      next = ranges.length;
    }
    return out;
  };
}

/** Rows `[first, end)`, of which some are wanted, at these places of the answer. */
interface RowRange {
  readonly first: number;
  end: number;
  readonly places: number[];
}

function planRanges(indices: RowIndices, rows: number, rowBytes: number): RowRange[] {
  const places = Array.from(indices, (row, place) => {
    checkedRow(row, rows);
    return place;
  }).sort((a, b) => indices[a]! - indices[b]!);
  const ranges: RowRange[] = [];
  let last: RowRange | undefined;
  for (const place of places) {
    const row = indices[place]!;
    const near = last !== undefined && (row - last.end) * rowBytes <= GAP &&
      (row + 1 - last.first) * rowBytes <= RANGE;
    if (last !== undefined && (near || row < last.end)) {
      last.end = Math.max(last.end, row + 1);
      last.places.push(place);
    } else {
      last = { first: row, end: row + 1, places: [place] };
      ranges.push(last);
    }
  }
  return ranges;
}

/**
 * The row, if it is one.
 *
 * @throws {RangeError} If it is not an integer in `[0, rows)`.
 */
export function checkedRow(row: number, rows: number): number {
  if (Number.isInteger(row) && row >= 0 && row < rows) return row;
  throw new RangeError(
    `Cannot read the row as its index must be in [0, ${rows}): current value is ${row}`,
  );
}
