/**
 * Tells a shard that is sorted by class from a mixed one (ATM.md, section 6.1).
 *
 * @module
 */

/** How the labels of a shard are mixed. */
export interface LabelRun {
  /** The most neighbouring rows with one label. */
  readonly longest: number;
  /** What the longest run would be if the same labels stood in a random order. */
  readonly expected: number;
  /** Whether the longest run is more than ten times as long as expected. */
  readonly sorted: boolean;
  /** Share of the most frequent label: what guessing gets right. */
  readonly commonest: number;
}

/** Takes the labels of a shard row by row; memory for one counter a class. */
export interface LabelRuns {
  add(label: number): void;
  /** What was seen so far. */
  result(): LabelRun;
}

const SORTED = 10;
const EULER = 0.5772156649015329;

/** Begins to count. */
export function labelRuns(): LabelRuns {
  const counts = new Map<number, number>();
  let rows = 0;
  let run = 0;
  let longest = 0;
  let last: number | undefined;
  return {
    add(label) {
      run = label === last ? run + 1 : 1;
      last = label;
      longest = Math.max(longest, run);
      rows++;
      counts.set(label, (counts.get(label) ?? 0) + 1);
    },
    result() {
      const expected = expectedRun(rows, [...counts.values()]);
      const commonest = rows === 0 ? 0 : Math.max(...counts.values()) / rows;
      return { longest, expected, sorted: longest > SORTED * expected, commonest };
    },
  };
}

/** The longest run among labels in the order of their rows. */
export function longestLabelRun(labels: Iterable<number>): LabelRun {
  const runs = labelRuns();
  for (const label of labels) runs.add(label);
  return runs.result();
}

/**
 * The expected longest run of `n` labels in random order, class c having the frequency p: the length L for
 * which `Σ n(1 − p)·p^L = e^-γ`, less 1/2. For one class it is the formula of Schilling 1990, "The longest run
 * of heads"; classes add up their chances.
 */
function expectedRun(rows: number, counts: readonly number[]): number {
  if (counts.length < 2) return rows;
  const wanted = Math.exp(-EULER);
  const chances = (length: number) =>
    counts.reduce((sum, count) => sum + (rows - count) * (count / rows) ** length, 0);
  let low = 0;
  let high = rows;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (chances(middle) > wanted) low = middle;
    else high = middle;
  }
  return Math.max(1, high - 0.5);
}
