/**
 * What the route table says of one operation. Everything that is known of a route before it runs stands here once:
 * who may call it, whether it may be a job, which parameters it takes, what it reads and what it may answer. The
 * middleware and `/openapi.json` read it.
 *
 * @module
 */
import type { GenericSchema } from "valibot";
import type { Scope } from "../../core/access.ts";
import type { ProblemKind } from "../../core/problem.ts";

/** The resources, in the order of the documentation. */
export const TAGS = {
  Merge: "Checkpoints in, one checkpoint out, and what is known of it before and after.",
  Checkpoints: "Files that stay in the store under the SHA-256 of their bytes.",
  Tune: "Gradient steps, scores and statistics on shards of data.",
  Rounds: "Alternating tuning and merging.",
  Jobs: "Long calls that were begun with `Prefer: respond-async`.",
  Catalogue: "What the service knows: methods and problems.",
  Service: "The service itself: its health and its documentation.",
} as const;

/** One resource of the documentation. */
export type Tag = keyof typeof TAGS;

/** A parameter of the address or a header field. */
export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly description: string;
  /** Its value; numbers are read from their decimal text. */
  readonly schema: GenericSchema;
  /**
   * Whether a value that does not fit the schema is refused before the route runs, as `invalid-request`. Others are
   * ignored, as HTTP says, or answered by the route, such as an id that nothing stands under.
   */
  readonly checked?: boolean;
}

/** A body that is a document, alone or with uploads behind it. */
export interface DocumentBody {
  readonly kind: "document";
  /** The name of its part, where uploads come with it. */
  readonly part: "recipe" | "request";
  /** The schema that the route checks the document with. */
  readonly schema: GenericSchema;
}

/** A body that is a file. */
export interface BytesBody {
  readonly kind: "bytes";
  readonly description: string;
}

/** What stands in an answer of one media type. */
export type Content =
  /** One JSON value. */
  | { readonly kind: "json"; readonly schema: GenericSchema }
  /** Lines or server-sent events; the schema is that of each one's JSON. */
  | { readonly kind: "events"; readonly schema: GenericSchema }
  | { readonly kind: "text" }
  | { readonly kind: "bytes" };

/** An answer of one status. */
export interface Answer {
  readonly description: string;
  /** By media type; without any there is no body. */
  readonly content?: Readonly<Record<string, Content>>;
  /** Header fields that tell the caller something, by their names. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One method of one path. */
export interface Operation {
  /** Its name in clients that are made from `/openapi.json`. */
  readonly id: string;
  readonly method: "GET" | "POST" | "DELETE";
  /** As the router has it: `/checkpoints/:id`; `*` at its end stands for any rest. */
  readonly path: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  /** Any one of these is enough; none: it answers without a key. */
  readonly scopes: readonly Scope[];
  /** Whether it waits for its place among the long calls, and may be a job. */
  readonly long?: boolean;
  /** Whether `HEAD` is worth documenting; every `GET` has it. */
  readonly head?: boolean;
  readonly parameters?: readonly Parameter[];
  readonly body?: DocumentBody | BytesBody;
  /** Answers other than problems, by status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** Kinds of problems beside {@linkcode COMMON_PROBLEMS}. */
  readonly problems?: readonly ProblemKind[];
}

/** What any operation may answer. */
export const COMMON_PROBLEMS = [
  "invalid-request",
  "unauthorized",
  "forbidden",
  "too-large",
  "internal",
  "unavailable",
] as const satisfies readonly ProblemKind[];

/** One JSON value. */
export function json(
  description: string,
  schema: GenericSchema,
  headers?: Answer["headers"],
): Answer {
  const content = { "application/json": { kind: "json", schema } } as const;
  return { description, content, ...(headers ? { headers } : {}) };
}

/** Nothing but a status. */
export function empty(description: string): Answer {
  return { description };
}

/** Whether an operation can tell events while it works. */
export function tellsEvents({ answers }: Operation): boolean {
  return Object.values(answers[200]?.content ?? {}).some(({ kind }) => kind === "events");
}
