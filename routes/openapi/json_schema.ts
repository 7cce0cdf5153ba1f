/**
 * The schemas that requests are checked with, as JSON Schema (2020-12, the dialect of OpenAPI 3.1).
 *
 * What valibot's checks say in code only stands in the description: the message of each schema says what a value must
 * be.
 *
 * @module
 */
import { type ConversionConfig, toJsonSchema } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";
import { COMPONENT_NOTES, COMPONENTS } from "../table/components.ts";
import { MEANINGS, type Meanings } from "../table/meanings.ts";

/** A JSON Schema as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const NAMES = new Map<GenericSchema, string>(
  Object.entries(COMPONENTS).map(([name, schema]) => [schema, name]),
);

const CONFIG: ConversionConfig = {
  target: "draft-2020-12",
  typeMode: "input",
  definitions: COMPONENTS,
  overrideRef: ({ referenceId }) => refTo(referenceId),
  overrideSchema({ valibotSchema, jsonSchema }) {
    const { propertyNames: _, ...schema } = jsonSchema;
    const { message } = valibotSchema as { readonly message?: unknown };
    return typeof message === "string" ? { description: message, ...schema } : schema;
  },
  overrideAction({ valibotAction, jsonSchema }) {
    const { type } = valibotAction;
    const message = "message" in valibotAction ? valibotAction.message : type;
    switch (type) {
      // JSON knows no other numbers.
      case "finite":
      // A pattern of JSON Schema is read with the flag u, which is the only one in use.
      case "regex":
        return jsonSchema;
      case "check":
        return {
          ...jsonSchema,
          description: `${message}; the service checks what a schema cannot`,
        };
      default:
        return bounded(jsonSchema);
    }
  },
};

/** Bounds at infinity are none. */
function bounded<Schema extends object>(schema: Schema): Schema {
  const kept = Object.entries(schema).filter(([, value]) =>
    typeof value !== "number" || Number.isFinite(value)
  );
  return Object.fromEntries(kept) as Schema;
}

/** The address of a named schema inside of the document. */
export function refTo(name: string): string {
  return `#/components/schemas/${name}`;
}

/**
 * A schema as it stands in the document: by its name if it has one.
 *
 * @throws If valibot's schema says what neither JSON Schema nor this module can express.
 */
export function schemaOf(schema: GenericSchema): JsonSchema {
  const name = NAMES.get(schema);
  if (name !== undefined) return { $ref: refTo(name) };
  const { $schema: _, $defs: _1, ...converted } = toJsonSchema(schema, CONFIG);
  return converted;
}

/** The named schemas, with what their keys mean. */
export function namedSchemas(): Record<string, JsonSchema> {
  const { $defs = {} } = toJsonSchema(COMPONENTS.Alive, CONFIG);
  return Object.fromEntries(
    Object.keys(COMPONENTS).map((name) => {
      const note = (COMPONENT_NOTES as Readonly<Record<string, string>>)[name];
      const schema = explained($defs[name] as JsonSchema, MEANINGS[name] ?? {}, "");
      return [name, note === undefined ? schema : { ...schema, description: note }];
    }),
  );
}

/** A schema whose members say what they mean; lists, and what stands beside null, are looked through. */
function explained(schema: JsonSchema, meanings: Meanings, before: string): JsonSchema {
  const { properties, items, anyOf, oneOf } = schema;
  const inside = (part: unknown) => explained(part as JsonSchema, meanings, before);
  return {
    ...schema,
    ...(properties === undefined ? {} : {
      properties: Object.fromEntries(
        Object.entries(properties as Record<string, JsonSchema>).map(([key, member]) => {
          const path = before + key;
          return [key, meant(explained(member, meanings, `${path}.`), meanings[path])];
        }),
      ),
    }),
    ...(items === undefined || items === false ? {} : { items: inside(items) }),
    ...(Array.isArray(anyOf) ? { anyOf: anyOf.map(inside) } : {}),
    ...(Array.isArray(oneOf) ? { oneOf: oneOf.map(inside) } : {}),
  };
}

/** A member with its meaning before what it must be. */
function meant(schema: JsonSchema, meaning: string | undefined): JsonSchema {
  if (meaning === undefined) return schema;
  const must = mustBe(schema);
  return { ...schema, description: must === undefined ? meaning : `${meaning} Must be ${must}.` };
}

/** What a value must be, in words, unless its type says as much. */
function mustBe(schema: JsonSchema): string | undefined {
  const [first] = Array.isArray(schema["anyOf"]) ? schema["anyOf"] as JsonSchema[] : [];
  const { description, enum: values, type } = { ...first, ...schema };
  const told = values !== undefined || type === "boolean" || typeof description !== "string";
  return told ? undefined : description;
}
