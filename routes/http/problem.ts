/**
 * Renders failures as RFC 9457 problem documents.
 *
 * @module
 */
import { HTTPException } from "hono/http-exception";
import { Problem, type ProblemKind, PROBLEMS } from "../../core/problem.ts";
import { redactValue } from "../../core/redact.ts";
import { systemFault } from "../../core/system_fault.ts";

/** What the document says of the request. */
export interface ProblemContext {
  /** Path of the request. */
  readonly instance: string;
  readonly method: string;
  /** Is told of faults of ours, with the id that the caller was given; the console by default. */
  readonly log?: (id: string, error: unknown) => void;
}

/** The general kinds; other statuses of a malformed request are `invalid-request`. */
const KIND_OF_STATUS: Readonly<Record<number, ProblemKind>> = {
  401: "unauthorized",
  403: "forbidden",
  404: "not-found",
  405: "method-not-allowed",
  406: "not-acceptable",
  409: "conflict",
  412: "precondition-failed",
  413: "too-large",
  415: "unsupported-media-type",
  416: "range-not-satisfiable",
  429: "too-many",
  503: "unavailable",
};

/**
 * The answer to a failure. Members become keys of the document; `status` overrides the kind's status
 * (504 for a timeout), `retry_after` (seconds) becomes `Retry-After` too, `allow` (methods) `Allow`,
 * `accepted` (media types) `Accept`, and `length` of an unsatisfiable range `Content-Range`.
 *
 * Anything but a {@linkcode Problem} that is not the request's fault is told to the log, and the answer
 * shows nothing of it but an id, or what the caller can do about it ({@linkcode systemFault}).
 */
export function problemResponse(error: unknown, context: ProblemContext): Response {
  const problem = foreseen(error) ?? internal(error, context);
  const { status: override, ...members } = problem.members;
  const { retry_after, allow, accepted, length } = members;
  const info = PROBLEMS[problem.kind];
  const status = isErrorStatus(override) ? override : info.status;
  const headers = new Headers({
    "content-type": "application/problem+json",
    "cache-control": "no-store",
  });
  if (typeof retry_after === "number") headers.set("retry-after", `${Math.ceil(retry_after)}`);
  if (Array.isArray(allow)) headers.set("allow", allow.join(", "));
  if (Array.isArray(accepted)) {
    const types = accepted.join(", ");
    headers.set("accept", types);
    if (context.method === "POST") headers.set("accept-post", types);
  }
  if (problem.kind === "unauthorized") headers.set("www-authenticate", 'Bearer realm="amalgam"');
  if (problem.kind === "forbidden" && typeof members.scope === "string") {
    // RFC 6750, section 3.1.
    const scope = `error="insufficient_scope", scope="${members.scope}"`;
    headers.set("www-authenticate", `Bearer realm="amalgam", ${scope}`);
  }
  if (problem.kind === "range-not-satisfiable" && length !== undefined) {
    headers.set("content-range", `bytes */${length}`);
  }
  const body = JSON.stringify(documentOf(problem, context), plain);
  return new Response(context.method === "HEAD" ? null : body, { status, headers });
}

/** The problem document of a failure, for where it is not the whole answer. */
export function problemDocument(error: unknown, context: ProblemContext): Record<string, unknown> {
  const document = documentOf(foreseen(error) ?? internal(error, context), context);
  return JSON.parse(JSON.stringify(document, plain));
}

/** Members stand behind what every problem has, and never replace it. */
function documentOf(problem: Problem, { instance }: ProblemContext): Record<string, unknown> {
  const { status: override, ...members } = problem.members;
  const { status, title } = PROBLEMS[problem.kind];
  const standard = {
    type: `/problems/${problem.kind}`,
    title,
    status: isErrorStatus(override) ? override : status,
    detail: problem.message,
    instance,
  };
  return { ...standard, ...members, ...standard };
}

/** The error as a problem if the request is at fault. */
function foreseen(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error instanceof HTTPException) return ofStatus(error);
  // From a body or a path that is parsed where it is used.
  if (error instanceof SyntaxError && /\bJSON\b/.test(error.message)) {
    return new Problem(
      "invalid-request",
      `Cannot read the body as it must be JSON: ${error.message}`,
    );
  }
  if (error instanceof URIError) {
    return new Problem("invalid-request", "Cannot read the address as its escapes are malformed");
  }
  if (error instanceof DOMException && error.name === "AbortError") {
    return new Problem("unavailable", "The work was ended before its result was there");
  }
  return undefined;
}

/** Hono's own error: the kind with its status, else a malformed request. */
function ofStatus(error: HTTPException): Problem | undefined {
  const { status, message } = error;
  if (status < 400 || status >= 500 && status !== 503) return undefined;
  const kind = KIND_OF_STATUS[status] ?? "invalid-request";
  return new Problem(kind, message || PROBLEMS[kind].title, { status });
}

function internal(error: unknown, context: ProblemContext): Problem {
  const id = crypto.randomUUID();
  const log = context.log ??
    ((id, error) => console.error(JSON.stringify(redactValue({ message: "internal", id, error }))));
  log(id, error);
  return systemFault(error) ?? new Problem(
    "internal",
    `Cannot answer as something unforeseen happened: the id is ${id}`,
    { id },
  );
}

function isErrorStatus(status: unknown): status is number {
  return Number.isInteger(status) && Number(status) >= 400 && Number(status) <= 599;
}

/** JSON has no integers of this kind. */
function plain(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
