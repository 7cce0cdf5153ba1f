/**
 * The nearest known name to one that is unknown, for error messages.
 *
 * @module
 */

/**
 * The candidate with the fewest edits (insertions, deletions, substitutions, swaps of neighbours) from
 * `name`, ignoring case, or undefined if none is near: at most a third of the characters may differ.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  return ranked(name, candidates)[0]?.candidate;
}

/** The up to `count` nearest candidates, nearest first; equally near ones in their order. */
export function nearestNames(name: string, candidates: Iterable<string>, count = 3): string[] {
  return ranked(name, candidates, count).map(({ candidate }) => candidate);
}

/** `, did you mean "density"`, or nothing if no candidate is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const found = nearest(name, candidates);
  return found === undefined ? "" : `, did you mean "${found}"`;
}

interface Ranked {
  readonly candidate: string;
  readonly edits: number;
}

function ranked(name: string, candidates: Iterable<string>, count = 1): Ranked[] {
  const wanted = name.toLowerCase();
  const best: Ranked[] = [];
  const bound = Math.max(1, Math.floor(wanted.length / 3));
  for (const candidate of candidates) {
    const limit = best.length < count ? bound : best[best.length - 1]!.edits - 1;
    if (limit < 0) break;
    const edits = editDistance(wanted, candidate.toLowerCase(), limit);
    if (edits > limit) continue;
    const place = best.findIndex((other) => other.edits > edits);
    best.splice(place < 0 ? best.length : place, 0, { candidate, edits });
    best.length = Math.min(best.length, count);
  }
  return best;
}

/**
 * Damerau-Levenshtein distance (optimal string alignment), or any number above `limit` if it exceeds
 * `limit`.
 */
export function editDistance(left: string, right: string, limit = Infinity): number {
  if (Math.abs(left.length - right.length) > limit) return limit + 1;
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start++;
  let leftEnd = left.length;
  let rightEnd = right.length;
  while (leftEnd > start && rightEnd > start && left[leftEnd - 1] === right[rightEnd - 1]) {
    leftEnd--;
    rightEnd--;
  }
  const a = left.slice(start, leftEnd);
  const b = right.slice(start, rightEnd);

  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    let least = row;
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let edits = Math.min(
        above[column]! + 1,
        current[column - 1]! + 1,
        above[column - 1]! + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        edits = Math.min(edits, before[column - 2]! + 1);
      }
      current.push(edits);
      least = Math.min(least, edits);
    }
    // A swap reaches back two rows, so one row above the limit does not settle it.
    if (least > limit + 1) return limit + 1;
    before = above;
    above = current;
  }
  return above[b.length]!;
}
