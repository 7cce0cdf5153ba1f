/**
 * Faults of a document's form: unknown keys, missing keys, wrong types and values.
 *
 * @module
 */
import * as v from "valibot";
import type { Fault } from "../problem.ts";
import { joinPath, mustBe, show } from "./faults.ts";
import { didYouMean } from "./nearest.ts";

/** What a document is checked for. */
export interface DocumentForm<Schema extends v.GenericSchema> {
  readonly schema: Schema;
  /** What messages call the document: "the recipe". */
  readonly noun: string;
  /** Keys that are known but refused, by place, with the reason. */
  readonly unsupported?: Readonly<Record<string, string>>;
  /** Whether what stands under these keys is checked elsewhere. */
  readonly skips?: (keys: readonly (string | number)[]) => boolean;
}

/** The document as its schema gives it, and every fault of its form. */
export interface CheckedDocument<Output> {
  readonly output: Output | undefined;
  readonly faults: readonly Fault[];
}

/** Checks a document; its schema's messages say what a value must be. */
export function checkDocument<Schema extends v.GenericSchema>(
  form: DocumentForm<Schema>,
  document: unknown,
): CheckedDocument<v.InferOutput<Schema>> {
  const { schema, noun, skips = () => false } = form;
  const faults: Fault[] = [];
  // For valibot a list is an object too.
  if (Array.isArray(document)) {
    faults.push({ path: "", message: mustBe(noun, "a map", document) });
    return { output: undefined, faults };
  }
  const options: ChosenOptions = new Map();
  const gathered = { ...form, faults, options };
  findUnknownKeys(schema as SchemaNode, document, { path: "", place: "", keys: [] }, gathered);
  // A rule may see a value that an earlier rule of the same key refused; one fault a key is enough.
  const seen = new Set(faults.map(({ path }) => path));
  const result = v.safeParse(schema, document);
  for (
    const { issue, keys } of (result.issues ?? []).flatMap((issue) => placed(issue, [], options))
  ) {
    if (skips(keys)) continue;
    const strict = issue.type === "strict_object" && keys.length > 0;
    if (strict && issue.expected === "never") continue;
    const path = keys.reduce<string>(joinPath, "");
    if (seen.has(path)) continue;
    seen.add(path);
    faults.push({ path, message: sentence(issue, keys, noun) });
  }
  return { output: result.success ? result.output : undefined, faults };
}

/** An issue and the keys that lead to it. */
interface PlacedIssue {
  readonly issue: v.BaseIssue<unknown>;
  readonly keys: readonly (string | number)[];
}

/** Schemas of maps that stand where several types may, by the path. */
type ChosenOptions = Map<string, v.GenericSchema>;

/** Where a value may be of several types and is a map, what is wrong inside of it is told. */
function placed(
  issue: v.BaseIssue<unknown>,
  before: PlacedIssue["keys"],
  options: ChosenOptions,
): PlacedIssue[] {
  const keys = [...before, ...(issue.path ?? []).map(({ key }) => key as string | number)];
  const option = issue.type === "union"
    ? options.get(keys.reduce<string>(joinPath, ""))
    : undefined;
  if (option === undefined) return [{ issue, keys }];
  const inner = v.safeParse(option, issue.input).issues ?? [];
  return inner.flatMap((part) => placed(part, keys, options));
}

/** The option that a map fits best: an unknown key is less of a fault than a wrong value. */
function bestOption(options: readonly SchemaNode[], value: unknown): SchemaNode | undefined {
  const faults = (option: SchemaNode) =>
    (v.safeParse(option as unknown as v.GenericSchema, value).issues ?? [])
      .reduce((sum, { expected }) => sum + (expected === "never" ? 1 : 2), 0);
  const maps = options.filter(({ type }) => type === "strict_object");
  return maps.sort((left, right) => faults(left) - faults(right))[0];
}

function sentence(
  issue: v.BaseIssue<unknown>,
  keys: readonly (string | number)[],
  noun: string,
): string {
  const last = keys[keys.length - 1];
  const missing = issue.input === undefined && typeof last === "string";
  if (missing) return `Cannot read ${noun} as ${last} is missing: current value is undefined`;
  const name = typeof last === "string" ? last : last === undefined ? noun : "the entry";
  return mustBe(name, issue.message, issue.input);
}

/** The parts of a valibot schema that say which keys may stand where. */
interface SchemaNode {
  readonly type: string;
  readonly entries?: Readonly<Record<string, SchemaNode>>;
  readonly options?: readonly SchemaNode[];
  readonly item?: SchemaNode;
  readonly wrapped?: SchemaNode;
  readonly value?: unknown;
}

/** Where a key stands: its path, and the same with `[]` for indices and `*` for free names. */
interface Place {
  readonly path: string;
  readonly place: string;
  readonly keys: readonly (string | number)[];
}

/** What the walk over a document knows and gathers. */
interface Gathering extends Pick<DocumentForm<v.GenericSchema>, "unsupported" | "skips"> {
  readonly faults: Fault[];
  readonly options: ChosenOptions;
}

/** valibot reports one unknown key an object; a caller wants them all. */
function findUnknownKeys(
  schema: SchemaNode,
  value: unknown,
  at: Place,
  form: Gathering,
): void {
  if (schema.wrapped) return findUnknownKeys(schema.wrapped, value, at, form);
  if (typeof value !== "object" || value === null) return;
  if (schema.type === "union") {
    const option = Array.isArray(value) ? undefined : bestOption(schema.options ?? [], value);
    if (option === undefined) return;
    form.options.set(at.path, option as unknown as v.GenericSchema);
    return findUnknownKeys(option, value, at, form);
  }
  if (schema.type === "array" && schema.item && Array.isArray(value)) {
    const { item } = schema;
    value.forEach((element, i) => {
      const inside = {
        path: joinPath(at.path, i),
        place: `${at.place}[]`,
        keys: [...at.keys, i],
      };
      findUnknownKeys(item, element, inside, form);
    });
  }
  const { faults } = form;
  if (Array.isArray(value)) {
    // For valibot a list is an object too.
    if (schema.type === "record" || schema.type === "strict_object") {
      const last = at.keys[at.keys.length - 1];
      const name = typeof last === "string" ? last : "the entry";
      faults.push({ path: at.path, message: mustBe(name, "a map", value) });
    }
    return;
  }
  for (const [key, element] of Object.entries(value)) {
    const path = joinPath(at.path, key);
    if (schema.type === "record") {
      if (["__proto__", "prototype", "constructor"].includes(key)) {
        faults.push({
          path,
          message: `Cannot use the name as it is reserved: current value is ${show(key)}`,
        });
      } else {
        const inside = {
          path,
          place: joinPath(at.place, "*").replace('["*"]', ".*"),
          keys: [...at.keys, key],
        };
        findUnknownKeys(schema.value as SchemaNode, element, inside, form);
      }
    } else if (schema.type === "strict_object" && schema.entries) {
      const place = joinPath(at.place, key);
      if (!Object.hasOwn(schema.entries, key)) {
        const reasons = form.unsupported ?? {};
        const reason = Object.hasOwn(reasons, place) ? reasons[place] : undefined;
        faults.push({ path, message: unknownKey(key, reason, Object.keys(schema.entries)) });
      } else if (!form.skips?.([...at.keys, key])) {
        const inside = { path, place, keys: [...at.keys, key] };
        findUnknownKeys(schema.entries[key]!, element, inside, form);
      }
    }
  }
}

function unknownKey(key: string, reason: string | undefined, known: readonly string[]): string {
  return reason === undefined
    ? `Cannot use the key as it is unknown here${didYouMean(key, known)}: current value is ${
      show(key)
    }`
    : `Cannot use the key as ${reason}: current value is ${show(key)}`;
}
