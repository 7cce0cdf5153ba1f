/**
 * Calls to a worker, each with a number, and the answers that it owes; none is owed any more once it is gone.
 *
 * @module
 */

/** What a worker owes. */
export interface OwedAnswers<Answer> {
  /** A call's answer; rejects at once where the worker is gone. */
  add(id: number): Promise<Answer>;
  /** Takes a call out, to be answered; undefined where nobody waits for it. */
  take(id: number): PromiseWithResolvers<Answer> | undefined;
  /** How many are owed. */
  count(): number;
  /** Ends the worker; who waits is told why, and who calls later. */
  end(reason: Error): void;
  /** Why the worker is gone, if it is. */
  gone(): Error | undefined;
}

/** Nothing is owed yet. */
export function owedAnswers<Answer>(worker: Worker): OwedAnswers<Answer> {
  /** A few at a time, so that a list is enough: a map that fills and empties leaves a trail of old tables. */
  let waiting: { readonly id: number; readonly answer: PromiseWithResolvers<Answer> }[] = [];
  let gone: Error | undefined;
  return {
    add(id) {
      if (gone) return Promise.reject(gone);
      const answer = Promise.withResolvers<Answer>();
      waiting.push({ id, answer });
      return answer.promise;
    },
    take(id) {
      const at = waiting.findIndex((each) => each.id === id);
      return at < 0 ? undefined : waiting.splice(at, 1)[0]!.answer;
    },
    count: () => waiting.length,
    end(reason) {
      gone ??= reason;
      worker.terminate();
      for (const { answer } of waiting) answer.reject(gone);
      waiting = [];
    },
    gone: () => gone,
  };
}
