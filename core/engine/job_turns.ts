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
  /** By size; each in the order in which they came. */
  const lines = new Map<number, { readonly job: Job; readonly place: number }[]>();
  let places = 0;
  let length = 0;
  let favoured = 0;
  return {
    length: () => length,
    add(job, size) {
      const line = lines.get(size);
      const entry = { job, place: places++ };
      if (line) line.push(entry);
      else lines.set(size, [entry]);
      length++;
    },
    next(fits = () => true) {
      const byAge = favoured === FAVOURED;
      let chosen: { readonly size: number; readonly at: number } | undefined;
      let least = Infinity;
      for (const [size, line] of lines) {
        const at = line.findIndex(({ job }) => fits(job));
        if (at < 0) continue;
        const rank = byAge ? line[at]!.place : size;
        if (rank < least) [chosen, least] = [{ size, at }, rank];
      }
      if (!chosen) return undefined;
      favoured = byAge ? 0 : favoured + 1;
      const line = lines.get(chosen.size)!;
      const { job } = line.splice(chosen.at, 1)[0]!;
      if (line.length === 0) lines.delete(chosen.size);
      length--;
      return job;
    },
  };
}
