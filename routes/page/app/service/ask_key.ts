/**
 * Asks for a key where the service wants one, and then asks the service again.
 *
 * @module
 */
import { ProblemError } from "./problem.ts";
import type { Send } from "./service.ts";

/**
 * Sends, and on `401` once more with the key that was asked for.
 *
 * @param ask Asks the visitor; false if no key was entered. Several requests may wait for one answer.
 */
export function askingKey(send: Send, ask: () => Promise<boolean>): Send {
  return async (request) => {
    try {
      return await send(request);
    } catch (error) {
      const isAsked = error instanceof ProblemError && error.problem.status === 401;
      if (!isAsked || !await ask()) throw error;
      return await send(request);
    }
  };
}
