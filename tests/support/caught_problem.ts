/**
 * Catches the problem that something throws.
 *
 * @module
 */
import { assertInstanceOf } from "@std/assert";
import { Problem } from "../../core/problem.ts";

/** Runs something that must throw or reject with a {@linkcode Problem}, and answers that. */
export async function caughtProblem(run: () => unknown): Promise<Problem> {
  let result: unknown;
  try {
    result = await run();
  } catch (error) {
    assertInstanceOf(error, Problem);
    return error;
  }
  throw new Error(`No problem was thrown: current value is ${String(result)}`);
}
