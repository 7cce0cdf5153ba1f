/**
 * Faults of a recipe's form: unknown keys, missing keys, wrong types and values.
 *
 * @module
 */
import * as v from "valibot";
import type { Fault } from "../problem.ts";
import { joinPath, mustBe, show } from "./faults.ts";
import { didYouMean } from "./nearest.ts";
import { RecipeSchema, UNSUPPORTED_KEYS } from "./recipe_schema.ts";

/** A recipe as its schema gives it, with defaults. */
export type RecipeDocument = v.InferOutput<typeof RecipeSchema>;

/** The document, if it has the form of a recipe, and every fault of its form. Parameters are left out. */
export interface RecipeForm {
  readonly recipe: RecipeDocument | undefined;
  readonly faults: readonly Fault[];
}

/** Checks a document against {@linkcode RecipeSchema}. */
export function checkForm(document: unknown): RecipeForm {
  const faults: Fault[] = [];
  // For valibot a list is an object too.
  if (Array.isArray(document)) {
    faults.push({ path: "", message: mustBe("the recipe", "a map", document) });
    return { recipe: undefined, faults };
  }
  findUnknownKeys(RecipeSchema, document, { path: "", place: "" }, faults);
  // A rule may see a value that an earlier rule of the same key refused; one fault a key is enough.
  const seen = new Set<string>();
  const result = v.safeParse(RecipeSchema, document);
  for (const issue of result.issues ?? []) {
    const keys = (issue.path ?? []).map(({ key }) => key as string | number);
    // Parameters are checked against the method's declarations instead.
    if (keys[0] !== "sources" && keys.includes("parameters")) continue;
    const strict = issue.type === "strict_object" && keys.length > 0;
    if (strict && issue.expected === "never") continue;
    const path = keys.reduce<string>(joinPath, "");
    if (seen.has(path)) continue;
    seen.add(path);
    faults.push({ path, message: sentence(issue, keys) });
  }
  return { recipe: result.success ? result.output : undefined, faults };
}

function sentence(issue: v.BaseIssue<unknown>, keys: readonly (string | number)[]): string {
  const last = keys[keys.length - 1];
  const missing = issue.input === undefined && typeof last === "string";
  if (missing) return `Cannot read the recipe as ${last} is missing: current value is undefined`;
  const name = typeof last === "string" ? last : last === undefined ? "the recipe" : "the entry";
  return mustBe(name, issue.message, issue.input);
}

/** The parts of a valibot schema that say which keys may stand where. */
interface SchemaNode {
  readonly type: string;
  readonly entries?: Readonly<Record<string, SchemaNode>>;
  readonly item?: SchemaNode;
  readonly wrapped?: SchemaNode;
  readonly value?: unknown;
}

/** Where a key stands: its path, and the same with `[]` for indices and `*` for free names. */
interface Place {
  readonly path: string;
  readonly place: string;
}

/** valibot reports one unknown key an object; a caller wants them all. */
function findUnknownKeys(schema: SchemaNode, value: unknown, at: Place, faults: Fault[]): void {
  if (schema.wrapped) return findUnknownKeys(schema.wrapped, value, at, faults);
  if (typeof value !== "object" || value === null) return;
  if (schema.type === "array" && schema.item && Array.isArray(value)) {
    const { item } = schema;
    value.forEach((element, i) => {
      const inside = { path: joinPath(at.path, i), place: `${at.place}[]` };
      findUnknownKeys(item, element, inside, faults);
    });
  }
  if (Array.isArray(value)) return;
  for (const [key, element] of Object.entries(value)) {
    const path = joinPath(at.path, key);
    if (schema.type === "record") {
      if (["__proto__", "prototype", "constructor"].includes(key)) {
        faults.push({
          path,
          message: `Cannot use the name as it is reserved: current value is ${show(key)}`,
        });
      } else {
        const inside = { path, place: joinPath(at.place, "*").replace('["*"]', ".*") };
        findUnknownKeys(schema.value as SchemaNode, element, inside, faults);
      }
    } else if (schema.type === "strict_object" && schema.entries) {
      const place = joinPath(at.place, key);
      if (!Object.hasOwn(schema.entries, key)) {
        faults.push({ path, message: unknownKey(key, place, Object.keys(schema.entries)) });
      } else if (key !== "parameters") {
        findUnknownKeys(schema.entries[key]!, element, { path, place }, faults);
      }
    }
  }
}

function unknownKey(key: string, place: string, known: readonly string[]): string {
  const reason = Object.hasOwn(UNSUPPORTED_KEYS, place) ? UNSUPPORTED_KEYS[place] : undefined;
  return reason === undefined
    ? `Cannot use the key as it is unknown here${didYouMean(key, known)}: current value is ${
      show(key)
    }`
    : `Cannot use the key as ${reason}: current value is ${show(key)}`;
}
