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
  const waiting = new Map<number, PromiseWithResolvers<Answer>>();
  let gone: Error | undefined;
  return {
    add(id) {
      if (gone) return Promise.reject(gone);
      const answer = Promise.withResolvers<Answer>();
      waiting.set(id, answer);
      return answer.promise;
    },
    take(id) {
      const answer = waiting.get(id);
      waiting.delete(id);
      return answer;
    },
    count: () => waiting.size,
    end(reason) {
      gone ??= reason;
      worker.terminate();
      for (const { reject } of waiting.values()) reject(gone);
      waiting.clear();
    },
    gone: () => gone,
  };
}
