/**
 * The rows of a shard that statistics are taken of, and the batches in which they are read.
 *
 * @module
 */
import { epochOrder, fileOrder } from "../atm/row_order.ts";

/**
 * All rows, or as many as are wanted: the first of the seed's order (ATM.md, section 1), as they stand in the file.
 */
export async function chosenRows(
  seed: number,
  task: string,
  rows: number,
  wanted: number,
): Promise<Uint32Array> {
  if (wanted >= rows) return fileOrder(rows);
  return (await epochOrder(seed, task, 1, rows)).slice(0, wanted).sort();
}

/** Cuts rows into batches of `size`, the last one shorter. */
export function* batchesOf(rows: Uint32Array, size: number): Generator<Uint32Array> {
  for (let first = 0; first < rows.length; first += size) yield rows.slice(first, first + size);
}
