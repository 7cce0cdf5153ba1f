/**
 * How problems of adapters are worded.
 *
 * @module
 */
import { Problem, type ProblemKind } from "../problem.ts";

/** Name of an adapter's source in the document; absent for a file that is being stored. */
export type AdapterName = string | undefined;

/**
 * A problem of one adapter.
 *
 * @param reason Completes "Cannot read the adapter as …"; ends with the current value.
 */
export function adapterProblem(
  kind: ProblemKind,
  adapter: AdapterName,
  reason: string,
  members: Readonly<Record<string, unknown>> = {},
): Problem {
  const named = adapter === undefined ? "the adapter" : `the adapter "${adapter}"`;
  const source = adapter === undefined ? {} : { source: adapter };
  return new Problem(kind, `Cannot read ${named} as ${reason}`, { ...source, ...members });
}
