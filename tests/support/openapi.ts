/**
 * Checks answers against `/openapi.json`, with ajv.
 *
 * @module
 */
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";

/** A document as far as the tests look into it. */
export interface TestDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A media type of the document. */
export interface DescribedContent {
  readonly schema?: object;
  readonly "x-event-schema"?: object;
}

/** An operation of the document. */
export interface DescribedOperation {
  readonly operationId: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: "path" | "query" | "header";
    readonly schema: object;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, DescribedContent>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, DescribedContent>> }>
  >;
}

/** Checks values against schemas of the document. */
export function operationSchemas(document: TestDocument) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(document, "openapi");
  const compiled = new Map<string, ReturnType<typeof ajv.compile>>();
  /** What is wrong with a value; nothing if it is valid. */
  const check = (schema: object, value: unknown): string[] => {
    const text = JSON.stringify(schema).replaceAll('"#/components', '"openapi#/components');
    let validate = compiled.get(text);
    if (!validate) compiled.set(text, validate = ajv.compile(JSON.parse(text)));
    return validate(value) ? [] : (validate.errors ?? []).map(told);
  };
  return { ajv, check };
}

function told({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath}: ${message} ${JSON.stringify(params)}`;
}

/**
 * What is wrong with an answer: an undocumented status or media type, a body that does not fit.
 *
 * @returns Nothing if it is as documented.
 */
export async function answerFaults(
  operation: DescribedOperation,
  response: Response,
  check: ReturnType<typeof operationSchemas>["check"],
): Promise<string[]> {
  const { status } = response;
  const text = await response.text();
  const described = operation.responses[String(status)];
  if (!described) return [`status ${status} is not documented: ${text.slice(0, 400)}`];
  const type = (response.headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
  if (described.content === undefined) {
    return text === ""
      ? []
      : [`status ${status} has no body in the document: ${text.slice(0, 99)}`];
  }
  const content = described.content[type];
  if (!content) return [`${status}: the type ${type} is not documented`];
  if (type === "application/json" || type === "application/problem+json") {
    return check(content.schema!, JSON.parse(text)).map((fault) =>
      `${status} ${type}: ${fault} in ${text.slice(0, 400)}`
    );
  }
  const events = content["x-event-schema"];
  if (events === undefined) return [];
  const values = type === "text/event-stream"
    ? [...text.matchAll(/^data: (.*)$/gm)].map((match) => match[1]!)
    : text.split("\n").filter((line) => line !== "");
  if (values.length === 0) return [`${status} ${type}: there are no events`];
  return values.flatMap((value) =>
    check(events, JSON.parse(value)).map((fault) => `${type}: ${fault} in ${value.slice(0, 300)}`)
  );
}
