/**
 * Whose job is next: the smallest work goes first, so that a small merge does not wait behind large ones, and every
 * few turns the one that has waited longest, so that nobody waits for ever.
 *
 * @module
 */

/** Small work goes first this many times before the longest wait does. */
const FAVOURED = 3;

/** Jobs that wait. */
export interface JobTurns<Job> {
  /**
   * Lets a job wait.
   *
   * @param size How large the work is that it belongs to, in any unit.
   */
  add(job: Job, size: number): void;
  /**
   * Takes out the next one of those that fit; undefined if none does.
   *
   * @param fits Absent: all do.
   */
  next(fits?: (job: Job) => boolean): Job | undefined;
  /** Number that wait. */
  readonly length: () => number;
}

/** An empty line. */
export function jobTurns<Job>(): JobTurns<Job> {
  /** In the order in which they came; few wait at a time. */
  const line: { readonly job: Job; readonly size: number }[] = [];
  let favoured = 0;
  return {
    length: () => line.length,
    add: (job, size) => void line.push({ job, size }),
    next(fits = () => true) {
      const byAge = favoured === FAVOURED;
      let chosen = -1;
      for (let at = 0; at < line.length; at++) {
        if (chosen >= 0 && line[at]!.size >= line[chosen]!.size) continue;
        if (!fits(line[at]!.job)) continue;
        chosen = at;
        if (byAge) break;
      }
      if (chosen < 0) return undefined;
      favoured = byAge ? 0 : favoured + 1;
      return line.splice(chosen, 1)[0]!.job;
    },
  };
}
