/**
 * Speed and time left of something that counts bytes.
 *
 * @module
 */

/** What is known at one moment. */
export interface Rate {
  /** Bytes a second over the last seconds; absent until it can be told. */
  readonly perSecond?: number;
  /** Seconds until the end; absent until it can be told. */
  readonly left?: number;
}

/** Seconds that a speed is the mean of. */
const WINDOW_SECONDS = 5;
/** Seconds before a speed is told at all. */
const SHORTEST_SECONDS = 0.25;

/** Told how far something is, answers its speed. */
export type RateMeter = (done: number, total: number | undefined, seconds: number) => Rate;

/** A meter; `seconds` of its calls must not go back. */
export function rateMeter(): RateMeter {
  const marks: { readonly seconds: number; readonly done: number }[] = [];
  return (done, total, seconds) => {
    // What begins again, such as a download after an upload, has a speed of its own.
    if (marks.length > 0 && done < marks.at(-1)!.done) marks.length = 0;
    marks.push({ seconds, done });
    while (marks.length > 2 && marks[1]!.seconds <= seconds - WINDOW_SECONDS) marks.shift();
    const first = marks[0]!;
    const span = seconds - first.seconds;
    if (span < SHORTEST_SECONDS) return {};
    const perSecond = (done - first.done) / span;
    if (total === undefined || perSecond === 0) return { perSecond };
    return { perSecond, left: Math.max(0, total - done) / perSecond };
  };
}
