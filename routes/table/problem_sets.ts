/**
 * Kinds of problems that operations of one sort have in common.
 *
 * @module
 */
import type { ProblemKind } from "../../core/problem.ts";

/** Of a document and the sources that it names. */
export const DOCUMENT_PROBLEMS = [
  "invalid-recipe",
  "unsupported-media-type",
  "unknown-source",
  "forbidden-source",
  "not-found",
  "upstream",
  "invalid-checkpoint",
  "unsupported-format",
  "unsupported-dtype",
  "mismatch",
  "insufficient-storage",
  "too-many",
] as const satisfies readonly ProblemKind[];

/** Of a merge that is carried out. */
export const MERGE_PROBLEMS = [
  ...DOCUMENT_PROBLEMS,
  "unknown-method",
  "unsupported-operator",
  "non-finite",
] as const satisfies readonly ProblemKind[];

/** Of work on a graph. */
export const GRAPH_PROBLEMS = [
  ...DOCUMENT_PROBLEMS,
  "unsupported-operator",
  "non-finite",
] as const satisfies readonly ProblemKind[];
