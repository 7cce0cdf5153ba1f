/**
 * One thing after the other.
 *
 * @module
 */

/** Makes what runs each thing once those before have ended, however they did. */
export function inTurn(): <T>(run: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const done = last.then(run);
    last = done.catch(() => {});
    return done;
  };
}
