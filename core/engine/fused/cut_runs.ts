/**
 * Sets the bounds of rows that are cut, tile by tile: where only the first ones of several equal elements are kept, a
 * tile falls into pieces with different bounds.
 *
 * @module
 */
import type { Kernels } from "../../tensor/kernels/mod.ts";
import type { KeyCut } from "../chunk_job.ts";
import { leastKept, TOP_KEY } from "../row_cuts.ts";
import { STRIDE, type TileRows } from "../tile_rows.ts";
import type { Stored } from "./formats.ts";

/** Elements of a tile with the same bounds. */
export interface CutRun {
  readonly at: number;
  readonly size: number;
}

/** A bound that changes inside a tile. */
interface Change {
  readonly at: number;
  readonly index: number;
  readonly key: number;
}

/**
 * Makes what is asked for every tile of a chunk, in order: yields its pieces, with their bounds in memory.
 *
 * @param cuts Two a row; absent: nothing is kept above, or nothing is left out.
 * @param place Where the bounds go, one key each.
 * @param total Number of elements of the chunk.
 */
export function cutRuns(
  kernels: Kernels,
  rows: TileRows,
  cuts: readonly (KeyCut | undefined)[],
  place: number,
  total: number,
): (size: number) => Generator<CutRun> {
  const { findEqual, findEqualBf16, findEqualF16 } = kernels.call;
  const finders = { F32: findEqual, BF16: findEqualBf16, F16: findEqualF16 };
  const bounds = new Uint32Array(kernels.memory.buffer, place, cuts.length);
  /** How many equal elements are still to be kept; undefined where it is all or none of them. */
  const left = cuts.map((cut) =>
    cut && leastKept(cut, total) === undefined ? cut.quota : undefined
  );
  cuts.forEach((cut, i) => bounds[i] = cut ? leastKept(cut, total) ?? cut.key : TOP_KEY);
  const find = (index: number, size: number): number => {
    const row = index >> 1;
    const x = rows.x + row * STRIDE;
    return finders[rows.types[row] as Stored](
      x,
      rows.origin(row),
      size,
      cuts[index]!.key,
      left[index]!,
    );
  };
  return function* (size) {
    const changes: Change[] = [];
    left.forEach((quota, index) => {
      if (quota === undefined) return;
      const found = find(index, size);
      if (found < 0) left[index]! -= ~found;
      else {
        left[index] = undefined;
        changes.push({ at: found, index, key: Math.min(cuts[index]!.key + 1, TOP_KEY) });
      }
    });
    changes.sort((a, b) => a.at - b.at);
    let at = 0;
    for (const change of changes) {
      if (change.at > at) yield { at, size: change.at - at };
      at = change.at;
      bounds[change.index] = change.key;
    }
    if (at < size) yield { at, size: size - at };
  };
}
