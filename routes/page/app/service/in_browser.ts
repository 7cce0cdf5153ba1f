/**
 * The service in this browser: its own application in a worker, which is started on the first request.
 *
 * @module
 */
import { ProblemError } from "./problem.ts";
import type { Send } from "./service.ts";

/** Sends requests to the application in this browser's worker. */
export function inBrowser(): Send {
  return () => {
    throw new ProblemError({
      type: "about:blank",
      title: "Not there yet",
      status: 501,
      detail: "This browser cannot merge yet",
    });
  };
}
