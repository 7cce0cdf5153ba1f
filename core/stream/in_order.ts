/**
 * Bounded concurrency that keeps order.
 *
 * @module
 */

/**
 * Starts up to `width` tasks at a time and yields their results in the order of the tasks. When the
 * consumer stops, no further task is started; results under way are dropped.
 */
export async function* inOrder<Task, Result>(
  tasks: Iterable<Task> | AsyncIterable<Task>,
  width: number,
  start: (task: Task) => Promise<Result>,
): AsyncGenerator<Result, void, void> {
  const queue: Promise<Result>[] = [];
  try {
    for await (const task of tasks) {
      const running = start(task);
      // A failure is reported when its turn comes; until then it must not count as unhandled.
      running.catch(() => {});
      queue.push(running);
      if (queue.length >= width) yield await queue.shift()!;
    }
    while (queue.length > 0) yield await queue.shift()!;
  } finally {
    queue.length = 0;
  }
}
