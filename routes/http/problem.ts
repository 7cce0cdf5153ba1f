/**
 * Renders failures as RFC 9457 problem documents.
 *
 * @module
 */
import { HTTPException } from "hono/http-exception";
import { Problem, type ProblemKind, type ProblemMembers, PROBLEMS } from "../../core/problem.ts";

/** What the document says of the request. */
export interface ProblemContext {
  /** Path of the request. */
  readonly instance: string;
  readonly method: string;
  /** Is told of faults of ours, with the id that the caller was given. */
  readonly log?: (id: string, error: unknown) => void;
}

/**
 * The answer to a failure. Members become keys of the document; `status` overrides the kind's status
 * (504 for a timeout), `retry_after` becomes `Retry-After`, `allow` becomes `Allow`.
 */
export function problemResponse(error: unknown, context: ProblemContext): Response {
  const problem = foreseen(error, context);
  const { retry_after, allow, status: override, ...members } = problem.members;
  const info = PROBLEMS[problem.kind];
  const status = typeof override === "number" ? override : info.status;
  const headers = new Headers({
    "content-type": "application/problem+json",
    "cache-control": "no-store",
  });
  if (retry_after !== undefined) headers.set("retry-after", String(retry_after));
  if (Array.isArray(allow)) headers.set("allow", allow.join(", "));
  if (problem.kind === "unauthorized") headers.set("www-authenticate", 'Bearer realm="amalgam"');
  if (problem.kind === "range-not-satisfiable" && members.length !== undefined) {
    headers.set("content-range", `bytes */${members.length}`);
  }
  const document = {
    type: `/problems/${problem.kind}`,
    title: info.title,
    status,
    detail: problem.message,
    instance: context.instance,
    ...members,
  };
  const body = context.method === "HEAD" ? null : JSON.stringify(document);
  return new Response(body, { status, headers });
}

/** The error as a problem; what was not foreseen becomes `internal` with an id and nothing of the inside. */
function foreseen(error: unknown, { log }: ProblemContext): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HTTPException) {
    const kind = (Object.keys(PROBLEMS) as ProblemKind[])
      .find((name) => PROBLEMS[name].status === error.status);
    if (kind) return new Problem(kind, error.message || PROBLEMS[kind].title);
  }
  const id = crypto.randomUUID();
  log?.(id, error);
  const members: ProblemMembers = { id };
  return new Problem("internal", `Cannot answer as something unforeseen happened: the id is ${id}`, members);
}
