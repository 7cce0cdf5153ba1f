/**
 * The order in which an epoch walks over the rows of a shard (ATM.md, section 1).
 *
 * @module
 */
import { randomKey, threefry2x32, type Words } from "../tensor/random.ts";

/**
 * A shuffled order: each row once, all orders equally likely, and the same for the same arguments.
 *
 * Fisher-Yates from the last place down: for `i = rows - 1, …, 1` the row at place `i` changes places with the
 * one at `j`, drawn from `[0, i]`. The words of METHODS.md 2.10 (label `order`, the task as model, the epoch's
 * number in decimal as tensor) are taken one after the other, from element 0 on. With `n = i + 1`, a word of
 * at least `⌊2^32 / n⌋·n` is skipped, so that `j = word mod n` favours no row.
 *
 * @param seed Integer in [0, 2^53).
 * @param task Id of the task.
 * @param epoch Running number of the epoch, from 1.
 * @param rows Number of rows, below 2^32.
 */
export async function epochOrder(
  seed: number,
  task: string,
  epoch: number,
  rows: number,
): Promise<Uint32Array> {
  const order = fileOrder(rows);
  const below = boundedDraws(await randomKey(seed, "order", task, String(epoch)));
  for (let i = rows - 1; i > 0; i--) {
    const j = below(i + 1);
    const row = order[i]!;
    order[i] = order[j]!;
    order[j] = row;
  }
  return order;
}

/** The rows as they stand in the file: 0, 1, 2, … */
export function fileOrder(rows: number): Uint32Array {
  return Uint32Array.from({ length: rows }, (_, row) => row);
}

/** Draws integers from `[0, bound)`, each equally likely; `bound` is at most 2^32. */
function boundedDraws(key: Words): (bound: number) => number {
  let element = 0;
  let words: Words = [0, 0];
  const next = () => {
    // One encryption gives the words of an even element and the one after it.
    const pair = Math.floor(element / 2);
    if (element % 2 === 0) words = threefry2x32(key, [pair | 0, Math.floor(pair / 2 ** 32)]);
    return words[element++ % 2]!;
  };
  return (bound) => {
    const limit = 2 ** 32 - 2 ** 32 % bound;
    let word = next();
    while (word >= limit) word = next();
    return word % bound;
  };
}
