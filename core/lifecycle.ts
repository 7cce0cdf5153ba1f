/**
 * Whether the service still takes work, and how much of it is under way.
 *
 * @module
 */

/** The life of one service. */
export interface Lifecycle {
  /** Whether the service is about to end and takes nothing new. */
  readonly stopping: () => boolean;
  /** How many pieces of work are under way. */
  readonly running: () => number;
  /** Counts a piece of work; the result ends it, further calls do nothing. */
  enter(): () => void;
  /** From now on the service stops; resolves when nothing is under way. */
  drain(): Promise<void>;
}

/** Makes the life of a service that has just begun. */
export function createLifecycle(): Lifecycle {
  const { promise: idle, resolve: rest } = Promise.withResolvers<void>();
  let running = 0;
  let stopping = false;
  const check = () => {
    if (stopping && running === 0) rest();
  };
  return {
    stopping: () => stopping,
    running: () => running,
    enter() {
      running++;
      let inside = true;
      return () => {
        if (!inside) return;
        inside = false;
        running--;
        check();
      };
    },
    drain() {
      stopping = true;
      check();
      return idle;
    },
  };
}
