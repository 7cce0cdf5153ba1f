/**
 * Problems in `/openapi.json`: a schema for every kind, and the answers of an operation by their statuses.
 *
 * @module
 */
import { type ProblemInfo, type ProblemKind, PROBLEMS } from "../../core/problem.ts";
import { COMMON_PROBLEMS, type Operation } from "../table/operation.ts";
import { type JsonSchema, refTo } from "./json_schema.ts";
import { PROBLEM_EXAMPLES } from "./problem_examples.ts";

const KINDS = Object.keys(PROBLEMS) as ProblemKind[];
const BASE = "Problem";

/** What is the same in every problem. */
const BASE_SCHEMA: JsonSchema = {
  type: "object",
  description: "A problem document (RFC 9457). Its kind says which further members it has.",
  properties: {
    type: { type: "string", description: "`/problems/KIND`, where the kind is explained." },
    title: { type: "string", description: "The same for every occurrence." },
    status: { type: "integer" },
    detail: { type: "string", description: "A sentence that ends with the current value." },
    instance: { type: "string", description: "The path of the request." },
    errors: {
      type: "array",
      maxItems: 200,
      items: {
        type: "object",
        properties: {
          path: { type: "string", description: "Such as `models[1].parameters.density`." },
          message: { type: "string" },
        },
        required: ["path", "message"],
        additionalProperties: false,
      },
      description: "Every fault of a document at once, at most 200 of them.",
    },
    faults: { type: "integer", description: "How many there are, where that is more." },
    retry_after: { type: "number", description: "Seconds, as in `Retry-After`." },
  },
  required: ["type", "title", "status", "detail", "instance"],
};

/** The name of a kind's schema: `invalid-recipe` is `InvalidRecipeProblem`. */
export function problemSchemaName(kind: ProblemKind): string {
  return `${kind.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())}Problem`;
}

/** The statuses that a kind may come with, the usual one first. */
export function statusesOf(kind: ProblemKind): readonly number[] {
  const { status, also = [] }: ProblemInfo = PROBLEMS[kind];
  return [status, ...also];
}

/** The kinds that an operation may answer, in the order of the table of problems. */
export function problemsOf({ scopes, problems = [] }: Operation): ProblemKind[] {
  const kinds: readonly ProblemKind[] = [...COMMON_PROBLEMS, ...problems];
  return KINDS.filter((kind) =>
    kinds.includes(kind) && (kind !== "unauthorized" || scopes.length > 0)
  );
}

/** An occurrence as it is answered. */
export function problemExample(kind: ProblemKind): JsonSchema {
  const { status, title } = PROBLEMS[kind];
  const { instance, detail, members = {} } = PROBLEM_EXAMPLES[kind];
  return { type: `/problems/${kind}`, title, status, detail, instance, ...members };
}

/** The schemas of problems by name. */
export function problemSchemas(): Record<string, JsonSchema> {
  const kinds = KINDS.map((kind): [string, JsonSchema] => [problemSchemaName(kind), {
    allOf: [{ $ref: refTo(BASE) }],
    type: "object",
    description: PROBLEMS[kind].when,
    properties: {
      type: { const: `/problems/${kind}` },
      title: { const: PROBLEMS[kind].title },
      status: { enum: statusesOf(kind) },
    },
  }]);
  return { [BASE]: BASE_SCHEMA, ...Object.fromEntries(kinds) };
}

/** The occurrences of problems by kind. */
export function problemExamples(): Record<string, JsonSchema> {
  return Object.fromEntries(
    KINDS.map((kind) => [kind, { summary: PROBLEMS[kind].title, value: problemExample(kind) }]),
  );
}

const HEADERS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { "www-authenticate": "`Bearer`." },
  403: { "www-authenticate": "Which scope is missing, if one is." },
  416: { "content-range": "The length, `bytes */LENGTH`." },
  429: { "retry-after": "Seconds to wait." },
  503: { "retry-after": "Seconds to wait, where that is known." },
};

/** An operation's problems as answers by status. */
export function problemAnswers(operation: Operation): Record<string, JsonSchema> {
  const byStatus = new Map<number, ProblemKind[]>();
  for (const kind of problemsOf(operation)) {
    for (const status of statusesOf(kind)) {
      byStatus.set(status, [...(byStatus.get(status) ?? []), kind]);
    }
  }
  return Object.fromEntries(
    [...byStatus].sort(([a], [b]) => a - b).map(([status, kinds]) => [status, {
      description: kinds.map((kind) => `${kind}: ${PROBLEMS[kind].title}`).join("; "),
      content: {
        "application/problem+json": {
          schema: kinds.length === 1
            ? { $ref: refTo(problemSchemaName(kinds[0]!)) }
            : { oneOf: kinds.map((kind) => ({ $ref: refTo(problemSchemaName(kind)) })) },
          examples: Object.fromEntries(
            kinds.filter((kind) => PROBLEMS[kind].status === status)
              .map((kind) => [kind, { $ref: `#/components/examples/${kind}` }]),
          ),
        },
      },
      headers: headersOf(HEADERS[status] ?? {}),
    }]),
  );
}

/** Header fields of an answer; every answer has `X-Request-Id`. */
export function headersOf(headers: Readonly<Record<string, string>>): JsonSchema {
  const named = Object.entries(headers).map(([name, description]) => [
    name,
    { description, schema: { type: "string" } },
  ]);
  return {
    "x-request-id": { $ref: "#/components/headers/RequestId" },
    ...Object.fromEntries(named),
  };
}
