/**
 * A failure of core in this page as the document that the service would have answered.
 *
 * @module
 */
import { Problem, PROBLEMS } from "../../../../core/problem.ts";
import type { ProblemDocument } from "../service/problem.ts";

/** The document of any failure. */
export function problemDocument(error: unknown): ProblemDocument {
  if (error instanceof Problem) {
    const { status, title } = PROBLEMS[error.kind];
    return {
      ...error.members,
      type: `/problems/${error.kind}`,
      title,
      status,
      detail: error.message,
    };
  }
  return {
    type: "about:blank",
    title: "Something unforeseen happened",
    status: 0,
    detail: error instanceof Error ? error.message : String(error),
  };
}
