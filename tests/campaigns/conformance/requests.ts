/**
 * Requests of an operation, made from what `/openapi.json` says of it.
 *
 * @module
 */
import fc from "fast-check";
import { type Example, examplesOf } from "../../../routes/table/examples.ts";
import type { DescribedOperation } from "../../support/openapi.ts";
import { mutated } from "./mutated.ts";
import { type Making, type Schema, valuesOf } from "./schema_values.ts";

/** A request as plain data. */
export interface MadeRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: MadeBody;
}

/** A body as plain data. */
export type MadeBody =
  | { readonly kind: "text"; readonly text: string; readonly document?: unknown }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> }
  | {
    readonly kind: "form";
    readonly part: string;
    readonly text: string;
    readonly document: unknown;
    readonly files: Readonly<Record<string, string>>;
  };

/** What requests are made with. */
export interface RequestMaking extends Making {
  /** Values of header fields, besides strange ones. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** Values of parameters of the path, by the operation's path. */
  readonly path: (operation: string, name: string) => readonly string[];
  /** Files by name. */
  readonly files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
}

const ODD = fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[^\x21-\x7e]/g, "x"));

/** Requests of an operation. */
export function requestsOf(
  template: string,
  operation: DescribedOperation,
  making: RequestMaking,
): fc.Arbitrary<MadeRequest> {
  return fc.record({
    path: pathsOf(template, operation, making),
    query: queriesOf(operation, making),
    headers: headersOf(operation, making),
    body: bodiesOf(operation, making),
  }).map(({ path, query, headers, body }) => {
    const search = new URLSearchParams(query).toString();
    const made = body === undefined ? undefined : body.body;
    return {
      path: search === "" ? path : `${path}?${search}`,
      headers: { ...headers, ...(body?.type === undefined ? {} : { "content-type": body.type }) },
      ...(made === undefined ? {} : { body: made }),
    };
  });
}

function pathsOf(
  template: string,
  { operationId }: DescribedOperation,
  { path }: RequestMaking,
): fc.Arbitrary<string> {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
  const values = names.map((name) =>
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...path(operationId, name)) },
      { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" }) },
    )
  );
  return fc.tuple(...values).map((chosen) =>
    names.reduce(
      (made, name, i) => made.replace(`{${name}}`, () => segment(chosen[i]!)),
      template,
    )
  );
}

/** An address resolves dots and has no lone surrogates. */
function segment(text: string): string {
  const encoded = encodeURIComponent(text.toWellFormed());
  return /^\.{1,2}$/.test(encoded) ? "dots" : encoded;
}

function queriesOf(
  { parameters }: DescribedOperation,
  making: RequestMaking,
): fc.Arbitrary<Record<string, string>> {
  const asked = parameters.filter((parameter) => parameter.in === "query");
  const pairs = asked.map(({ name, schema }) =>
    fc.oneof(valuesOf(schema as Schema, making).map(String), ODD).map((value) =>
      [name, value] as const
    )
  );
  return fc.subarray(pairs).chain((chosen) => fc.tuple(...chosen)).map(Object.fromEntries);
}

function headersOf(
  { parameters, responses }: DescribedOperation,
  { headers }: RequestMaking,
): fc.Arbitrary<Record<string, string>> {
  const fields = parameters.filter((parameter) => parameter.in === "header")
    .map(({ name }) =>
      [
        name,
        fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...headers[name] ?? ["x"]) }, {
          weight: 1,
          arbitrary: ODD,
        }),
      ] as const
    );
  const types = Object.values(responses).flatMap(({ content = {} }) => Object.keys(content));
  const accept = fc.constantFrom(...types, "*/*", "text/html", "text/x-nothing", "application/*");
  const all = [...fields, ["accept", accept] as const];
  const some = fc.subarray(all, { minLength: 1, maxLength: Math.min(2, all.length) })
    .chain((chosen) => fc.record(Object.fromEntries(chosen)));
  // Many requests carry none, so that preconditions do not hide what else there is.
  return fc.oneof(fc.constant({}), some);
}

interface TypedBody {
  readonly type?: string;
  readonly body: MadeBody;
}

function bodiesOf(
  { operationId, requestBody }: DescribedOperation,
  making: RequestMaking,
): fc.Arbitrary<TypedBody | undefined> {
  if (requestBody === undefined) return fc.constant(undefined);
  const { content } = requestBody;
  const schema = content["application/json"]?.schema as Schema | undefined;
  if (schema === undefined) return filesOf(making);
  const form = content["multipart/form-data"]?.schema as { readonly required: string[] };
  const part = form.required[0]!;
  const examples = examplesOf(operationId).filter(({ document }) => document !== undefined);
  const given = fc.constantFrom(...examples).chain((example) =>
    mutated(example.document).map((document) => withFiles(part, document, example))
  );
  const made = fc.tuple(
    valuesOf(schema, making),
    fc.subarray(["base", "left", "right", "net", "rows"]),
  ).map(([document, names]) => {
    const files = Object.fromEntries(names.map((name) => [name, fileOf(name)]));
    return withFiles(part, document, { uploads: names.length === 0 ? undefined : files });
  });
  const texts = fc.constantFrom("", "{", "[]", "null", "a: [", "{}", '{"sources": {"a": 1}}');
  const types = fc.constantFrom(
    "application/json",
    "application/yaml",
    "text/plain",
    "application/json; charset=utf-16",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
  );
  const broken = fc.tuple(types, texts).map(([type, text]): TypedBody => ({
    type,
    body: { kind: "text", text },
  }));
  return fc.oneof(
    { weight: 10, arbitrary: given },
    { weight: 4, arbitrary: made },
    { weight: 1, arbitrary: broken },
  );
}

function fileOf(name: string): string {
  return ({ net: "digits.onnx", rows: "val.safetensors" })[name] ?? `${name}.safetensors`;
}

function withFiles(
  part: string,
  document: unknown,
  { uploads }: { readonly uploads?: Example["uploads"] | undefined },
): TypedBody {
  const text = JSON.stringify(document) ?? "";
  if (uploads === undefined) {
    return { type: "application/json", body: { kind: "text", text, document } };
  }
  return { body: { kind: "form", part, text, document, files: uploads } };
}

function filesOf({ files }: RequestMaking): fc.Arbitrary<TypedBody> {
  const whole = fc.constantFrom(...Object.values(files));
  const cut = fc.tuple(whole, fc.nat(2000)).map(([bytes, length]) => bytes.slice(0, length));
  const changed = fc.tuple(whole, fc.nat(900), fc.nat(255)).map(([bytes, place, value]) => {
    const copy = bytes.slice();
    copy[place % copy.length] = value;
    return copy;
  });
  const noise = fc.uint8Array({ maxLength: 100 }).map((bytes) => Uint8Array.from(bytes));
  const types = fc.constantFrom("application/octet-stream", "text/plain", "application/json");
  return fc.tuple(
    fc.oneof(whole, cut, changed, noise),
    fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: types }),
  ).map(([bytes, type]) => ({
    body: { kind: "bytes", bytes },
    ...(type === undefined ? {} : { type }),
  }));
}
