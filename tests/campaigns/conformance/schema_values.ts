/**
 * Values that fit a JSON Schema, as arbitraries of fast-check.
 *
 * @module
 */
import fc from "fast-check";

/** A JSON Schema. */
export type Schema = Readonly<Record<string, unknown>>;

/** What values are made with. */
export interface Making {
  /** The schema under a reference. */
  readonly resolve: (ref: string) => Schema;
  /** Values for texts that name something: sources, ids. */
  readonly names: readonly string[];
}

/** Members that say how much work is done; a campaign asks for little. */
const WORK = ["steps", "epochs", "rounds", "first_epoch", "rows", "rank", "max_backtracks"];

/** Values of a schema. */
export function valuesOf(schema: Schema, making: Making): fc.Arbitrary<unknown> {
  const { $ref, const: constant, enum: values, type } = schema;
  if (typeof $ref === "string") return valuesOf(making.resolve($ref), making);
  if (constant !== undefined) return fc.constant(constant);
  if (Array.isArray(values)) return fc.constantFrom(...values);
  const options = [schema["anyOf"], schema["oneOf"]].flatMap((list) =>
    Array.isArray(list) ? list as Schema[] : []
  );
  if (options.length > 0) return fc.oneof(...options.map((option) => valuesOf(option, making)));
  switch (type) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
      return integers(schema);
    case "number":
      return numbers(schema);
    case "string":
      return texts(schema, making.names);
    case "array":
      return lists(schema, making);
    case "object":
      return maps(schema, making);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function bound(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

function integers({ minimum, maximum }: Schema): fc.Arbitrary<number> {
  const min = bound(minimum, -1000);
  const max = bound(maximum, 1e9);
  return fc.oneof(
    fc.integer({ min: Math.max(min, -10), max: Math.min(max, Math.max(min, -10) + 20) }),
    fc.constantFrom(min, max),
  );
}

function numbers(schema: Schema): fc.Arbitrary<number> {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  return fc.double({
    min: bound(minimum ?? exclusiveMinimum, -1e3),
    max: bound(maximum ?? exclusiveMaximum, 1e3),
    minExcluded: exclusiveMinimum !== undefined,
    maxExcluded: exclusiveMaximum !== undefined,
    noNaN: true,
    noDefaultInfinity: true,
  });
}

function texts(schema: Schema, names: readonly string[]): fc.Arbitrary<string> {
  const fitting = typeof schema["pattern"] === "string"
    ? names.filter((name) => new RegExp(schema["pattern"] as string, "u").test(name))
    : names;
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...fitting) },
    { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" }) },
  );
}

function lists(schema: Schema, making: Making): fc.Arbitrary<unknown[]> {
  const places = schema["prefixItems"];
  if (Array.isArray(places)) {
    return fc.tuple(...(places as Schema[]).map((place) => valuesOf(place, making)));
  }
  const minLength = bound(schema["minItems"], 0);
  const items = schema["items"] as Schema | undefined;
  return fc.array(items ? valuesOf(items, making) : fc.jsonValue({ maxDepth: 1 }), {
    minLength,
    maxLength: Math.min(bound(schema["maxItems"], minLength + 3), minLength + 3),
  });
}

function maps(schema: Schema, making: Making): fc.Arbitrary<Record<string, unknown>> {
  const properties = (schema["properties"] ?? {}) as Record<string, Schema>;
  const required = (schema["required"] ?? []) as string[];
  const model = Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [
      key,
      WORK.includes(key) ? fc.integer({ min: 1, max: 3 }) : valuesOf(value, making),
    ]),
  );
  // Of what may be left out most is, or nothing would hold together.
  const optional = Object.keys(model).filter((key) => !required.includes(key));
  const known = fc.subarray(optional, { maxLength: Math.min(4, optional.length) }).chain((chosen) =>
    fc.record(
      Object.fromEntries([...required, ...chosen].flatMap((key) => {
        const value = model[key];
        return value ? [[key, value]] : [];
      })),
    )
  );
  const rest = schema["additionalProperties"];
  if (typeof rest !== "object" || rest === null) return known;
  const keys = fc.constantFrom(...making.names.slice(0, 8));
  return fc.tuple(known, fc.dictionary(keys, valuesOf(rest as Schema, making), { maxKeys: 3 }))
    .map(([own, further]) => ({ ...further, ...own }));
}
