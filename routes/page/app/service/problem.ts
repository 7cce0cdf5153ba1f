/**
 * A problem document (RFC 9457) as an error of the page.
 *
 * @module
 */

/** The members that every problem document has; those of its kind stand beside them. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly [member: string]: unknown;
}

/** An answer that is a problem document. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  constructor(readonly problem: ProblemDocument) {
    super(problem.detail);
  }
}

/** The problem that an answer tells; one of the page's own where it tells none. */
export async function problemOf(answer: Response): Promise<ProblemError> {
  const problem: unknown = await answer.json().catch(() => undefined);
  if (typeof problem === "object" && problem !== null && "detail" in problem) {
    const id = answer.headers.get("x-request-id");
    return new ProblemError(
      { ...problem, ...(id === null ? {} : { request_id: id }) } as ProblemDocument,
    );
  }
  return new ProblemError({
    type: "about:blank",
    title: "The service gave no reason",
    status: answer.status,
    detail: `The service answered without a reason: current status is ${answer.status}`,
  });
}

/** The problem of a service that does not answer at all. */
export function unreachable(error: unknown): ProblemError {
  return new ProblemError({
    type: "about:blank",
    title: "The service cannot be reached",
    status: 0,
    detail: `Cannot reach the service: ${error instanceof Error ? error.message : String(error)}`,
  });
}
