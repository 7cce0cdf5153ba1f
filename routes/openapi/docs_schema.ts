/**
 * Schemas as tables for readers.
 *
 * @module
 */
import { html } from "hono/html";
import type { JsonSchema } from "./json_schema.ts";

/** What hono's templates make. */
export type Html = ReturnType<typeof html>;

const PREFIX = "#/components/schemas/";

/** Text in which backticks stand around code. */
export function prose(text: string): Html {
  return html`${text.split("`").map((part, i) => i % 2 === 1 ? html`<code>${part}</code>` : part)}`;
}

/** One row: where it stands, what it is, and what it means. */
interface Row {
  readonly path: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
}

/** A schema as a table of its members, down to named schemas. */
export function schemaTable(schema: JsonSchema): Html {
  const rows = rowsOf(schema, "");
  if (rows.length === 0) return html`<p>${typeOf(schema)}</p>`;
  return html`
    <table>
      <thead>
        <tr>
          <th scope="col">Key</th>
          <th scope="col">Type</th>
          <th scope="col">Meaning</th>
        </tr>
      </thead>
      <tbody>${rows.map(tableRow)}</tbody>
    </table>
  `;
}

function tableRow({ path, schema, required }: Row): Html {
  const { default: usual } = schema;
  const mark = required
    ? html`
      <span class="dim">required</span>
    `
    : "";
  const value = usual === undefined ? "" : html`
    <span class="dim">Default <code>${JSON.stringify(usual)}</code>.</span>
  `;
  return html`
    <tr>
      <td><code>${path}</code>${mark}</td>
      <td>${typeOf(schema)}</td>
      <td>${prose(meaningOf(schema))}${value}</td>
    </tr>
  `;
}

/** The members of a schema, those of members without names behind them. */
function rowsOf(schema: JsonSchema, before: string): Row[] {
  const required = listOf(schema["required"]);
  const own = Object.entries(mapOf(schema["properties"])).flatMap(([name, member]): Row[] => {
    const path = before === "" ? name : `${before}.${name}`;
    return [{ path, schema: member, required: required.includes(name) }, ...rowsOf(member, path)];
  });
  const inner = optionsOf(schema).flatMap((option) => rowsOf(option, before));
  const items = isSchema(schema["items"]) ? rowsOf(schema["items"], `${before}[]`) : [];
  const values = isSchema(schema["additionalProperties"])
    ? rowsOf(schema["additionalProperties"], before === "" ? "NAME" : `${before}.NAME`)
    : [];
  return [...own, ...inner, ...items, ...values];
}

function meaningOf(schema: JsonSchema): string {
  const { description } = schema;
  if (typeof description === "string") return description;
  const told = optionsOf(schema).map(meaningOf).find((text) => text !== "");
  return told ?? "";
}

/** A type in words: `integer from 1`, `list of Task`, `"sgd" or "adam"`. */
export function typeOf(schema: JsonSchema): Html {
  const { $ref, const: constant, type, items } = schema;
  if (typeof $ref === "string") {
    const name = $ref.slice(PREFIX.length);
    return html`<a href="#schema-${name}">${name}</a>`;
  }
  if (constant !== undefined) return html`<code>${JSON.stringify(constant)}</code>`;
  const values = listOf(schema["enum"]);
  if (values.length > 0) {
    return joined(values.map((value) => html`<code>${JSON.stringify(value)}</code>`));
  }
  const options = optionsOf(schema);
  if (options.length > 0) return joined(options.map(typeOf));
  if (type === "array") {
    return isSchema(items) ? html`list of ${typeOf(items)}` : html`list of ${tupleSize(schema)}`;
  }
  const map = schema["additionalProperties"];
  if (type === "object" && isSchema(map)) return html`map of ${typeOf(map)}`;
  return html`${type === undefined ? "any" : String(type)}${boundsOf(schema)}`;
}

function tupleSize(schema: JsonSchema): string {
  const places = listOf(schema["prefixItems"]).length;
  return places === 0 ? "anything" : `${places} values`;
}

function boundsOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const low = minimum === undefined
    ? exclusiveMinimum === undefined ? "" : ` above ${exclusiveMinimum}`
    : Number(minimum) === Number.MIN_SAFE_INTEGER
    ? ""
    : ` from ${minimum}`;
  const high = maximum === undefined
    ? exclusiveMaximum === undefined ? "" : ` below ${exclusiveMaximum}`
    : Number(maximum) === Number.MAX_SAFE_INTEGER
    ? ""
    : ` to ${maximum}`;
  return low + high;
}

function joined(parts: readonly Html[]): Html {
  return html`${
    parts.map((part, i) =>
      i === 0 ? part : html`
        or ${part}
      `
    )
  }`;
}

function optionsOf(schema: JsonSchema): JsonSchema[] {
  return [schema["anyOf"], schema["oneOf"], schema["allOf"]].flatMap(listOf).filter(isSchema);
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function mapOf(value: unknown): Record<string, JsonSchema> {
  return isSchema(value) ? value as Record<string, JsonSchema> : {};
}
