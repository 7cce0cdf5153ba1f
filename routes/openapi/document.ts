/**
 * The OpenAPI 3.1 document, written from the route table.
 *
 * @module
 */
import { SCOPES } from "../../core/access.ts";
import { VERSION } from "../../core/version.ts";
import { type Example, examplesOf } from "../table/examples.ts";
import { OPERATIONS } from "../table/mod.ts";
import {
  type Answer,
  type Content,
  type DocumentBody,
  type Operation,
  type Parameter,
  TAGS,
} from "../table/operation.ts";
import { type JsonSchema, namedSchemas, schemaOf } from "./json_schema.ts";
import { headersOf, problemAnswers, problemExamples, problemSchemas } from "./problems.ts";

const DESCRIPTION = "Merges neural-network checkpoints. Documents go in as JSON or YAML; with " +
  "uploads as `multipart/form-data`, the document first, then one file part per source, named as " +
  "the document names it. Every failure is a problem document. `HEAD` answers wherever `GET` does; " +
  "other methods answer 405 (method-not-allowed), other addresses 404 (not-found). A request may " +
  "carry an `X-Request-Id`, which is answered and logged.";
const KEYS = `A key of the operator's list, of which any one of the named scopes is enough: ${
  SCOPES.join(", ")
}; \`admin\` includes the others. A service without keys answers its own machine only and asks for none.`;
const UPLOADS = "File parts, named by the sources that the document uses.";
const BYTES = "application/octet-stream";

/** The document as plain data. */
export interface OpenApiDocument {
  readonly openapi: "3.1.1";
  readonly info: JsonSchema;
  readonly tags: readonly JsonSchema[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Writes the document. */
export function openApiDocument(): OpenApiDocument {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const operation of OPERATIONS) {
    const path = paths[openApiPath(operation.path)] ??= {};
    path[operation.method.toLowerCase()] = describe(operation);
    if (operation.head) path["head"] = describeHead(operation);
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "amalgam",
      version: VERSION,
      description: DESCRIPTION,
      license: { name: "MIT", identifier: "MIT" },
    },
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: { ...namedSchemas(), ...problemSchemas() },
      examples: problemExamples(),
      headers: {
        RequestId: {
          description: "The request's own `X-Request-Id`, or a new one.",
          schema: { type: "string" },
        },
      },
      securitySchemes: { key: { type: "http", scheme: "bearer", description: KEYS } },
    },
  };
}

/** The path as OpenAPI writes it: `/checkpoints/{id}`. */
export function openApiPath(path: string): string {
  return path.replaceAll(/:([^/]+)/g, "{$1}").replace(/\*$/, "{rest}");
}

function describe(operation: Operation): JsonSchema {
  const { id, tag, summary, description, long, scopes, parameters = [], body } = operation;
  const examples = examplesOf(id);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(long ? { "x-long-call": true } : {}),
    security: scopes.map((scope) => ({ key: [scope] })),
    parameters: parameters.map((parameter) => parameterOf(parameter, examples)),
    ...(body === undefined ? {} : {
      requestBody: {
        required: true,
        ...(body.kind === "bytes"
          ? { description: body.description, content: { [BYTES]: {} } }
          : { content: documentContent(body, examples) }),
      },
    }),
    responses: { ...answersOf(operation), ...problemAnswers(operation) },
  };
}

/** The same without bodies. */
function describeHead(operation: Operation): JsonSchema {
  const { responses, ...rest } = describe(operation);
  const bare = Object.entries(responses as Record<string, JsonSchema>)
    .filter(([status]) => status !== "206")
    .map(([status, { content: _, ...answer }]) => [status, answer]);
  return {
    ...rest,
    operationId: operation.id.replace(/^get/, "head"),
    summary: "Answers the header fields of a GET",
    responses: Object.fromEntries(bare),
  };
}

function parameterOf(parameter: Parameter, examples: readonly Example[]): JsonSchema {
  const { name, in: place, description, schema } = parameter;
  const given = examples.map(({ path, query, headers }) =>
    ({ path, query, header: headers })[place]?.[name]
  ).find((value) => value !== undefined);
  return {
    name,
    in: place,
    description,
    ...(place === "path" ? { required: true } : {}),
    schema: schemaOf(schema),
    ...(given === undefined ? {} : { example: schema.type === "number" ? Number(given) : given }),
  };
}

function documentContent(
  { part, schema }: DocumentBody,
  examples: readonly Example[],
): Record<string, JsonSchema> {
  const document = schemaOf(schema);
  const of = (uploads: boolean) =>
    Object.fromEntries(
      examples.filter((example) => (example.uploads !== undefined) === uploads).map((
        { name, summary, document: value, uploads: files },
      ) => [name, { summary, value: uploads ? { [part]: value, ...files } : value }]),
    );
  const alone = of(false);
  const named = Object.keys(alone).length === 0 ? {} : { examples: alone };
  const mixed = of(true);
  return {
    "application/json": { schema: document, ...named },
    "application/yaml": { schema: document },
    "multipart/form-data": {
      schema: {
        type: "object",
        properties: { [part]: document },
        required: [part],
        additionalProperties: { contentMediaType: BYTES, description: UPLOADS },
      },
      encoding: { [part]: { contentType: "application/json, application/yaml" } },
      ...(Object.keys(mixed).length === 0 ? {} : { examples: mixed }),
    },
  };
}

function answersOf({ answers }: Operation): Record<string, JsonSchema> {
  return Object.fromEntries(
    Object.entries(answers).map(([status, { description, content, headers = {} }]) => [status, {
      description,
      headers: headersOf(headers),
      ...(content === undefined ? {} : { content: contentOf(content) }),
    }]),
  );
}

function contentOf(content: NonNullable<Answer["content"]>): Record<string, JsonSchema> {
  return Object.fromEntries(
    Object.entries(content).map(([type, each]) => [type, mediaTypeOf(each)]),
  );
}

/** OpenAPI 3.1 has no word for streams of JSON: the schema of one event stands under `x-event-schema`. */
function mediaTypeOf(content: Content): JsonSchema {
  switch (content.kind) {
    case "json":
      return { schema: schemaOf(content.schema) };
    case "events":
      return {
        schema: { type: "string", description: "Events, each with JSON of x-event-schema." },
        "x-event-schema": schemaOf(content.schema),
      };
    case "text":
      return { schema: { type: "string" } };
    case "bytes":
      return {};
  }
}
