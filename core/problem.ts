/**
 * Every way in which a request can fail, as RFC 9457 problem documents.
 *
 * The table is the one source: the HTTP layer answers from it, `/problems/KIND` and the documentation
 * are made from it, and nothing else in the program names a status code for a failure.
 *
 * @module
 */

/** What one kind of problem means. */
export interface ProblemInfo {
  /** HTTP status of the answer. */
  readonly status: number;
  /** Other statuses that it may be answered with. */
  readonly also?: readonly number[];
  /** Short title, the same for every occurrence. */
  readonly title: string;
  /** When it is answered, for the documentation. */
  readonly when: string;
}

/** The problem kinds of the HTTP contract (API.md, section 7). */
export const PROBLEMS = {
  "invalid-recipe": {
    status: 422,
    title: "The recipe does not hold together",
    when: "A document has a fault; `errors` lists every fault at once, each with its path.",
  },
  "unknown-method": {
    status: 422,
    title: "No such merge method",
    when: "`merge_method` names no method; the nearest names are in `nearest`.",
  },
  "unknown-source": {
    status: 422,
    title: "No such source",
    when: "A document names a source that is neither defined nor uploaded; see `nearest`.",
  },
  "invalid-checkpoint": {
    status: 422,
    title: "The checkpoint is damaged or malformed",
    when: "A source breaks its format; `source`, `byte` and `tensor` say where.",
  },
  "mismatch": {
    status: 422,
    title: "The checkpoints do not fit together",
    when: "A tensor has different shapes, or is missing or surplus in a source.",
  },
  "unsupported-operator": {
    status: 422,
    title: "The graph uses an operator that is not supported",
    when: "A graph holds an operator without a rule; the node and tensor are named.",
  },
  "unsupported-dtype": {
    status: 422,
    title: "The element type is not supported",
    when: "A tensor has an element type that cannot be merged; `tensor` and `dtype` name it.",
  },
  "unsupported-format": {
    status: 422,
    title: "The file format is not supported",
    when: "A source is a pickle, GGUF, or another format; the detail says what to do instead.",
  },
  "split-overlap": {
    status: 409,
    title: "A row stands in two shards of one task",
    when: "Two shards of a task share rows; the count and first rows are named.",
  },
  "non-finite": {
    status: 422,
    title: "A tensor holds NaN or infinity",
    when: "An input or result element is not finite; source, tensor and index are named.",
  },
  "upstream": {
    status: 502,
    also: [504],
    title: "A remote source failed",
    when:
      "A URL source failed, ignored ranges, changed or (504) timed out; host and status are named.",
  },
  "forbidden-source": {
    status: 403,
    title: "The source may not be read",
    when: "A URL or path lies outside what the operator allows.",
  },
  "too-large": {
    status: 413,
    title: "A limit is exceeded",
    when: "A body, header, document or plan is larger than its limit; both are named.",
  },
  "too-many": {
    status: 429,
    title: "Too many requests at once",
    when: "The service is at a limit of concurrent work; `Retry-After` says when to return.",
  },
  "invalid-request": {
    status: 400,
    also: [408],
    title: "The request is malformed",
    when: "A body ends early, a header or multipart part is malformed, or a digest does not match.",
  },
  "unauthorized": {
    status: 401,
    title: "A key is needed",
    when: "The request carries no valid bearer key.",
  },
  "forbidden": {
    status: 403,
    title: "The key does not allow this",
    when: "The key lacks the scope.",
  },
  "not-found": { status: 404, title: "Not found", when: "Nothing stands at this address." },
  "method-not-allowed": {
    status: 405,
    title: "The method is not allowed here",
    when: "The resource exists but not for this HTTP method; see `Allow`.",
  },
  "not-acceptable": {
    status: 406,
    title: "No representation fits",
    when: "`Accept` excludes everything that can be sent.",
  },
  "conflict": {
    status: 409,
    also: [422],
    title: "In conflict with the present state",
    when: "The resource is in use.",
  },
  "precondition-failed": {
    status: 412,
    title: "A precondition failed",
    when: "`If-Match` or `If-Unmodified-Since` does not hold.",
  },
  "unsupported-media-type": {
    status: 415,
    title: "The media type is not supported",
    when: "The body has a type that this resource does not read.",
  },
  "range-not-satisfiable": {
    status: 416,
    title: "The range is not satisfiable",
    when: "No requested byte range lies inside the content.",
  },
  "internal": {
    status: 500,
    title: "A fault of ours",
    when: "Something unforeseen happened; quote the id.",
  },
  "insufficient-storage": {
    status: 507,
    title: "The store is full",
    when: "The disk or the memory store cannot take the bytes; nothing was kept.",
  },
  "unavailable": {
    status: 503,
    title: "Not available now",
    when: "The service is shutting down or the engine cannot start; see `Retry-After`.",
  },
} as const satisfies Record<string, ProblemInfo>;

/** Name of a problem kind; its `type` URI is `/problems/KIND`. */
export type ProblemKind = keyof typeof PROBLEMS;

/** One fault of a document: where (a path such as `models[1].parameters.density`) and what. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

/** Further members of a problem document; they become top-level keys beside `detail`. */
export interface ProblemMembers {
  readonly errors?: readonly Fault[];
  readonly [name: string]: unknown;
}

/**
 * The one error class that core and routes throw for a foreseen failure.
 *
 * `message` is the `detail` of the problem document: a sentence in the active voice that ends with the
 * current value, such as "Cannot trim the tensor as density must be in [0, 1]: current value is 1.5".
 */
export class Problem extends Error {
  readonly kind: ProblemKind;
  readonly members: ProblemMembers;

  constructor(kind: ProblemKind, detail: string, members: ProblemMembers = {}, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = "Problem";
    this.kind = kind;
    this.members = members;
  }
}
